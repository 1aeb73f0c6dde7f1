"""NADE: a distribution over all combinations of drums, drawn as it is scored."""

import itertools

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from draws import draw
from jax.test_util import check_grads
from run_maker import tiny_config

from mvae.model import vae
from mvae.model.config import model_config
from mvae.model.head import NOTHING
from mvae.model.heads import Categorical, Nade
from mvae.musicvae import form_of

HEAD = Nade((8, 4), hidden=3)  # five classes in two columns
ALL = np.array(list(itertools.product(range(8), range(4))))


def weighted(head=HEAD, seed=0):
    return head.with_weights(head.init(jax.random.key(seed)))


def by_hand(head, logits, roll):
    """-log p of one roll, class by class."""
    e, d = (np.asarray(head.weights[name], np.float64) for name in ('w_enc', 'w_dec_t'))
    a, total = np.array(logits[:3], np.float64), 0.0
    for n, hit in enumerate(roll):
        p = 1 / (1 + np.exp(-(logits[3 + n] + 1 / (1 + np.exp(-a)) @ d[n, :, 0])))
        total -= np.log(p if hit else 1 - p)
        a = a + hit * e[n, 0]
    return total


def test_it_is_a_distribution_and_what_the_formula_says():
    head, logits = weighted(), jax.random.normal(jax.random.key(1), (8,))
    assert (head.columns, head.feed_width, head.in_width, head.out_width) == (2, 5, 6, 8)
    losses = np.asarray(head.loss(jnp.tile(logits, (32, 1)), jnp.asarray(ALL)))
    assert np.exp(-losses).sum() == pytest.approx(1, abs=1e-4)
    rolls = np.asarray(head.roll(jnp.asarray(ALL)))
    assert len(np.unique(rolls, axis=0)) == 32 and rolls[1 * 4 + 2].tolist() == [1, 0, 0, 0, 1]
    expected = [by_hand(head, np.asarray(logits), roll) for roll in rolls]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_gradients_are_those_of_the_formula():
    """By finite differences, of what the decoder says and of the weights."""
    head, values = weighted(), jnp.asarray(ALL[[7, 22]])
    said = jax.random.normal(jax.random.key(1), (2, 8))

    def loss(weights, said):
        return head.with_weights(weights).loss(said, values).sum()

    check_grads(loss, (head.weights, said), 1, modes=['rev'], atol=0.02, rtol=0.02)


@pytest.mark.parametrize('temperature', [1.0, 0.5])
def test_draws_follow_it_class_by_class_at_a_temperature(temperature):
    """At another temperature each class is as likely as its logit, so multiplied, says."""
    head, count = weighted(), 40_000
    logits = 1.5 * jax.random.normal(jax.random.key(2), (8,))
    drawn = np.asarray(draw(head, jax.random.key(3), jnp.tile(logits, (count, 1)), temperature))
    shares = np.bincount(drawn[:, 0] * 4 + drawn[:, 1], minlength=32) / count
    if temperature == 1:
        expected = np.exp(-np.asarray(head.loss(jnp.tile(logits, (32, 1)), jnp.asarray(ALL))))
        np.testing.assert_allclose(shares, expected, atol=0.012)
    first = logits[3] + jax.nn.sigmoid(logits[:3]) @ head.weights['w_dec_t'][0, :, 0]
    kick = (drawn[:, 0] & 1).mean()
    assert kick == pytest.approx(float(jax.nn.sigmoid(first / temperature)), abs=0.01)


def test_rows_do_not_depend_on_their_neighbours():
    head, logits = weighted(), jax.random.normal(jax.random.key(4), (6, 8))
    whole = draw(head, jax.random.key(5), logits, 1.0)
    np.testing.assert_array_equal(draw(head, jax.random.key(5), logits[:2], 1.0), whole[:2])


def test_greedy_takes_what_is_likelier_given_the_ones_before():
    """Here the second class is hit only because the first one is."""
    head = Nade((4,), hidden=1)
    weights = {'w_enc': jnp.array([[[9.0]], [[0]]]), 'w_dec_t': jnp.array([[[0.0]], [[4]]])}
    head = head.with_weights(weights)
    for first, expected in ((1.0, 3), (-1.0, 0)):
        logits = jnp.array([-9.0, first, -2.0])
        assert head.likeliest(logits).tolist() == [expected]
        assert draw(head, jax.random.key(0), logits, 0.0).tolist() == [expected]


def test_reading_and_feeding_are_products_with_the_roll():
    kernel = jax.random.normal(jax.random.key(0), (6, 4))
    values = jnp.array([[5, 2], [0, 0], [0, 1]])
    roll = np.array([[1, 0, 1, 0, 1], [0] * 5, [0, 0, 0, 1, 0]])
    np.testing.assert_allclose(HEAD.feed(kernel[:5], values), roll @ kernel[:5], rtol=1e-5)
    silence = np.array([[0], [1], [0]])
    expected = np.concatenate([roll, silence], 1) @ kernel
    np.testing.assert_allclose(HEAD.read(kernel, values), expected, rtol=1e-5)
    nothing = jnp.full((1, 2), NOTHING)
    assert not np.any(HEAD.read(kernel, nothing)) and not np.any(HEAD.feed(kernel[:5], nothing))


def _setting(form, variant):
    """A tiny model whose drums are by NADE: its config, and its loss as a function of weights."""
    c = tiny_config(form, 2, variant, drums='nade')
    cfg = model_config(c, form_of(c))
    streams = tuple(
        jax.random.randint(jax.random.key(n), (2, 32, 1), 0, size)
        for n, (_, (size,)) in enumerate(form_of(c).layout)
    )

    def loss(params):
        q = vae.encode(params, cfg, streams)
        blocks = vae.decode_logits(params, cfg, q.mu, streams)
        parts = zip(vae.heads_of(params, cfg), blocks, streams, strict=True)
        return sum(head.loss(block, values).sum() for head, block, values in parts)

    return cfg, loss


def test_all_weights_learn_and_a_row_of_a_draw_is_the_same_in_any_batch():
    cfg, loss = _setting('drums', 'hier')
    params = compiled.init(jax.random.key(0), cfg)
    gradients = jax.jit(jax.grad(loss))(params)
    assert all(np.abs(g).max() > 0 for g in jax.tree.leaves(gradients['decoders'][0]['heads']))
    z = jax.random.normal(jax.random.key(1), (3, cfg.latent_size))
    draw = jax.jit(lambda z: vae.generate(params, cfg, z, jax.random.key(2))[0])
    np.testing.assert_array_equal(draw(z[:1]), draw(z)[:1])


@pytest.mark.parametrize('variant, decoders', [('flat', 1), ('hier', 3)])
def test_drums_of_a_trio_by_nade(variant, decoders):
    """Beside softmaxes, in one decoder with them or in one of its own."""
    cfg, loss = _setting('trio', variant)
    assert cfg.heads == (Categorical(130), Categorical(130), Nade((512,), 8))
    params = jax.eval_shape(lambda: vae.init(jax.random.key(0), cfg))
    assert len(params['decoders']) == decoders
    assert params['decoders'][-1]['heads'][-1]['w_enc'].shape == (9, 1, 8)
    gradients = jax.eval_shape(jax.grad(loss), params)
    assert jax.tree.structure(gradients) == jax.tree.structure(params)
