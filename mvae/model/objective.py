"""What training and every evaluation measure of examples, by one expression (paper section 2)."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np

from mvae.model import vae
from mvae.model.config import ModelConfig
from mvae.model.dropout import InputDropout
from mvae.model.types import Params


class Objective(NamedTuple):
    """Of B examples: reconstruction and KL in nats [B], and what they came from.

    right: where the likeliest value of a step is right, bool [B, T, K]. q: the posterior. z: a draw
    from it, float32 [B, Z].
    """

    reconstruction: jax.Array
    kl: jax.Array
    right: jax.Array
    q: vae.Posterior
    z: jax.Array


def objective(
    params: Params,
    cfg: ModelConfig,
    streams: Sequence[jax.Array],
    noise: jax.Array,
    *,
    source: Sequence[jax.Array] | None = None,
    sampling: tuple[jax.Array, jax.Array | float] | None = None,
    dropout: tuple[jax.Array, float] | None = None,
    input_dropout: InputDropout | None = None,
) -> Objective:
    """-log p(x | z) under teacher forcing and KL(q(z | x) || N(0, I)), z drawn from q.

    streams: int [B, T, C] each. noise: of that draw, see `vae.sample_posterior`. source: of which
    streams q is, others than those that are scored. sampling, dropout: see `vae.decode_logits`.
    input_dropout: of what the layers of encoder and decoder read.
    """
    q = vae.encode(params, cfg, streams if source is None else source, input_dropout)
    z = vae.sample_posterior(noise, q)
    logits = vae.decode_logits(
        params, cfg, z, streams, sampling=sampling, dropout=dropout, input_dropout=input_dropout
    )
    parts = list(zip(vae.heads_of(params, cfg), logits, streams, strict=True))
    losses = (head.loss(block, values).sum(1) for head, block, values in parts)
    reconstruction = cast(jax.Array, sum(losses))
    right = [head.right(head.likeliest(block), values) for head, block, values in parts]
    return Objective(reconstruction, vae.kl_divergence(q).sum(-1), jnp.stack(right, -1), q, z)


def kl_cost(kl: jax.Array, free_bits: float) -> jax.Array:
    """max(KL - free_bits * ln 2, 0): the total KL of examples, [B], in nats.

    The free bits are of the total, as in Magenta, not of each dimension.
    """
    return jnp.maximum(kl - free_bits * np.log(2), 0)
