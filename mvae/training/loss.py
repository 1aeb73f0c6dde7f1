"""What training minimises: reconstruction plus beta times the KL above the free bits.

Paper section 2; docs/magenta.md, Objective.
"""

import jax
import jax.numpy as jnp

from mvae.batch import Batch
from mvae.model.config import ModelConfig
from mvae.model.objective import kl_cost, objective
from mvae.model.types import Params

_TOLD = 2**16  # folded into an example's key, which is split for all else


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
    fold = jax.vmap(lambda key: jax.random.bernoulli(jax.random.fold_in(key, _TOLD), 1 - rate))
    return tuple(values * fold(keys)[:, None, None] for values in told)


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
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Mean loss of a batch without padding, and sums for metrics.

    keys: [B], of each example's noise. sampling_probability: None is teacher forcing. Returns the
    loss in nats per example, and sums over examples: 'loss', 'reconstruction' and 'kl' in nats,
    'correct' in steps of all streams, and their denominators 'examples' and 'tokens'.
    """
    z_keys, sampling_keys, dropout_keys = jax.vmap(lambda key: jax.random.split(key, 3))(keys).T
    noise = normal(z_keys, cfg.latent_size)
    sampling = None if sampling_probability is None else (sampling_keys, sampling_probability)
    dropout = (dropout_keys, token_dropout) if token_dropout else None
    told = _hide(batch.conditions, keys, told_dropout)
    found = objective(params, cfg, batch.streams, noise, told, sampling=sampling, dropout=dropout)
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
