"""What training minimises: reconstruction plus beta times the KL above the free bits.

Paper section 2; docs/magenta.md, Objective.
"""

import jax
import jax.numpy as jnp

from mvae.batch import Batch
from mvae.model.config import ModelConfig
from mvae.model.objective import kl_cost, objective
from mvae.model.types import Params


def negative_elbo(
    params: Params,
    cfg: ModelConfig,
    batch: Batch,
    key: jax.Array,
    *,
    beta: jax.Array | float,
    free_bits: float,
    sampling_probability: jax.Array | float | None = None,
    token_dropout: float = 0.0,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Mean loss of a batch without padding, and sums for metrics.

    sampling_probability: None is teacher forcing. Returns the loss in nats per example, and sums
    over examples: 'loss', 'reconstruction' and 'kl' in nats, 'correct' in steps of all streams, and
    their denominators 'examples' and 'tokens'.
    """
    z_key, sampling_key, dropout_key = jax.random.split(key, 3)
    sampling = None if sampling_probability is None else (sampling_key, sampling_probability)
    dropout = (dropout_key, token_dropout) if token_dropout else None
    found = objective(params, cfg, batch.streams, z_key, sampling=sampling, dropout=dropout)
    loss = found.reconstruction + beta * kl_cost(found.kl, free_bits)
    sums = {
        'loss': loss.sum(),
        'reconstruction': found.reconstruction.sum(),
        'kl': found.kl.sum(),
        'correct': found.right.sum().astype(jnp.float32),
        'examples': jnp.float32(len(loss)),
        'tokens': jnp.float32(found.right.size),
    }
    return loss.mean(), sums
