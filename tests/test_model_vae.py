"""The whole model: folded bars equal nested bars, causality, greedy generation, scheduled sampling,
closed-form KL, hierarchical encoders, codes of bars.
"""

import dataclasses
import functools

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from run_maker import tiny_config

from mvae.config import VARIANTS
from mvae.model import conductor, decoder, encoder, heads, lstm, vae
from mvae.model.config import ModelConfig, model_config
from mvae.model.heads import Categorical
from mvae.musicvae import form_of

SIZES = (7, 5)
TWO = tuple(map(Categorical, SIZES))
HIERARCHICAL = ModelConfig(TWO, 4, 3, (6, 5), 4, (5, 4), (6, 4), bottleneck_stddev=0.0)
FLAT = ModelConfig(TWO, 1, 12, (6, 5), 4, (5, 4), bottleneck_stddev=0.0)
both = pytest.mark.parametrize('cfg', [HIERARCHICAL, FLAT], ids=['hierdec', 'flat'])


def _params(cfg):
    """Weights large enough that every part matters."""
    params = compiled.init(jax.random.key(0), cfg)
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(jax.random.key(1), len(leaves))
    moved = [x + 0.4 * jax.random.normal(k, x.shape) for x, k in zip(leaves, keys, strict=True)]
    return jax.tree.unflatten(tree, moved)


def _streams(cfg, batch=2):
    keys = jax.random.split(jax.random.key(2), len(cfg.heads))
    shape = batch, cfg.total_steps, 1
    pairs = zip(keys, cfg.heads, strict=True)
    return tuple(jax.random.randint(key, shape, 0, head.size) for key, head in pairs)


def _changed(streams, t):
    """Another value at step t of each stream."""
    pairs = zip(streams, SIZES, strict=True)
    return tuple(x.at[:, t].set((x[:, t] + 1) % size) for x, size in pairs)


def nested_logits(params, cfg, z, streams):
    """The reference of `decode_logits`, as the paper draws the model.

    One scan over bars, inside it one over steps.
    """
    batch, total = streams[0].shape[:2]
    bars = [
        vae.previous(x).reshape(batch, cfg.bars, cfg.steps, -1).transpose(1, 2, 0, 3)
        for x in streams
    ]  # [U, S, B, C] each
    embeddings = [jnp.swapaxes(e, 0, 1) for e in vae._embeddings(params, cfg, z)]
    weights, result = vae.prepare(params, cfg), []
    decoders = zip(cfg.decoder_heads, weights['decoders'], embeddings, strict=True)
    for n, (own, weights_n, e) in enumerate(decoders):

        def bar(_, xs, own=own, weights_n=weights_n):
            e_u, inputs_u = xs
            constant, states = decoder.start(weights_n, cfg, e_u)
            step = functools.partial(decoder.step, weights_n, cfg, own, constant)
            return None, lax.scan(step, states, inputs_u)[1]

        _, logits = lax.scan(bar, None, (e, vae._of_decoder(cfg, n, bars)))  # [U, S, B, V]
        logits = logits.transpose(2, 0, 1, 3).reshape(batch, total, -1)
        result += heads.split_logits(own, logits)
    return tuple(result)


@both
def test_folded_bars_equal_nested_bars_in_value_and_gradient(cfg):
    params, streams = _params(cfg), _streams(cfg)
    z = jax.random.normal(jax.random.key(3), (2, cfg.latent_size))
    ours = compiled.decode_logits(params, cfg, z, streams)
    reference = jax.jit(nested_logits, static_argnums=1)(params, cfg, z, streams)
    for x, y in zip(ours, reference, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5)

    def loss(decode, params):
        mu = vae.encode(params, cfg, streams).mu
        return sum(jnp.sum(jnp.sin(x)) for x in decode(params, cfg, mu, streams))

    ours, reference = (
        jax.jit(jax.grad(functools.partial(loss, f)))(params)
        for f in (vae.decode_logits, nested_logits)
    )
    jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-4), ours, reference
    )


@both
def test_a_step_changes_no_logits_up_to_itself(cfg):
    params, streams = _params(cfg), _streams(cfg)
    z = jax.random.normal(jax.random.key(3), (2, cfg.latent_size))
    base = compiled.decode_logits(params, cfg, z, streams)
    for t in (0, 3, 8):
        changed = compiled.decode_logits(params, cfg, z, _changed(streams, t))
        for x, y in zip(base, changed, strict=True):
            np.testing.assert_array_equal(x[:, : t + 1], y[:, : t + 1])
            assert not np.allclose(x[:, t + 1], y[:, t + 1])


@both
def test_greedy_generation_is_the_likeliest_under_teacher_forcing_on_itself(cfg):
    params = _params(cfg)
    z = 3 * jax.random.normal(jax.random.key(4), (6, cfg.latent_size))
    streams = compiled.generate(params, cfg, z, jax.random.key(0), 0.0)
    assert [x.shape for x in streams] == [(6, cfg.total_steps, 1)] * 2
    blocks = compiled.decode_logits(params, cfg, z, streams)
    for logits, values in zip(blocks, streams, strict=True):
        np.testing.assert_array_equal(logits.argmax(-1), values[..., 0])


