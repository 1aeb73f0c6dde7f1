"""What training minimises: reconstruction plus beta times the KL above the free bits.

Paper section 2; docs/magenta.md, Objective.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from mvae.batch import Batch
from mvae.model.config import ModelConfig
from mvae.model.dropout import InputDropout
from mvae.model.objective import kl_cost, objective
from mvae.model.types import Params

_INPUTS, _NOTES, _TOLD = 1000, 1001, 1002  # folded into keys of examples, split in three too


def keys_of(key: jax.Array, numbers: jax.Array) -> jax.Array:
    """A key for each example [B], so that its noise is the same on whichever device it is."""
    return jax.vmap(jax.random.fold_in, (None, 0))(key, numbers)


def normal(keys: jax.Array, size: int) -> jax.Array:
    """Standard normal noise of each example: float32 [B, size]."""
    return jax.vmap(lambda key: jax.random.normal(key, (size,)))(keys)


def _hide(told: tuple[jax.Array, ...], keys: jax.Array, rate: float) -> tuple[jax.Array, ...]:
    """Conditions int [B, T, C] with a share of the examples told nothing: zeros."""
    if not (told and rate):
        return told
    kept = jax.vmap(lambda key: jax.random.bernoulli(key, 1 - rate))(keys)
    return tuple(values * kept[:, None, None] for values in told)


def negative_elbo(
    params: Params,
    cfg: ModelConfig,
    batch: Batch,
    keys: jax.Array,
    *,
    beta: jax.Array | float,
    free_bits: float,
    sampling_probability: jax.Array | float | None = None,
    token_dropout: float = 0.0,
    told_dropout: float = 0.0,
    input_dropout: float = 0.0,
    note_dropout: float = 0.0,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Mean loss of a batch without padding, and sums for metrics.

    keys: [B], of each example's noise. sampling_probability: None is teacher forcing. The dropouts:
    see `training` in mvae.config. Returns the loss in nats per example, and sums over examples:
    'loss', 'reconstruction' and 'kl' in nats, 'correct' in steps of all streams, and their
    denominators 'examples' and 'tokens'.
    """
    z_keys, sampling_keys, dropout_keys = jax.vmap(lambda key: jax.random.split(key, 3))(keys).T
    noise = normal(z_keys, cfg.latent_size)
    sampling = None if sampling_probability is None else (sampling_keys, sampling_probability)
    dropout = (dropout_keys, token_dropout) if token_dropout else None
    inputs = InputDropout(_folded(keys, _INPUTS), input_dropout) if input_dropout else None
    told = _hide(batch.conditions, _folded(keys, _TOLD), told_dropout)
    heard = _thinned(cfg, batch.streams, _folded(keys, _NOTES), note_dropout)
    found = objective(
        params,
        cfg,
        batch.streams,
        noise,
        told,
        source=(heard, told),
        sampling=sampling,
        dropout=dropout,
        input_dropout=inputs,
    )
    loss = found.reconstruction + beta * kl_cost(found.kl, free_bits)
    sums = {
        'loss': loss.sum(),
        'reconstruction': found.reconstruction.sum(),
        'kl': found.kl.sum(),
        'correct': found.right.sum().astype(jnp.float32),
        'examples': jnp.float32(len(loss)),
        'tokens': found.counted.sum().astype(jnp.float32),
    }
    return loss.mean(), sums


def _folded(keys: jax.Array, number: int) -> jax.Array:
    return jax.vmap(jax.random.fold_in, (0, None))(keys, number)


def _thinned(
    cfg: ModelConfig, streams: Sequence[jax.Array], keys: jax.Array, most: float
) -> Sequence[jax.Array]:
    """Streams int [B, T, C] as an encoder may hear them in training; see `Head.thin`."""
    if not most:
        return streams
    pairs = enumerate(zip(cfg.heads, streams, strict=True))
    return [
        jax.vmap(head.thin, (0, 0, None))(_folded(keys, n), values, most)
        for n, (head, values) in pairs
    ]
