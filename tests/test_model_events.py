"""Segments that end: what is behind the end is not read or scored, and nothing is drawn there."""

import dataclasses

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from draws import draw

from mvae.config import base_config
from mvae.model.config import ModelConfig
from mvae.model.heads import NOTHING, Events
from mvae.model.objective import objective

HEAD, END = Events.make((6,), base_config().model), 5
FLAT = ModelConfig((HEAD,), 1, 6, (4, 3), 5, (4,), bottleneck_stddev=0.0)
HIER = dataclasses.replace(FLAT, bars=3, conductor_sizes=(4,), encoder_bars=3, encoder_sizes=(4,))


def test_values_are_one_above_the_rows_that_they_stand_for():
    assert (HEAD.in_width, HEAD.out_width) == (5, 5)
    kernel = jnp.arange(10.0).reshape(5, 2)
    values = jnp.array([[1], [5], [0], [NOTHING]])
    for read in (HEAD.read, HEAD.feed):
        assert read(kernel, values).tolist() == [[0, 1], [8, 9], [0, 0], [0, 0]]


def test_values_before_the_end_are_scored_as_categories():
    logits = jax.random.normal(jax.random.key(0), (5,))
    losses = HEAD.loss(jnp.tile(logits, (6, 1)), jnp.arange(6)[:, None])
    assert losses[0] == 0
    np.testing.assert_allclose(np.exp(-losses[1:]).sum(), 1, rtol=1e-6)
    likeliest = HEAD.likeliest(logits)
    assert losses[1:].argmin() + 1 == likeliest[0]
    assert draw(HEAD, jax.random.key(1), logits, jnp.float32(0)) == likeliest
    assert HEAD.counts(jnp.arange(6)[:, None]).tolist() == [False] + [True] * 5


@pytest.mark.parametrize('length', [0, 1, 4, 6])
def test_a_sequence_is_read_as_if_it_stood_alone(length):
    """In stacks of both directions, beside a longer one."""
    params = compiled.init(jax.random.key(0), FLAT)
    tokens = np.zeros((2, 6, 1), np.int32)
    tokens[0, :length, 0] = [1, 2, 3, 4, 5, 1][:length]
    tokens[1, :, 0] = 3
    mu, sigma = compiled.encode(params, FLAT, (tokens,))
    if length:
        alone = dataclasses.replace(FLAT, steps=length)
        own = compiled.encode(params, alone, (tokens[:1, :length],))
        np.testing.assert_allclose(mu[0], own.mu[0], atol=1e-6)
        np.testing.assert_allclose(sigma[0], own.sigma[0], atol=1e-6)
    else:
        np.testing.assert_array_equal(mu[0], params['encoder']['mu']['bias'])


def test_the_loss_has_no_part_behind_the_end_and_a_finite_gradient():
    params = compiled.init(jax.random.key(0), HIER)
    piece = np.zeros((1, 18, 1), np.int32)
    piece[0, [0, 1, 2, 6], 0] = 1, 2, END, END  # three segments: 3, 1 and 0 steps

    def loss(params):
        found = objective(params, HIER, (piece,), jnp.zeros((1, 5)))
        return found.reconstruction.sum(), found

    (total, found), gradient = jax.value_and_grad(loss, has_aux=True)(params)
    logits = compiled.decode_logits(params, HIER, found.z, (piece,))[0]
    steps = HEAD.loss(logits, piece)
    np.testing.assert_allclose(total, steps[0, [0, 1, 2, 6]].sum(), rtol=1e-6)
    assert found.counted.sum() == 4 and not (found.right & ~found.counted).any()
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_drawn_segments_end_with_their_end_and_rows_do_not_depend_on_others():
    params = compiled.init(jax.random.key(0), HIER)
    z = jax.random.normal(jax.random.key(1), (64, 5))
    (drawn,) = compiled.generate(params, HIER, z, jax.random.key(2), 1.0)
    assert drawn.min() >= 0 and drawn.max() == END
    segments = np.asarray(drawn).reshape(-1, 6)
    assert (segments[:, 0] > 0).all()
    for row in segments:
        ends = np.flatnonzero(row == END)
        written = ends[0] + 1 if len(ends) else len(row)
        assert (row[:written] > 0).all() and not row[written:].any()
    assert len(np.unique((segments > 0).sum(1))) > 3