@both
def test_a_generated_row_does_not_depend_on_the_batch(cfg):
    params, z = _params(cfg), jax.random.normal(jax.random.key(4), (5, cfg.latent_size))

    def generate(z, seed):
        return np.stack(compiled.generate(params, cfg, z, jax.random.key(seed), 1.0))

    whole = generate(z, 7)
    np.testing.assert_array_equal(whole[:, :2], generate(z[:2], 7))
    assert not np.array_equal(whole, generate(z, 8))


@both
def test_scheduled_sampling_at_its_ends(cfg):
    """Probability 0 is teacher forcing; at 1 true values are read only where a bar begins."""
    params, streams = _params(cfg), _streams(cfg)
    z = jax.random.normal(jax.random.key(3), (2, cfg.latent_size))

    keys = jax.random.split(jax.random.key(0), 2)

    def decode(streams, p):
        return compiled.decode_logits(params, cfg, z, streams, sampling=(keys, p))

    forced = compiled.decode_logits(params, cfg, z, streams)
    for x, y in zip(decode(streams, 0.0), forced, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-6)
    inside = _changed(streams, 0)  # read inside the first bar only
    for x, y in zip(decode(streams, 1.0), decode(inside, 1.0), strict=True):
        np.testing.assert_array_equal(x, y)


def test_hiding_every_input_leaves_only_z():
    params, streams = _params(FLAT), _streams(FLAT)
    z = jax.random.normal(jax.random.key(3), (2, FLAT.latent_size))
    keys = jax.random.split(jax.random.key(0), 2)
    silent = tuple(jnp.zeros_like(x) for x in streams)
    decode = functools.partial(compiled.decode_logits, params, FLAT, z, dropout=(keys, 1.0))
    hidden = [decode(x) for x in (streams, silent)]
    for x, y in zip(*hidden, strict=True):
        np.testing.assert_array_equal(x, y)


def test_kl_is_zero_at_the_prior_and_grows_as_the_closed_form():
    q = vae.Posterior(jnp.array([[0.0, 1.0]]), jnp.array([[1.0, 0.5]]))
    np.testing.assert_allclose(
        vae.kl_divergence(q), [[0.0, 0.5 * (1 + 0.25 - 1) + np.log(2)]], atol=1e-6
    )


def test_a_hierarchical_encoder_reads_bars_on_their_own_and_then_their_sequence():
    cfg = dataclasses.replace(HIERARCHICAL, encoder_bars=4)
    params, streams = _params(cfg), _streams(cfg)
    one_bar = dataclasses.replace(FLAT, steps=cfg.steps)
    identity = {'kernel': jnp.eye(10), 'bias': jnp.zeros(10)}
    bar_encoder = {'layers': params['encoder']['layers'], 'mu': identity, 'sigma': identity}
    encode, summaries = jax.jit(encoder.encode, static_argnums=1), []
    for u in range(4):
        bar = [x[:, 3 * u : 3 * u + 3] for x in streams]
        summaries.append(encode(bar_encoder, one_bar, bar).mu)
    forward, backward = jnp.stack(summaries), jnp.stack(summaries)
    for layer, size in zip(params['encoder']['bar_layers'], cfg.encoder_sizes, strict=True):
        states = []
        for cell, sequence in ((layer['fw'], forward), (layer['bw'], backward[::-1])):
            state, hs = lstm.zero_state((size, 2)), []
            for x in sequence:
                input_kernel, recurrent_kernel = lstm.split_kernel(cell, 'float32')
                state = lstm.step((x @ input_kernel + cell['bias']).T, state, recurrent_kernel.T)
                hs.append(state.h.T)
            states.append(jnp.stack(hs))
        forward = backward = jnp.concatenate([states[0], states[1][::-1]], -1)
        last = jnp.concatenate([states[0][-1], states[1][-1]], -1)
    expected = last @ params['encoder']['mu']['kernel'] + params['encoder']['mu']['bias']
    mu = compiled.encode(params, cfg, streams).mu
    np.testing.assert_allclose(mu, expected, rtol=1e-4, atol=1e-5)


def test_bfloat16_stays_close_to_float32():
    params, streams = _params(HIERARCHICAL), _streams(HIERARCHICAL)
    low = dataclasses.replace(HIERARCHICAL, dtype='bfloat16')
    z = jax.random.normal(jax.random.key(3), (2, HIERARCHICAL.latent_size))
    full, half = (compiled.decode_logits(params, cfg, z, streams) for cfg in (HIERARCHICAL, low))
    for x, y in zip(full, half, strict=True):
        assert y.dtype == jnp.float32
        np.testing.assert_allclose(x, y, atol=0.15)


BY_BAR = dataclasses.replace(HIERARCHICAL, encoder_bars=4, latent_size=16, bar_codes=True)
Z = jax.random.normal(jax.random.key(3), (3, 16))  # of 4 bars, 2 streams, 2 numbers


