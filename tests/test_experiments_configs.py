"""Every experiment in every variant and scale makes a model and an update: traced at the sizes that
cost, run at tiny.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import FrozenConfigDict

from mvae import config as configs
from mvae.commands import experiments
from mvae.music.vocabulary import Vocabulary
from mvae.training.step import init_state, train_step

CONFIGS = experiments.files()
CASES = [
    (name, variant)
    for name in CONFIGS
    for variant in configs.VARIANTS
    if variant == 'flat' or experiments.load(name, None, 'tiny').bars > 2
]


def _experiment(name, variant, scale):
    """The update of an experiment as a function of (state, tokens, key), its initial state as one
    of a key, and the shape of its tokens.
    """
    c = experiments.load(name, variant, scale)
    assert (c.experiment, c.variant, c.scale) == (name, variant, scale)
    sizes = Vocabulary(**c.music).sizes(c.kind)
    cfg, t = configs.model_config(c, sizes), FrozenConfigDict(c.training)
    return (
        functools.partial(train_step, cfg=cfg, t=t),
        functools.partial(init_state, cfg=cfg, t=t),
        (4, 16 * c.bars, len(sizes)),
    )


@pytest.mark.parametrize('scale', ['small', 'paper'])
@pytest.mark.parametrize('name, variant', CASES)
def test_a_config_makes_a_model_and_an_update(name, variant, scale):
    update, init, shape = _experiment(name, variant, scale)
    state = jax.eval_shape(init, jax.random.key(0))
    new, metrics = jax.eval_shape(
        update, state, jax.ShapeDtypeStruct(shape, jnp.int32), jax.random.key(0)
    )
    assert jax.tree.map(lambda x: (x.shape, x.dtype), new) == jax.tree.map(
        lambda x: (x.shape, x.dtype), state
    )
    assert metrics['loss'].shape == ()


@pytest.mark.parametrize('name, variant', CASES)
def test_an_update_changes_every_parameter_and_counts(name, variant):
    update, init, shape = _experiment(name, variant, 'tiny')
    state, tokens = init(jax.random.key(0)), jax.random.randint(jax.random.key(1), shape, 0, 130)
    new, metrics = jax.jit(update)(state, tokens, jax.random.key(2))
    assert (
        int(new.step) == 1
        and float(metrics['examples']) == 4
        and float(metrics['tokens']) == tokens.size
    )
    assert np.isfinite(float(metrics['loss'])) and float(metrics['gradient_norm']) > 0
    changed = jax.tree.map(lambda x, y: bool(jnp.any(x != y)), state.params, new.params)
    assert all(jax.tree.leaves(changed))
