"""The whole model: folded bars equal nested bars, causality, greedy generation, scheduled sampling,
closed-form KL, every config.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvae.config import VARIANTS, ModelConfig, apply_scale, experiment_config, model_config
from mvae.model import conductor, encoder, lstm, streams, vae

HIERARCHICAL = ModelConfig((7, 5), 4, 3, (6, 5), 4, (5, 4), (6, 4), bottleneck_stddev=0.0)
FLAT = ModelConfig((7, 5), 1, 12, (6, 5), 4, (5, 4), bottleneck_stddev=0.0)
both = pytest.mark.parametrize('cfg', [HIERARCHICAL, FLAT], ids=['hierdec', 'flat'])


def _params(cfg):
    """Weights large enough that every part matters."""
    params = vae.init(jax.random.key(0), cfg)
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(jax.random.key(1), len(leaves))
    return jax.tree.unflatten(
        tree, [x + 0.4 * jax.random.normal(k, x.shape) for x, k in zip(leaves, keys, strict=True)]
    )


def _tokens(cfg, batch=2):
    keys = jax.random.split(jax.random.key(2), len(cfg.vocab_sizes))
    return jnp.stack(
        [
            jax.random.randint(k, (batch, cfg.total_steps), 0, v)
            for k, v in zip(keys, cfg.vocab_sizes, strict=True)
        ],
        -1,
    )


@both
def test_folded_bars_equal_nested_bars_in_value_and_gradient(cfg):
    params, tokens = _params(cfg), _tokens(cfg)
    z = jax.random.normal(jax.random.key(3), (2, cfg.latent_size))
    for x, y in zip(
        vae.decode_logits(params, cfg, z, tokens),
        vae.decode_logits_nested(params, cfg, z, tokens),
        strict=True,
    ):
        np.testing.assert_allclose(x, y, atol=1e-5)

    def loss(decode, params):
        return sum(
            jnp.sum(jnp.sin(x))
            for x in decode(params, cfg, vae.encode(params, cfg, tokens).mu, tokens)
        )

    ours, reference = (
        jax.grad(lambda p, f=f: loss(f, p))(params)
        for f in (vae.decode_logits, vae.decode_logits_nested)
    )
    jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-4), ours, reference
    )


@both
def test_a_token_changes_no_logits_up_to_itself(cfg):
    params, tokens = _params(cfg), _tokens(cfg)
    z = jax.random.normal(jax.random.key(3), (2, cfg.latent_size))
    base = vae.decode_logits(params, cfg, z, tokens)
    for t in (0, 3, 8):
        changed = vae.decode_logits(
            params, cfg, z, tokens.at[:, t].set((tokens[:, t] + 1) % jnp.array(cfg.vocab_sizes))
        )
        for x, y in zip(base, changed, strict=True):
            np.testing.assert_array_equal(x[:, : t + 1], y[:, : t + 1])
            assert not np.allclose(x[:, t + 1], y[:, t + 1])


@both
def test_greedy_generation_is_the_argmax_under_teacher_forcing_on_itself(cfg):
    params = _params(cfg)
    z = 3 * jax.random.normal(jax.random.key(4), (6, cfg.latent_size))
    tokens = vae.generate(params, cfg, z, jax.random.key(0), 0.0)
    assert tokens.shape == (6, cfg.total_steps, 2)
    for k, logits in enumerate(vae.decode_logits(params, cfg, z, tokens)):
        np.testing.assert_array_equal(logits.argmax(-1), tokens[..., k])


@both
def test_a_generated_row_does_not_depend_on_the_batch(cfg):
    params, z = _params(cfg), jax.random.normal(jax.random.key(4), (5, cfg.latent_size))
    whole = vae.generate(params, cfg, z, jax.random.key(7), 1.0)
    np.testing.assert_array_equal(
        whole[:2], vae.generate(params, cfg, z[:2], jax.random.key(7), 1.0)
    )
    assert not np.array_equal(whole, vae.generate(params, cfg, z, jax.random.key(8), 1.0))


@both
def test_scheduled_sampling_at_its_ends(cfg):
    """Probability 0 is teacher forcing; at 1 the true tokens are read only where a bar begins."""
    params, tokens = _params(cfg), _tokens(cfg)
    z = jax.random.normal(jax.random.key(3), (2, cfg.latent_size))
    decode = lambda tokens, p: vae.decode_logits(
        params, cfg, z, tokens, sampling=(jax.random.key(0), p)
    )  # noqa: E731
    for x, y in zip(decode(tokens, 0.0), vae.decode_logits(params, cfg, z, tokens), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-6)
    inside = tokens.at[:, 0].set(
        (tokens[:, 0] + 1) % jnp.array(cfg.vocab_sizes)
    )  # read inside the first bar only
    for x, y in zip(decode(tokens, 1.0), decode(inside, 1.0), strict=True):
        np.testing.assert_array_equal(x, y)


def test_hiding_every_input_token_leaves_only_z():
    params, tokens = _params(FLAT), _tokens(FLAT)
    z = jax.random.normal(jax.random.key(3), (2, FLAT.latent_size))
    hidden = [
        vae.decode_logits(params, FLAT, z, t, dropout=(jax.random.key(0), 1.0))
        for t in (tokens, jnp.zeros_like(tokens))
    ]
    for x, y in zip(*hidden, strict=True):
        np.testing.assert_array_equal(x, y)


def test_kl_is_zero_at_the_prior_and_grows_as_the_closed_form():
    q = vae.Posterior(jnp.array([[0.0, 1.0]]), jnp.array([[1.0, 0.5]]))
    np.testing.assert_allclose(
        vae.kl_divergence(q), [[0.0, 0.5 * (1 + 0.25 - 1) + np.log(2)]], atol=1e-6
    )


def test_drum_roll_input_is_the_product_with_the_roll_of_the_bits():
    kernel = jax.random.normal(jax.random.key(0), (10, 6))
    tokens = jnp.array([[[0], [1], [160], [511], [streams.NO_TOKEN]]])
    roll = np.zeros((5, 10), np.float32)
    roll[0, 9] = roll[1, 0] = roll[2, 5] = roll[2, 7] = 1
    roll[3, :9] = 1
    np.testing.assert_allclose(
        streams.project_tokens(kernel, tokens, (512,), (True,))[0],
        roll @ kernel,
        rtol=1e-5,
        atol=1e-5,
    )


def test_case_10_of_magentas_drum_rolls():
    roll = streams.drum_roll_features(512)[[0, 2, 0, 0, 160, 0, 0, 256]]
    assert [np.flatnonzero(row).tolist() for row in roll] == [
        [9],
        [1],
        [9],
        [9],
        [5, 7],
        [9],
        [9],
        [8],
    ]


def test_token_gradient_is_the_scatter_of_rows():
    kernel, tokens = jax.random.normal(jax.random.key(0), (5, 3)), jnp.array([[0], [4], [4], [-1]])
    weights = jnp.arange(12.0).reshape(4, 3)
    gradient = jax.grad(lambda k: jnp.sum(weights * streams.project_tokens(k, tokens, (5,))))(
        kernel
    )
    expected = np.zeros((5, 3))
    expected[0], expected[4] = weights[0], weights[1] + weights[2]
    np.testing.assert_allclose(gradient, expected, atol=1e-6)


def test_a_hierarchical_encoder_reads_bars_on_their_own_and_then_their_sequence():
    cfg = dataclasses.replace(HIERARCHICAL, encoder_bars=4)
    params, tokens = _params(cfg), _tokens(cfg)
    one_bar = dataclasses.replace(FLAT, steps=cfg.steps)
    identity = {'kernel': jnp.eye(10), 'bias': jnp.zeros(10)}
    bar_encoder = {'layers': params['encoder']['layers'], 'mu': identity, 'sigma': identity}
    summaries = [
        encoder.encode(bar_encoder, one_bar, tokens[:, 3 * u : 3 * u + 3]).mu for u in range(4)
    ]
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
    np.testing.assert_allclose(vae.encode(params, cfg, tokens).mu, expected, rtol=1e-4, atol=1e-5)


def test_bfloat16_stays_close_to_float32():
    params, tokens = _params(HIERARCHICAL), _tokens(HIERARCHICAL)
    low = dataclasses.replace(HIERARCHICAL, dtype='bfloat16')
    z = jax.random.normal(jax.random.key(3), (2, HIERARCHICAL.latent_size))
    for x, y in zip(
        vae.decode_logits(params, HIERARCHICAL, z, tokens),
        vae.decode_logits(params, low, z, tokens),
        strict=True,
    ):
        assert y.dtype == jnp.float32
        np.testing.assert_allclose(x, y, atol=0.15)


def _read_at_the_start(delay_lines):
    """What the first decoder's initial state gets of each bar of a new model, less what is the same
    for all z: [B, U, N].
    """
    cfg = ModelConfig(
        (130,), 16, 16, (8,), 64, (8,), (128,), bottleneck_stddev=0.0, delay_lines=delay_lines
    )
    params, z = (
        vae.init(jax.random.key(0), cfg),
        0.2 * jax.random.normal(jax.random.key(1), (64, 64)),
    )
    read = np.asarray(
        conductor.embeddings(params['conductor'], cfg, z)
        @ params['decoders'][0]['initial_state']['kernel']
    )
    return read - read.mean(0)


def test_delay_lines_tell_bars_apart_and_forget_none():
    """At the start: how much what is read differs between pieces, first and last bar, and how alike
    these differences are in neighbouring bars.
    """
    alike = lambda read: [
        np.corrcoef(read[:, u].ravel(), read[:, u + 1].ravel())[0, 1] for u in range(15)
    ]  # noqa: E731
    plain, delayed = _read_at_the_start(False), _read_at_the_start(True)
    assert plain[:, -1].std() < 0.1 * plain[:, 0].std() and min(alike(plain)) > 0.9
    assert (
        0.8 < delayed[:, -1].std() / delayed[:, 0].std() < 1.25
        and np.abs(alike(delayed)).max() < 0.4
    )
    assert delayed.std() > 10 * plain.std()


def test_an_encoder_with_delay_lines_hears_every_bar():
    """At the start: how far mu moves when one bar is another, by bar."""
    cfg = ModelConfig(
        (130,), 1, 256, (32,), 64, (8,), bottleneck_stddev=0.0, encoder_bars=16, delay_lines=True
    )
    params, tokens = (
        encoder.init(jax.random.key(0), cfg),
        jax.random.randint(jax.random.key(1), (32, 16, 16, 1), 0, 130),
    )
    mu = encoder.encode(params, cfg, tokens.reshape(32, 256, 1)).mu
    moved = [
        jnp.abs(
            encoder.encode(params, cfg, tokens.at[:, u].set(tokens[::-1, u]).reshape(32, 256, 1)).mu
            - mu
        ).mean()
        for u in range(16)
    ]
    assert max(moved) < 2 * min(moved) and min(moved) > 1e-3


def test_a_flat_decoder_can_have_a_hierarchical_encoder():
    """hierenc reads as hier does, and decodes as flat does."""
    configs = {
        v: apply_scale(experiment_config('mel16', 'melody', 16, v), 'tiny') for v in VARIANTS
    }
    flat, _, hierenc, hier = (model_config(configs[v], (5,)) for v in VARIANTS)
    params, tokens = (
        vae.init(jax.random.key(0), hierenc),
        jax.random.randint(jax.random.key(1), (2, 256, 1), 0, 5),
    )
    q = vae.encode(params, hierenc, tokens)
    np.testing.assert_array_equal(q.mu, vae.encode(params, hier, tokens).mu)
    np.testing.assert_array_equal(
        vae.decode_logits(params, hierenc, q.mu, tokens)[0],
        vae.decode_logits(params, flat, q.mu, tokens)[0],
    )
    swapped = tokens.reshape(2, 16, 16, 1)[:, ::-1].reshape(
        2, 256, 1
    )  # the same bars, in another order
    assert float(jnp.abs(vae.encode(params, hierenc, swapped).mu - q.mu).max()) > 1e-3