def test_a_decoder_reads_the_codes_of_its_own_stream_behind_the_embeddings_of_bars():
    params = _params(BY_BAR)
    assert (BY_BAR.codes, BY_BAR.code_size, BY_BAR.embedding_size) == (8, 2, 4 + 2)
    c = conductor.embeddings(params['conductor'], BY_BAR, Z)
    for n, e in enumerate(vae._embeddings(params, BY_BAR, Z)):
        np.testing.assert_array_equal(e[..., :4], c)
        np.testing.assert_array_equal(e[..., 4:], Z.reshape(3, 4, 2, 2)[:, :, n])


def test_a_conductor_hears_the_code_of_a_bar_at_that_bar():
    """With an initial state that says nothing, the bars before it do not change."""
    params = _params(BY_BAR)['conductor']
    params['initial_state'] = jax.tree.map(jnp.zeros_like, params['initial_state'])
    before, after = (conductor.embeddings(params, BY_BAR, x) for x in (Z, Z.at[:, 9].add(1.0)))
    changed = np.abs(before - after).max((0, 2)) > 1e-6
    assert changed.tolist() == [False, False, True, True]


@pytest.mark.parametrize('n', [0, 1])
def test_an_encoder_writes_each_code_from_one_stream_of_one_bar(n):
    params, streams = _params(BY_BAR)['encoder'], _streams(BY_BAR)
    other = tuple(_changed(streams, 4)[k] if k == n else x for k, x in enumerate(streams))
    before, after = (
        jnp.stack(encoder.encode(params, BY_BAR, x)).reshape(2, -1, 4, 2, 2)
        for x in (streams, other)
    )
    changed = np.abs(before - after).max((0, 1, 4)) > 1e-6
    assert changed.tolist() == [[k == n and u == 1 for k in (0, 1)] for u in range(4)]


def test_bars_that_are_the_same_have_the_same_code():
    params, streams = _params(BY_BAR)['encoder'], _streams(BY_BAR)
    again = tuple(jnp.concatenate([x[:, :6], x[:, :6]], 1) for x in streams)
    for x in encoder.encode(params, BY_BAR, again):
        np.testing.assert_array_equal(x[:, :8], x[:, 8:])


def test_z_is_rounded_up_to_as_many_numbers_for_every_bar():
    c = tiny_config('melody', 12, 'hier')
    c.model.latent_size = 32
    assert [model_config(c, form_of(c)).latent_size for c.model.bar_codes in (False, True)] == [
        32,
        36,
    ]


@pytest.mark.parametrize('variant, codes', [('flat', 1), ('hierenc', 6), ('hier', 6)])
def test_a_flat_model_has_one_code_and_others_one_for_each_part_of_each_bar(variant, codes):
    c = tiny_config('trio', 2, variant)
    assert c.model.bar_codes
    cfg = model_config(c, form_of(c))
    assert (cfg.codes, cfg.codes * cfg.code_size or cfg.latent_size) == (codes, cfg.latent_size)


def test_a_flat_decoder_can_have_a_hierarchical_encoder():
    """hierenc reads as hier does, and decodes as flat does."""
    made = {}
    for variant in VARIANTS:
        c = tiny_config('melody', 16, variant)
        made[variant] = dataclasses.replace(model_config(c, form_of(c)), heads=(Categorical(5),))
    flat, hierenc, hier = (made[variant] for variant in ('flat', 'hierenc', 'hier'))
    params = compiled.init(jax.random.key(0), hierenc)
    values = jax.random.randint(jax.random.key(1), (2, 256, 1), 0, 5)
    q = compiled.encode(params, hierenc, (values,))
    np.testing.assert_array_equal(q.mu, compiled.encode(params, hier, (values,)).mu)
    np.testing.assert_array_equal(
        compiled.decode_logits(params, hierenc, q.mu, (values,))[0],
        compiled.decode_logits(params, flat, q.mu, (values,))[0],
    )
    # The same bars, in another order.
    swapped = values.reshape(2, 16, 16, 1)[:, ::-1].reshape(2, 256, 1)
    assert float(jnp.abs(compiled.encode(params, hierenc, (swapped,)).mu - q.mu).max()) > 1e-3


@pytest.mark.parametrize('bars, steps_per_quarter', [(1, 4), (3, 2), (8, 6)])
@pytest.mark.parametrize('variant', VARIANTS)
def test_any_length_and_grid_makes_a_model(variant, bars, steps_per_quarter):
    c = tiny_config('trio', bars, variant)
    c.music.steps_per_quarter = steps_per_quarter
    form = form_of(c)
    cfg = model_config(c, form)
    assert cfg.total_steps == form.steps == 4 * steps_per_quarter * bars

    def play(key):
        streams = tuple(jnp.zeros((2, form.steps, 1), jnp.int32) for _ in form.streams)
        params = vae.init(key, cfg)
        logits = vae.decode_logits(params, cfg, vae.encode(params, cfg, streams).mu, streams)
        return logits, vae.generate(params, cfg, jnp.zeros((2, cfg.latent_size)), key, 1.0)

    logits, drawn = jax.eval_shape(play, jax.random.key(0))  # traced: shapes are what counts
    assert [x.shape for x in drawn] == [(2, form.steps, 1)] * 3
    assert [x.shape for x in logits] == [(2, form.steps, size) for size in form.sizes]
