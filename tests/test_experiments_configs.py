"""Every experiment in every variant and scale makes a model and an update, traced without computing."""

import importlib.util
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from ml_collections import FrozenConfigDict

from mvae import config as configs
from mvae.music.vocabulary import Vocabulary
from mvae.training.step import init_state, train_step

CONFIGS = {path.stem: path for path in sorted(Path('experiments/configs').glob('*.py'))}
CASES = [(name, variant) for name in CONFIGS for variant in configs.VARIANTS if name.endswith('16') or variant == 'flat']


@pytest.mark.parametrize('scale', configs.SCALES)
@pytest.mark.parametrize('name, variant', CASES)
def test_a_config_makes_a_model_and_an_update(name, variant, scale):
    spec = importlib.util.spec_from_file_location(name, CONFIGS[name])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    c = module.get_config(variant=variant, scale=scale)
    assert (c.experiment, c.variant, c.scale) == (name, variant, scale)
    sizes = Vocabulary(**c.music).sizes(c.kind)
    cfg, t = configs.model_config(c, sizes), FrozenConfigDict(c.training)
    state = jax.eval_shape(lambda key: init_state(key, cfg, t), jax.random.key(0))
    tokens = jax.ShapeDtypeStruct((4, 16 * c.bars, len(sizes)), jnp.int32)
    new, metrics = jax.eval_shape(lambda s, x, k: train_step(s, x, k, cfg=cfg, t=t), state, tokens, jax.random.key(0))
    assert jax.tree.map(lambda x: (x.shape, x.dtype), new) == jax.tree.map(lambda x: (x.shape, x.dtype), state)
    assert metrics['loss'].shape == ()
