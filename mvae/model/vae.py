"""MusicVAE whole: `init`, `encode`, `decode_logits` (training) and `generate` (play), flat or
hierarchical by `ModelConfig`.
"""

import functools

import jax
import jax.numpy as jnp
from jax import lax

from mvae.config import ModelConfig
from mvae.model import conductor, decoder, encoder, streams
from mvae.model.encoder import Posterior

__all__ = [
    'Posterior',
    'decode_logits',
    'decode_logits_nested',
    'encode',
    'generate',
    'generate_prepared',
    'init',
    'kl_divergence',
    'prepare',
    'sample_posterior',
]


def init(key: jax.Array, cfg: ModelConfig) -> dict:
    """float32 parameters: {'encoder': ..., 'conductor': ...

    (hierarchical), 'decoders': [one, or one per stream]}.

    Without encoder_sizes the model is a decoder alone.
    """
    encoder_key, conductor_key, decoder_key = jax.random.split(key, 3)
    params = {'encoder': encoder.init(encoder_key, cfg)} if cfg.encoder_sizes else {}
    if cfg.hierarchical:
        params['conductor'] = conductor.init(conductor_key, cfg)
    width = cfg.conductor_sizes[-1] if cfg.hierarchical else cfg.latent_size
    params['decoders'] = [
        decoder.init(jax.random.fold_in(decoder_key, n), cfg, vocab, width)
        for n, vocab in enumerate(cfg.decoder_vocab_sizes)
    ]
    return params


def encode(params: dict, cfg: ModelConfig, tokens: jax.Array) -> Posterior:
    """The posterior q(z | x) of windows: tokens int [B, T, K] -> mu, sigma float32 [B, Z]."""
    return encoder.encode(params['encoder'], cfg, tokens)


def sample_posterior(key: jax.Array, q: Posterior) -> jax.Array:
    """z = mu + sigma * eps, float32 [B, Z]."""
    return q.mu + q.sigma * jax.random.normal(key, q.mu.shape)


def kl_divergence(q: Posterior) -> jax.Array:
    """KL(q(z | x) || N(0, I)) by dimension, in nats: sum of (mu^2 + sigma^2 - 1) / 2 - ln sigma
    over the last axis gives the total. [B, Z].
    """
    return 0.5 * (q.mu**2 + q.sigma**2 - 1) - jnp.log(q.sigma)


def _embeddings(params: dict, cfg: ModelConfig, z: jax.Array) -> jax.Array:
    """What the decoders unfold: [B, U, E]; z itself for the flat decoder (U = 1)."""
    return conductor.embeddings(params['conductor'], cfg, z) if cfg.hierarchical else z[:, None]


def previous_tokens(tokens: jax.Array) -> jax.Array:
    """[B, T, K] shifted right by one step, NO_TOKEN first: a bar's first input is the last token of
    the bar before.
    """
    return jnp.pad(tokens[:, :-1], ((0, 0), (1, 0), (0, 0)), constant_values=streams.NO_TOKEN)


def _streams_of(cfg: ModelConfig, n: int) -> slice:
    return slice(n, n + 1) if cfg.hierarchical else slice(None)


def decode_logits(
    params: dict,
    cfg: ModelConfig,
    z: jax.Array,
    tokens: jax.Array,
    *,
    sampling: tuple[jax.Array, jax.Array] | None = None,
    dropout: tuple[jax.Array, float] | None = None,
) -> tuple[jax.Array, ...]:
    """Logits of every token given z and the tokens before it (teacher forcing).

    Bars are independent given the conductor's embeddings and the true tokens, so they run side by
    side, folded into the batch: S sequential steps. z [B, Z], tokens int [B, T, K]. sampling (key,
    probability): scheduled sampling. dropout (key, rate): each input token is hidden (NO_TOKEN)
    with that rate. Returns K arrays float32 [B, T, V_k].
    """
    batch, total, _ = tokens.shape
    inputs = previous_tokens(tokens).reshape(batch * cfg.bars, cfg.steps, -1)
    e = _embeddings(params, cfg, z).reshape(batch * cfg.bars, -1)
    if dropout is not None:
        key, rate = dropout
        inputs = jnp.where(jax.random.bernoulli(key, rate, inputs.shape), streams.NO_TOKEN, inputs)
    result = []
    for n, (params_n, vocab) in enumerate(
        zip(params['decoders'], cfg.decoder_vocab_sizes, strict=True)
    ):
        inputs_n = inputs[..., _streams_of(cfg, n)]
        if sampling is not None:
            key, probability = sampling
            inputs_n = decoder.scheduled_inputs(
                params_n, cfg, vocab, e, inputs_n, jax.random.fold_in(key, n), probability
            )
        logits = decoder.logits(params_n, cfg, vocab, e, inputs_n)
        result += streams.split_logits(logits.reshape(batch, total, -1), vocab)
    return tuple(result)


