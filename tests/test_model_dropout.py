"""Dropout of what layers read: how much, of what, and that nothing is dropped but in training."""

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from run_maker import tiny_config

from mvae.model import vae
from mvae.model.config import model_config
from mvae.model.dropout import InputDropout
from mvae.musicvae import form_of


def _keys(count):
    return jax.random.split(jax.random.key(0), count)


def test_what_stays_makes_up_for_what_goes():
    """70% go, as in GrooVAE, of each example, step and number on its own; the mean stays."""
    x = 1 + jnp.arange(200.0 * 50 * 4).reshape(200, 50, 4) % 7
    dropped = np.asarray(InputDropout(_keys(4), 0.7)(x, 0))
    gone = dropped == 0
    np.testing.assert_allclose(dropped[~gone], (x / 0.3)[~gone], rtol=1e-5)
    for axis in range(3):
        others = tuple({0, 1, 2} - {axis})
        assert abs(gone.mean(others) - 0.7).max() < 0.2
    assert gone.mean() == pytest.approx(0.7, abs=0.01)
    assert dropped.mean() == pytest.approx(float(x.mean()), rel=0.03)


def test_examples_layers_parts_and_bars_drop_other_numbers():
    dropout, x = InputDropout(_keys(4), 0.5), jnp.ones((40, 10, 4))
    whole = np.asarray(dropout(x, 0))
    some = InputDropout(dropout.keys[1:3], 0.5)(x[..., 1:3], 0)
    np.testing.assert_array_equal(some, whole[..., 1:3])  # of the example, whoever is beside it
    bars = dropout.part(0, 3)
    assert bars.keys.shape == (12,)
    masks = [whole[..., 0], whole[..., 1], dropout(x, 1)[..., 0], dropout.part(1)(x, 0)[..., 0]]
    masks += list(np.moveaxis(bars(jnp.ones((40, 10, 12)), 0)[..., :3], -1, 0))
    for n, one in enumerate(masks):
        for other in masks[:n]:
            assert 0.4 < np.mean(np.asarray(one) != np.asarray(other)) < 0.6


@pytest.mark.parametrize(
    'form, variant, settings',
    [
        ('groove', 'flat', {}),
        ('trio', 'hier', {'drums': 'nade'}),
        ('drums', 'hierenc', {'bar_codes': False, 'encoder_sizes': (6, 5)}),
    ],
)
def test_dropping_nothing_is_no_dropout_and_dropping_is(form, variant, settings):
    """Layers then read the same numbers by another way."""
    c = tiny_config(form, 2, variant, **settings)
    cfg = model_config(c, form_of(c))
    params = compiled.init(jax.random.key(0), cfg)
    streams, rng = [], np.random.default_rng(0)
    for _, sizes in form_of(c).layout:
        streams.append(rng.integers(0, np.minimum(sizes, 130), (2, 32, len(sizes)), np.int32))

    @jax.jit
    def numbers(dropout):
        q = vae.encode(params, cfg, streams, input_dropout=dropout)
        blocks = vae.decode_logits(params, cfg, q.mu + 1, streams, input_dropout=dropout)
        return q.mu, q.sigma, *blocks

    plain = numbers(None)
    for expected, x in zip(plain, numbers(InputDropout(_keys(2), 0.0)), strict=True):
        np.testing.assert_allclose(x, expected, rtol=1e-4, atol=1e-5)
    for expected, x in zip(plain, numbers(InputDropout(_keys(2), 0.7)), strict=True):
        assert np.isfinite(x).all() and np.abs(x - expected).max() > 1e-4


def test_a_model_knows_nothing_of_it():
    """So what is drawn or evaluated cannot drop: only training has the rate."""
    c = tiny_config('groove', 2, 'flat')
    without = model_config(c, form_of(c))
    c.training.input_dropout = c.training.note_dropout = 0.7
    assert model_config(c, form_of(c)) == without
