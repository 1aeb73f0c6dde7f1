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

    right: where the likeliest value of a step is right, bool [B, T, K]. counted: which steps there
    are, of segments that may end before; bool [B, T, K]. q: the posterior. z: a draw from it,
    float32 [B, Z].
    """

    reconstruction: jax.Array
    kl: jax.Array
    right: jax.Array
    counted: jax.Array
    q: vae.Posterior
    z: jax.Array


def objective(
    params: Params,
    cfg: ModelConfig,
    streams: Sequence[jax.Array],
    noise: jax.Array,
    told: Sequence[jax.Array] = (),
    *,
    source: tuple[Sequence[jax.Array], Sequence[jax.Array]] | None = None,
    sampling: tuple[jax.Array, jax.Array | float] | None = None,
    dropout: tuple[jax.Array, float] | None = None,
    input_dropout: InputDropout | None = None,
) -> Objective:
    """-log p(x | z) under teacher forcing and KL(q(z | x) || N(0, I)), z drawn from q.

    streams, told: int [B, T, C] each. noise: of that draw, see `vae.sample_posterior`. source: of
    which streams and told q is, others than those that are scored. sampling, dropout: see
    `vae.decode_logits`. input_dropout: of what the layers of encoder and decoder read.
    """
    q = vae.encode(params, cfg, *(source or (streams, told)), input_dropout)
    z = vae.sample_posterior(noise, q)
    logits = vae.decode_logits(
        params,
        cfg,
        z,
        streams,
        told,
        sampling=sampling,
        dropout=dropout,
        input_dropout=input_dropout,
    )
    parts = list(zip(vae.heads_of(params, cfg), logits, streams, strict=True))
    losses = (head.loss(block, values).sum(1) for head, block, values in parts)
    reconstruction = cast(jax.Array, sum(losses))
    counted = jnp.stack([head.counts(values) for head, _, values in parts], -1)
    same = [head.right(head.likeliest(block), values) for head, block, values in parts]
    right = jnp.stack(same, -1) & counted
    return Objective(reconstruction, vae.kl_divergence(q).sum(-1), right, counted, q, z)


def kl_cost(kl: jax.Array, free_bits: float) -> jax.Array:
    """max(KL - free_bits * ln 2, 0): the total KL of examples, [B], in nats.

    The free bits are of the total, as in Magenta, not of each dimension.
    """
    return jnp.maximum(kl - free_bits * np.log(2), 0)