def decode_logits_nested(
    params: dict, cfg: ModelConfig, z: jax.Array, tokens: jax.Array
) -> tuple[jax.Array, ...]:
    """The reference of `decode_logits`: one scan over bars, inside it one over steps, as the paper
    draws the model.
    """
    batch, total, _ = tokens.shape
    bars = (
        previous_tokens(tokens).reshape(batch, cfg.bars, cfg.steps, -1).transpose(1, 2, 0, 3)
    )  # [U, S, B, K]
    e = jnp.swapaxes(_embeddings(params, cfg, z), 0, 1)
    weights, result = prepare(params, cfg), []
    for n, (weights_n, vocab) in enumerate(
        zip(weights['decoders'], cfg.decoder_vocab_sizes, strict=True)
    ):

        def bar(_, xs, weights_n=weights_n, vocab=vocab):
            e_u, inputs_u = xs
            constant, states = decoder.start(weights_n, cfg, e_u)
            return None, lax.scan(
                functools.partial(decoder.step, weights_n, cfg, vocab, constant), states, inputs_u
            )[1]

        _, logits = lax.scan(bar, None, (e, bars[..., _streams_of(cfg, n)]))  # [U, S, B, V]
        result += streams.split_logits(
            logits.transpose(2, 0, 1, 3).reshape(batch, total, -1), vocab
        )
    return tuple(result)


def prepare(params: dict, cfg: ModelConfig) -> dict:
    """What `generate_prepared` reads, made once for many calls: the conductor, and each decoder's
    weights as its steps read them.
    """
    decoders = [
        decoder.prepare(params_n, cfg, vocab)
        for params_n, vocab in zip(params['decoders'], cfg.decoder_vocab_sizes, strict=True)
    ]
    return {'decoders': decoders} | ({'conductor': params['conductor']} if cfg.hierarchical else {})


def generate(
    params: dict,
    cfg: ModelConfig,
    z: jax.Array,
    key: jax.Array,
    temperature: jax.Array | float = 1.0,
) -> jax.Array:
    """Free-running decoding of z [B, Z] -> int32 [B, T, K].

    temperature 0 is greedy; each bar starts from the last token of the bar before.

    Row b depends on (z[b], key, b) alone, not on the size of the batch.
    """
    return generate_prepared(prepare(params, cfg), cfg, z, key, temperature)


def generate_prepared(
    weights: dict,
    cfg: ModelConfig,
    z: jax.Array,
    key: jax.Array,
    temperature: jax.Array | float = 1.0,
) -> jax.Array:
    """`generate` from the weights of `prepare`."""
    e = jnp.swapaxes(_embeddings(weights, cfg, z), 0, 1)  # [U, B, E]
    e = e.reshape(-1, e.shape[-1])
    by_bar = lambda x: x.reshape(x.shape[0], cfg.bars, -1).swapaxes(0, 1)  # noqa: E731  [F, U * B] -> [U, F, B]
    starts = [
        jax.tree.map(by_bar, decoder.start(weights_n, cfg, e)) for weights_n in weights['decoders']
    ]
    first = jnp.full((z.shape[0], len(cfg.vocab_sizes)), streams.NO_TOKEN, jnp.int32)

    def bar(last, xs):
        u, starts_u = xs
        parts = []
        for n, (weights_n, vocab, start) in enumerate(
            zip(weights['decoders'], cfg.decoder_vocab_sizes, starts_u, strict=True)
        ):
            key_n = jax.random.fold_in(jax.random.fold_in(key, u), n)
            parts.append(
                decoder.generate(
                    weights_n, cfg, vocab, *start, last[:, _streams_of(cfg, n)], key_n, temperature
                )
            )
        tokens = jnp.concatenate(parts, axis=-1)  # [B, S, K]
        return tokens[:, -1], tokens

    _, tokens = lax.scan(bar, first, (jnp.arange(cfg.bars), starts))  # [U, B, S, K]
    return jnp.swapaxes(tokens, 0, 1).reshape(z.shape[0], cfg.total_steps, -1)
