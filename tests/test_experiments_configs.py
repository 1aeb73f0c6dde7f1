"""Every experiment in every variant and scale makes a model and an update: traced at the sizes that
cost, run at tiny.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import FrozenConfigDict

from mvae.batch import Batch
from mvae.commands import experiments
from mvae.config import VARIANTS
from mvae.model.config import model_config
from mvae.music.events import NO_STEP
from mvae.music.forms import FORMS
from mvae.musicvae import form_of
from mvae.training.step import init_state, train_step

CONFIGS = experiments.files()
CASES = [
    (name, variant)
    for name in CONFIGS
    for variant in VARIANTS
    if variant == 'flat' or experiments.load(name, None, 'tiny').bars > 2
]
# Updates that are done and not only shaped: flat, one for each form and way to write drums, and the
# largest model hierarchical throughout. percussion2 and chords1 do theirs beside Magenta's numbers.
_LIKE_OTHERS = 'drum16', 'groove4', 'mel16', 'percussion2', 'chords1'
LIVELY = [
    *((name, 'flat') for name in CONFIGS if name not in _LIKE_OTHERS),
    ('trio16', 'hier'),
]


def _experiment(name, variant, scale):
    """An experiment's form, its update, and its initial state as a function of a key."""
    c = experiments.load(name, variant, scale)
    assert (c.experiment, c.variant, c.scale) == (name, variant, scale)
    form = form_of(c)
    settings = {'cfg': model_config(c, form), 't': FrozenConfigDict(c.training)}
    make = functools.partial
    return form, make(train_step, **settings), make(init_state, **settings)


def _batch(form, seed=1):
    keys = jax.random.split(jax.random.key(seed), len(form.parts))
    sizes = [np.minimum(part.codec.sizes, 130) for part in form.parts]
    shapes = [(4, form.steps, len(own)) for own in sizes]
    parts = zip(keys, shapes, sizes, strict=True)
    drawn = tuple(jax.random.randint(key, shape, 0, own) for key, shape, own in parts)
    count = len(form.streams)
    return Batch.of(drawn[:count], conditions=drawn[count:])


def _shapes(tree):
    return jax.tree.map(lambda x: (x.shape, x.dtype), tree)


@pytest.mark.parametrize('name, variant', CASES)
def test_a_config_makes_a_model_and_an_update(name, variant):
    """At small and paper, whose updates differ in sizes alone."""
    jax.eval_shape(_experiment(name, variant, 'small')[2], jax.random.key(0))
    form, update, init = _experiment(name, variant, 'paper')
    state = jax.eval_shape(init, jax.random.key(0))
    new, metrics = jax.eval_shape(update, state, _batch(form), jax.random.key(0))
    assert _shapes(new) == _shapes(state)
    assert metrics['loss'].shape == ()


@pytest.mark.parametrize('bars', [1, 2, 4, 8, 16])
@pytest.mark.parametrize('form', FORMS)
def test_any_form_and_length_can_be_set(form, bars):
    """Bass at 16 bars, and every other, as `--config.form` and `--bars` set them."""
    for name in CONFIGS:
        for scale in ('small', 'paper'):
            c = experiments.load(name, None, scale)
            c.form, c.bars = form, bars
            cfg = model_config(c, form_of(c))
            assert (cfg.total_steps, len(cfg.heads)) == (form_of(c).steps, len(FORMS[form]))


@pytest.mark.parametrize('name, variant', LIVELY)
def test_an_update_changes_every_parameter_and_counts(name, variant):
    form, update, init = _experiment(name, variant, 'tiny')
    state, batch = init(jax.random.key(0)), _batch(form)
    new, metrics = jax.jit(update)(state, batch, jax.random.key(2))
    assert int(new.step) == 1 and float(metrics['examples']) == 4
    pairs = zip(form.streams, batch.streams, strict=True)
    steps = sum((stream.codec.events(x) != NO_STEP).sum() for stream, x in pairs)
    assert float(metrics['tokens']) == steps
    assert np.isfinite(float(metrics['loss'])) and float(metrics['gradient_norm']) > 0
    changed = jax.tree.map(lambda x, y: bool(jnp.any(x != y)), state.params, new.params)
    assert all(jax.tree.leaves(changed))
