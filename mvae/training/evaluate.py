"""Loss and teacher-forced accuracy on a split, each accuracy beside its trivial baseline; and where
the codes lie.
"""

import functools
from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

from mvae.config import ModelConfig
from mvae.model import streams, vae
from mvae.model.prior import Prior, fitted, gap
from mvae.training import processes
from mvae.training.loss import kl_cost


@functools.partial(jax.jit, static_argnames='cfg')
def _sums(
    params: dict,
    cfg: ModelConfig,
    tokens: jax.Array,
    mask: jax.Array,
    key: jax.Array,
    beta,
    free_bits,
) -> dict[str, jax.Array]:
    q = vae.encode(params, cfg, tokens)
    logits = vae.decode_logits(params, cfg, vae.sample_posterior(key, q), tokens)
    reconstruction = sum(
        streams.cross_entropy(x, tokens[..., k]).sum(1) for k, x in enumerate(logits)
    )
    kl = vae.kl_divergence(q).sum(-1)
    hits = jnp.stack([(x.argmax(-1) == tokens[..., k]) for k, x in enumerate(logits)], -1)
    weight = mask[:, None, None]
    onset = (tokens >= jnp.array([1 if v == 512 else 2 for v in cfg.vocab_sizes])) * weight
    return {
        'loss': ((reconstruction + beta * kl_cost(kl, free_bits)) * mask).sum(),
        'kl': (kl * mask).sum(),
        'examples': mask.sum(),
        'codes': mask @ q.mu,
        'squares': (q.mu.T * mask) @ q.mu + jnp.diag(mask @ q.sigma**2),
        'hits': (hits * weight).sum((0, 1)),
        'steps': mask.sum() * tokens.shape[1],
        'onset_hits': (hits * onset).sum((0, 1)),
        'onsets': onset.sum((0, 1)),
    }


def evaluate(
    params: dict,
    cfg: ModelConfig,
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    key: jax.Array,
    beta: float,
    free_bits: float,
) -> tuple[dict[str, float], Prior]:
    """Means over (tokens int [B, T, K], mask [B]) batches, of all processes, and the Gaussian of
    their codes.

    Means are 'loss' (nats per example), 'kl_bits', 'gap_bits' (the part of it that tells no piece
    from another; `prior.gap`), and per stream k 'accuracy_k', 'onset_accuracy_k' (steps where a
    note or hit begins) and 'baseline_k', the accuracy of always answering 'hold' (or silence for
    drums).
    """
    total = None
    for n, (tokens, mask) in enumerate(batches):
        sums = _sums(params, cfg, tokens, mask, jax.random.fold_in(key, n), beta, free_bits)
        holds = np.asarray(
            ((tokens == 0) * np.asarray(mask)[:, None, None]).sum((0, 1)), np.float64
        )
        sums = {name: np.asarray(v, np.float64) for name, v in sums.items()} | {'holds': holds}
        total = sums if total is None else {name: total[name] + sums[name] for name in sums}
    total = processes.total(total)
    result = {
        'loss': float(total['loss'] / total['examples']),
        'kl_bits': float(total['kl'] / total['examples'] / np.log(2)),
    }
    for k in range(len(cfg.vocab_sizes)):
        result[f'accuracy_{k}'] = float(total['hits'][k] / total['steps'])
        result[f'onset_accuracy_{k}'] = float(total['onset_hits'][k] / max(total['onsets'][k], 1))
        result[f'baseline_{k}'] = float(total['holds'][k] / total['steps'])
    prior = fitted(total['examples'], total['codes'], total['squares'])
    return result | {'gap_bits': gap(prior)}, prior
