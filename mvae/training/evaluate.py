"""Loss and teacher-forced accuracy on a split, beside a trivial baseline, and where codes lie."""

import functools
from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

from mvae.batch import Batch
from mvae.model.config import ModelConfig
from mvae.model.objective import kl_cost, objective
from mvae.model.prior import Gaussian, fitted, marginal_kl
from mvae.model.types import Params
from mvae.music.events import ONSET
from mvae.music.form import Form
from mvae.training import processes
from mvae.training.loss import keys_of, normal


@functools.partial(jax.jit, static_argnames='cfg')
def _sums(
    params: Params,
    cfg: ModelConfig,
    batch: Batch,
    onset: jax.Array,
    key: jax.Array,
    beta: float,
    free_bits: float,
) -> dict[str, jax.Array]:
    """Sums over the batch. onset: where a note or hit begins, bool [B, T, K]."""
    noise = normal(keys_of(key, batch.numbers), cfg.latent_size)
    found, mask = objective(params, cfg, batch.streams, noise, batch.conditions), batch.mask
    q, weight = found.q, mask[:, None, None]
    still = jnp.stack([(x == 0).all(-1) for x in batch.streams], -1)  # nothing happens: zeros
    loss = found.reconstruction + beta * kl_cost(found.kl, free_bits)
    return {
        'loss': (loss * mask).sum(),
        'kl': (found.kl * mask).sum(),
        'examples': mask.sum(),
        'codes': mask @ q.mu,
        'squares': (q.mu.T * mask) @ q.mu + jnp.diag(mask @ q.sigma**2),
        'hits': (found.right * weight).sum((0, 1)),
        'steps': (found.counted * weight).sum((0, 1)),
        'holds': (still * found.counted * weight).sum((0, 1)),
        'onset_hits': (found.right * onset * weight).sum((0, 1)),
        'onsets': (onset * weight).sum((0, 1)),
    }


def evaluate(
    params: Params,
    cfg: ModelConfig,
    form: Form,
    batches: Iterable[Batch],
    key: jax.Array,
    beta: float,
    free_bits: float,
) -> tuple[dict[str, float], Gaussian]:
    """Means over the batches of all processes, and the Gaussian of their codes.

    Each process spreads its batches over its devices. The means are 'loss' (nats per example),
    'kl_bits', and 'marginal_kl_bits', the part of it that tells no piece from another
    (`prior.marginal_kl`). For stream k they are 'accuracy_k', 'onset_accuracy_k' (at steps where a
    note or hit begins), and 'baseline_k', the accuracy of always answering that nothing happens.
    """
    params = processes.on_local_devices(params)
    total: dict[str, np.ndarray] = {}
    for batch in batches:
        events = [s.codec.events(x) for s, x in zip(form.streams, batch.streams, strict=True)]
        spread, onset = processes.spread((batch, np.stack(events, -1) == ONSET))
        found = _sums(params, cfg, spread, onset, key, beta, free_bits)
        sums = {name: np.asarray(v, np.float64) for name, v in found.items()}
        total = {name: total[name] + sums[name] for name in sums} if total else sums
    return _means(processes.total(total), len(form.streams))


def _means(total: dict[str, np.ndarray], streams: int) -> tuple[dict[str, float], Gaussian]:
    examples = float(total['examples'])
    result = {
        'loss': float(total['loss'] / examples),
        'kl_bits': float(total['kl'] / examples / np.log(2)),
    }
    for k in range(streams):
        steps = max(total['steps'][k], 1)
        result[f'accuracy_{k}'] = float(total['hits'][k] / steps)
        onsets = max(total['onsets'][k], 1)
        result[f'onset_accuracy_{k}'] = float(total['onset_hits'][k] / onsets)
        result[f'baseline_{k}'] = float(total['holds'][k] / steps)
    with np.errstate(invalid='ignore'):  # the trainer says in one line what is not finite
        prior = fitted(examples, total['codes'], total['squares'])
        return result | {'marginal_kl_bits': marginal_kl(prior)}, prior
