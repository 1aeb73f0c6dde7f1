"""The objective: reconstruction in nats plus beta times the KL above the free bits (paper section
2; magenta.md 2.12).
"""

import jax
import jax.numpy as jnp
import numpy as np

from mvae.config import ModelConfig
from mvae.model import streams, vae


def kl_cost(kl: jax.Array, free_bits: float) -> jax.Array:
    """max(KL - free_bits * ln 2, 0): total KL per example [B] in nats; the free bits are of the
    total, as in Magenta, not per dimension.
    """
    return jnp.maximum(kl - free_bits * np.log(2), 0)


def elbo(
    params: dict,
    cfg: ModelConfig,
    tokens: jax.Array,
    key: jax.Array,
    *,
    beta: jax.Array | float,
    free_bits: float,
    sampling_probability: jax.Array | float | None = None,
    token_dropout: float = 0.0,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Mean loss of a batch, and sums for metrics.

    tokens int [B, T, K]. sampling_probability None is teacher forcing. Returns the loss in nats per
    example, and sums over examples: 'loss', 'reconstruction' and 'kl' (nats), 'correct' (tokens,
    all streams), 'examples', and 'tokens' as their denominators.
    """
    z_key, sampling_key, dropout_key = jax.random.split(key, 3)
    q = vae.encode(params, cfg, tokens)
    z = vae.sample_posterior(z_key, q)
    sampling = None if sampling_probability is None else (sampling_key, sampling_probability)
    dropout = (dropout_key, token_dropout) if token_dropout else None
    logits = vae.decode_logits(params, cfg, z, tokens, sampling=sampling, dropout=dropout)
    reconstruction = sum(
        streams.cross_entropy(x, tokens[..., k]).sum(1) for k, x in enumerate(logits)
    )
    kl = vae.kl_divergence(q).sum(-1)
    loss = reconstruction + beta * kl_cost(kl, free_bits)
    correct = sum((x.argmax(-1) == tokens[..., k]).sum() for k, x in enumerate(logits))
    sums = {
        'loss': loss.sum(),
        'reconstruction': reconstruction.sum(),
        'kl': kl.sum(),
        'correct': correct.astype(jnp.float32),
        'examples': jnp.float32(tokens.shape[0]),
        'tokens': jnp.float32(tokens.size),
    }
    return loss.mean(), sums
