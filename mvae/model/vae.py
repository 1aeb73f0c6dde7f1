"""MusicVAE whole, flat or hierarchical by `ModelConfig`: `encode`, `decode_logits`, `generate`.

Streams are tuples of arrays int [B, T, C], one for each head of the model. Told is the same of each
condition (`ModelConfig.told`), such as the chord of every step.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import lax

from mvae.model import conductor, decoder, encoder, heads
from mvae.model.config import ModelConfig
from mvae.model.decoder import Streams
from mvae.model.dropout import InputDropout
from mvae.model.encoder import Posterior
from mvae.model.types import Params

__all__ = [
    'Posterior',
    'decode_logits',
    'encode',
    'generate',
    'generate_prepared',
    'heads_of',
    'init',
    'kl_divergence',
    'prepare',
    'sample_posterior',
]


def init(key: jax.Array, cfg: ModelConfig) -> Params:
    """float32 parameters: 'encoder', 'conductor' (hierarchical) and 'decoders' (one, or one each).

    Without encoder_sizes the model is a decoder alone.
    """
    encoder_key, conductor_key, decoder_key = jax.random.split(key, 3)
    params: Params = {}
    if cfg.encoder_sizes:
        params['encoder'] = encoder.init(encoder_key, cfg)
    if cfg.hierarchical:
        params['conductor'] = conductor.init(conductor_key, cfg)
    params['decoders'] = [
        decoder.init(jax.random.fold_in(decoder_key, n), cfg, own)
        for n, own in enumerate(cfg.decoder_heads)
    ]
    return params


def heads_of(params: Params, cfg: ModelConfig) -> tuple[heads.Head, ...]:
    """The head of each stream with its weights, which scores what `decode_logits` gives."""
    pairs = zip(cfg.decoder_heads, params['decoders'], strict=True)
    return tuple(head for own, params_n in pairs for head in heads.with_weights(own, params_n))


def encode(
    params: Params,
    cfg: ModelConfig,
    streams: Sequence[jax.Array],
    told: Sequence[jax.Array] = (),
    input_dropout: InputDropout | None = None,
) -> Posterior:
    """The posterior q(z | x) of windows: mu and sigma float32 [B, Z].

    input_dropout: of the inputs of layers, in training.
    """
    own = input_dropout and input_dropout.part(0)
    return encoder.encode(params['encoder'], cfg, streams, told, own)


def sample_posterior(noise: jax.Array, q: Posterior) -> jax.Array:
    """z = mu + sigma * noise, float32 [B, Z]; noise: standard normal, of that shape."""
    return q.mu + q.sigma * noise


def kl_divergence(q: Posterior) -> jax.Array:
    """KL(q(z | x) || N(0, I)) in nats by dimension, [B, Z]: (mu^2 + sigma^2 - 1) / 2 - ln sigma."""
    return 0.5 * (q.mu**2 + q.sigma**2 - 1) - jnp.log(q.sigma)


def _embeddings(params: Params, cfg: ModelConfig, z: jax.Array) -> list[jax.Array]:
    """What each decoder unfolds, [B, U, E]: z itself for the flat decoder (U = 1).

    Those of a hierarchical model have the embeddings of bars in common. With bar_codes the code of
    the decoder's own stream stands behind them.
    """
    if not cfg.hierarchical:
        return [z[:, None]]
    c = conductor.embeddings(params['conductor'], cfg, z)
    if not cfg.bar_codes:
        return [c] * len(cfg.heads)
    codes = z.reshape(z.shape[0], cfg.bars, len(cfg.heads), -1)
    return [jnp.concatenate([c, codes[:, :, n]], -1) for n in range(len(cfg.heads))]


def previous(values: jax.Array) -> jax.Array:
    """[B, T, C] shifted right by one step, NOTHING first.

    A bar's first input is the last value of the bar before.
    """
    return jnp.pad(values[:, :-1], ((0, 0), (1, 0), (0, 0)), constant_values=heads.NOTHING)


def _of_decoder(cfg: ModelConfig, n: int, streams: Sequence[jax.Array]) -> Streams:
    return (streams[n],) if cfg.hierarchical else tuple(streams)


def _hide(dropout: tuple[jax.Array, float], inputs: Streams) -> Streams:
    """Each step of each stream [B * U, S, C] hidden with a rate, independently; keys: [B]."""
    keys, rate = dropout
    count, steps = len(keys), inputs[0].shape[1]
    shape = len(inputs[0]) // count, steps, len(inputs)
    hidden = jax.vmap(lambda key: jax.random.bernoulli(key, rate, shape))(keys)
    hidden = hidden.reshape(-1, steps, len(inputs))
    return tuple(
        jnp.where(hidden[..., k, None], heads.NOTHING, values) for k, values in enumerate(inputs)
    )


def _keys_of_bars(keys: jax.Array, n: int, bars: int) -> jax.Array:
    """Of examples' keys [B] those of decoder n in each of their bars, [B * U]."""
    fold = jax.vmap(jax.random.fold_in, (None, 0))
    return jax.vmap(lambda key: fold(jax.random.fold_in(key, n), jnp.arange(bars)))(keys).reshape(
        -1
    )


