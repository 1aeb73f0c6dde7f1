"""How well a model reconstructs: teacher-forced, sampled and greedy (paper section 5.1, table 1)."""

import functools
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvae.config import ModelConfig
from mvae.model import streams, vae
from mvae.music.vocabulary import STREAMS

ACTIVE_VARIANCE = 0.01  # Burda et al. (2016): a unit is active if the variance of its posterior mean over the data is above
MODES = ('teacher_forced', 'sampled', 'greedy')


@functools.partial(jax.jit, static_argnames='cfg')
def _measure(params: dict, cfg: ModelConfig, tokens: jax.Array, key: jax.Array) -> dict[str, jax.Array]:
    """Per example: hits bool [modes, B, T, K], losses [B], mu [B, Z]."""
    z_key, draw_key = jax.random.split(key)
    q = vae.encode(params, cfg, tokens)
    z = vae.sample_posterior(z_key, q)
    logits = vae.decode_logits(params, cfg, z, tokens)
    forced = jnp.stack([x.argmax(-1) for x in logits], -1)
    drawn = [vae.generate(params, cfg, z, draw_key, temperature) for temperature in (1.0, 0.0)]
    return {
        'hits': jnp.stack([forced, *drawn]) == tokens,
        'reconstruction': sum(streams.cross_entropy(x, tokens[..., k]).sum(1) for k, x in enumerate(logits)),
        'kl': vae.kl_divergence(q).sum(-1),
        'mu': q.mu,
    }


def evaluate_reconstruction(
    params: dict, cfg: ModelConfig, batches: Iterable[tuple[np.ndarray, np.ndarray]], kind: str, seed: int = 0
) -> dict[str, Any]:
    """Accuracies and losses over (tokens int [B, T, K], mask [B]) batches; z is drawn from the posterior.

    Returns windows; loss (negative ELBO, beta 1, no free bits) and reconstruction in nats per example, kl_bits, active_units of latent_size; and
    for each stream: onsets (steps where a note or hit begins, as a share), baseline (share of the split's most frequent token), onset_baseline (the
    same among onsets) and for each of MODES {accuracy, onset_accuracy}.
    """
    key = jax.random.key(seed)
    sums: dict[str, Any] = {'hits': 0, 'onset_hits': 0, 'onsets': 0, 'reconstruction': 0.0, 'kl': 0.0}
    counts = [np.zeros(v, np.int64) for v in cfg.vocab_sizes]
    first = np.array([1 if stream == 'drums' else 2 for stream in STREAMS[kind]])  # tokens from here on are onsets
    means, windows = [], 0
    for n, (tokens, mask) in enumerate(batches):
        keep = np.asarray(mask) > 0
        found = {name: np.asarray(v) for name, v in _measure(params, cfg, tokens, jax.random.fold_in(key, n)).items()}
        tokens, hits = np.asarray(tokens)[keep], found['hits'][:, keep]
        onset = tokens >= first
        sums['hits'] += hits.sum((1, 2))
        sums['onset_hits'] += (hits & onset).sum((1, 2))
        sums['onsets'] += onset.sum((0, 1))
        for name in ('reconstruction', 'kl'):
            sums[name] += found[name][keep].astype(np.float64).sum()
        for k, count in enumerate(counts):
            count += np.bincount(tokens[..., k].ravel(), minlength=len(count))
        means.append(found['mu'][keep])
        windows += int(keep.sum())
    steps = windows * cfg.total_steps
    reconstruction, kl = sums['reconstruction'] / windows, sums['kl'] / windows
    result: dict[str, Any] = {
        'windows': windows,
        'loss': reconstruction + kl,
        'reconstruction': reconstruction,
        'kl_bits': kl / np.log(2),
        'active_units': int((np.concatenate(means).astype(np.float64).var(0) > ACTIVE_VARIANCE).sum()),
        'latent_size': cfg.latent_size,
        'streams': {},
    }
    for k, stream in enumerate(STREAMS[kind]):
        onsets = max(int(sums['onsets'][k]), 1)
        row = {
            'baseline': counts[k].max() / steps,
            'onset_baseline': counts[k][first[k] :].max() / onsets,
            'onsets': sums['onsets'][k] / steps,
        }
        for m, mode in enumerate(MODES):
            row[mode] = {'accuracy': sums['hits'][m, k] / steps, 'onset_accuracy': sums['onset_hits'][m, k] / onsets}
        result['streams'][stream] = jax.tree.map(float, row)
    return result


def format_table(result: dict[str, Any]) -> str:
    """The result for people: a row per stream, in the layout of the paper's table."""
    heads = ('', 'most frequent', 'teacher-forced', 'sampled', 'greedy')
    lines = [''.join(f'{head:>16}' for head in heads)]
    for stream, row in result['streams'].items():
        lines.append(f'{stream:>16}{row["baseline"]:>16.3f}' + ''.join(f'{row[mode]["accuracy"]:>16.3f}' for mode in MODES))
        lines.append(f'{"its onsets":>16}{row["onset_baseline"]:>16.3f}' + ''.join(f'{row[mode]["onset_accuracy"]:>16.3f}' for mode in MODES))
    lines.append(
        f'{result["windows"]:,} windows; loss {result["loss"]:.1f} nats = reconstruction {result["reconstruction"]:.1f} + KL '
        f'({result["kl_bits"]:.1f} bits); {result["active_units"]} of {result["latent_size"]} latent units active'
    )
    return '\n'.join(lines)