def decode_logits(
    params: Params,
    cfg: ModelConfig,
    z: jax.Array,
    streams: Sequence[jax.Array],
    told: Sequence[jax.Array] = (),
    *,
    sampling: tuple[jax.Array, jax.Array | float] | None = None,
    dropout: tuple[jax.Array, float] | None = None,
    input_dropout: InputDropout | None = None,
) -> tuple[jax.Array, ...]:
    """Logits of every step given z [B, Z] and the steps before it (teacher forcing).

    Bars are independent given the conductor's embeddings and the true values. So they run side by
    side, folded into the batch, in S sequential steps.

    sampling: (keys, probability) of scheduled sampling. dropout: (keys, rate) at which each step of
    each stream is hidden from the decoder. input_dropout: of what its layers read, though not where
    they draw for scheduled sampling. Keys are [B], one for each example. Returns float32
    [B, T, out_width] per stream.
    """
    batch, total = streams[0].shape[:2]
    fold = (batch * cfg.bars, cfg.steps, -1)
    inputs = tuple(previous(values).reshape(fold) for values in streams)
    told = tuple(values.reshape(fold) for values in told)
    if dropout is not None:
        inputs = _hide(dropout, inputs)
    result: list[jax.Array] = []
    embeddings = _embeddings(params, cfg, z)
    decoders = zip(params['decoders'], cfg.decoder_heads, embeddings, strict=True)
    for n, (params_n, own, e) in enumerate(decoders):
        e = e.reshape(batch * cfg.bars, -1)
        inputs_n = _of_decoder(cfg, n, inputs)
        if sampling is not None:
            keys, probability = sampling
            keys = _keys_of_bars(keys, n, cfg.bars)
            inputs_n = decoder.scheduled_inputs(
                params_n, cfg, own, e, inputs_n, keys, probability, told
            )
        drops = input_dropout and input_dropout.part(1 + n, cfg.bars)
        logits = decoder.logits(params_n, cfg, own, e, inputs_n, told, drops)
        result += heads.split_logits(own, logits.reshape(batch, total, -1))
    return tuple(result)


def prepare(params: Params, cfg: ModelConfig) -> Params:
    """What `generate_prepared` reads, made once for many calls.

    The conductor as it is, and each decoder's weights as its steps read them.
    """
    pairs = zip(params['decoders'], cfg.decoder_heads, strict=True)
    decoders = [decoder.prepare(params_n, cfg, own) for params_n, own in pairs]
    return {'decoders': decoders} | ({'conductor': params['conductor']} if cfg.hierarchical else {})


def generate(
    params: Params,
    cfg: ModelConfig,
    z: jax.Array,
    key: jax.Array,
    temperature: jax.Array | float = 1.0,
    told: Sequence[jax.Array] = (),
) -> Streams:
    """Free-running decoding of z [B, Z] -> int32 [B, T, C] per stream; temperature 0 is greedy.

    Each bar starts from the last step of the bar before. Row b depends on (z[b], key, b) alone, not
    on the size of the batch.
    """
    return generate_prepared(prepare(params, cfg), cfg, z, key, temperature, told)


def generate_prepared(
    weights: Params,
    cfg: ModelConfig,
    z: jax.Array,
    key: jax.Array,
    temperature: jax.Array | float = 1.0,
    told: Sequence[jax.Array] = (),
) -> Streams:
    """`generate` from the weights of `prepare`."""

    def start(weights_n, e):
        e = jnp.swapaxes(e, 0, 1).reshape(-1, e.shape[-1])  # [U * B, E]
        return jax.tree.map(by_bar, decoder.start(weights_n, cfg, e))

    def by_bar(x):  # [F, U * B] -> [U, F, B]
        return x.reshape(x.shape[0], cfg.bars, -1).swapaxes(0, 1)

    pairs = zip(weights['decoders'], _embeddings(weights, cfg, z), strict=True)
    starts = [start(weights_n, e) for weights_n, e in pairs]
    fold = z.shape[0], cfg.bars, cfg.steps, -1
    told = tuple(values.reshape(fold).transpose(1, 2, 0, 3) for values in told)  # [U, S, B, C]
    nothing = tuple(jnp.full((z.shape[0], h.columns), heads.NOTHING, jnp.int32) for h in cfg.heads)

    def bar(last, xs):
        u, starts_u, told_u = xs
        streams: Streams = ()
        decoders = zip(weights['decoders'], cfg.decoder_heads, starts_u, strict=True)
        for n, (weights_n, own, (constant, states)) in enumerate(decoders):
            key_n = jax.random.fold_in(jax.random.fold_in(key, u), n)
            inputs = _of_decoder(cfg, n, last)
            streams += decoder.generate(
                weights_n, cfg, own, constant, states, inputs, key_n, temperature, told_u
            )
        return tuple(values[:, -1] for values in streams), streams

    bars = jnp.arange(cfg.bars), starts, told
    _, streams = lax.scan(bar, nothing, bars)  # [U, B, S, C] each
    shape = (z.shape[0], cfg.total_steps, -1)
    return tuple(jnp.swapaxes(values, 0, 1).reshape(shape) for values in streams)
