"""How well a model reconstructs: teacher-forced, sampled and greedy (paper section 5.1, table 1)."""

import functools
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvae.config import STEPS_PER_BAR, ModelConfig
from mvae.evaluation.statistics import share_interval
from mvae.model import streams, vae
from mvae.music.events import EVENTS, events_of
from mvae.music.vocabulary import STREAMS

# Burda et al. (2016): a unit is active if the variance of its posterior mean over the data is above
ACTIVE_VARIANCE = 0.01
MODES = ('teacher_forced', 'sampled', 'greedy')


@functools.partial(jax.jit, static_argnames='cfg')
def _measure(
    params: dict, cfg: ModelConfig, tokens: jax.Array, key: jax.Array
) -> dict[str, jax.Array]:
    """Per example: hits bool [modes, B, T, K], losses [B], mu [B, Z]."""
    z_key, draw_key = jax.random.split(key)
    q = vae.encode(params, cfg, tokens)
    z = vae.sample_posterior(z_key, q)
    logits = vae.decode_logits(params, cfg, z, tokens)
    forced = jnp.stack([x.argmax(-1) for x in logits], -1)
    drawn = [vae.generate(params, cfg, z, draw_key, temperature) for temperature in (1.0, 0.0)]
    return {
        'hits': jnp.stack([forced, *drawn]) == tokens,
        'reconstruction': sum(
            streams.cross_entropy(x, tokens[..., k]).sum(1) for k, x in enumerate(logits)
        ),
        'kl': vae.kl_divergence(q).sum(-1),
        'mu': q.mu,
    }


def evaluate_reconstruction(
    params: dict,
    cfg: ModelConfig,
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    songs: np.ndarray,
    kind: str,
    seed: int = 0,
) -> dict[str, Any]:
    """Accuracies and losses over (tokens int [B, T, K], mask [B]) batches, whose N windows belong
    to `songs` int [N]; z is drawn from the posterior.

    Returns windows and songs (counts); loss (negative ELBO, beta 1, no free bits) and
    reconstruction (negative log-likelihood under teacher forcing) in nats per window, kl_bits,
    active_units of latent_size; and for each stream: baseline (share of the split's most frequent
    token), for each of MODES {accuracy, interval (95%, bootstrap over songs; None with one song),
    hits_of_songs}, steps_of_songs (these two are ints [S], by ascending song, from which `compare`
    pairs models); classes: for each of EVENTS that occurs {share of the steps, baseline (share of
    the most frequent token in the class), and for each of MODES its accuracy}; and onsets_by_bar:
    for each of MODES the accuracy at onsets in each of the U bars, {mean, low, high}, which shows
    whether a decoder keeps to the music or drifts (None where a bar has onsets in fewer than two
    songs).
    """
    key = jax.random.key(seed)
    _, song_of = np.unique(songs, return_inverse=True)
    bars = cfg.total_steps // STEPS_PER_BAR
    # Hits and steps by song, stream, class and bar: all shares and intervals are sums of these.
    hits = np.zeros(
        (len(MODES), song_of.max(initial=0) + 1, len(cfg.vocab_sizes), len(EVENTS), bars), np.int64
    )
    steps = np.zeros(hits.shape[1:], np.int64)
    counts = [np.zeros((len(EVENTS), v), np.int64) for v in cfg.vocab_sizes]
    sums: dict[str, Any] = {'reconstruction': 0.0, 'kl': 0.0, 'mu': 0.0, 'mu_squared': 0.0}
    windows = 0
    for n, (tokens, mask) in enumerate(batches):
        keep = np.asarray(mask) > 0
        found = {
            name: np.asarray(v)
            for name, v in _measure(params, cfg, tokens, jax.random.fold_in(key, n)).items()
        }
        tokens, right = np.asarray(tokens)[keep], found['hits'][:, keep]
        song = song_of[windows : windows + len(tokens)]
        for k, stream in enumerate(STREAMS[kind]):
            event = events_of(tokens[..., k], stream)
            np.add.at(counts[k], (event, tokens[..., k]), 1)
            for c in range(len(EVENTS)):
                np.add.at(steps[:, k, c], song, _by_bar(event == c))
                for m in range(len(MODES)):
                    np.add.at(hits[m, :, k, c], song, _by_bar(right[m, ..., k] & (event == c)))
        mu = found['mu'][keep].astype(np.float64)
        for name, value in (
            ('reconstruction', found['reconstruction'][keep]),
            ('kl', found['kl'][keep]),
        ):
            sums[name] += value.astype(np.float64).sum()
        sums['mu'] += mu.sum(0)
        sums['mu_squared'] += (mu**2).sum(0)
        windows += len(tokens)
    reconstruction, kl = sums['reconstruction'] / windows, sums['kl'] / windows
    variance = sums['mu_squared'] / windows - (sums['mu'] / windows) ** 2
    result: dict[str, Any] = {
        'windows': windows,
        'songs': len(steps),
        'loss': reconstruction + kl,
        'reconstruction': reconstruction,
        'kl_bits': kl / np.log(2),
        'active_units': int((variance > ACTIVE_VARIANCE).sum()),
        'latent_size': cfg.latent_size,
        'streams': {},
    }
    for k, stream in enumerate(STREAMS[kind]):
        steps_of = steps[:, k].sum((-2, -1))
        row: dict[str, Any] = {
            'baseline': float(counts[k].sum(0).max() / counts[k].sum()),
            'steps_of_songs': steps_of.tolist(),
        }
        for m, mode in enumerate(MODES):
            hits_of = hits[m, :, k].sum((-2, -1))
            interval = share_interval(hits_of, steps_of, seed)
            row[mode] = {
                'accuracy': float(hits_of.sum() / steps_of.sum()),
                'interval': interval,
                'hits_of_songs': hits_of.tolist(),
            }
        row['classes'] = {}
        for c, name in enumerate(EVENTS):
            if total := int(steps[:, k, c].sum()):
                accuracies = {
                    mode: float(hits[m, :, k, c].sum() / total) for m, mode in enumerate(MODES)
                }
                row['classes'][name] = {
                    'share': total / int(counts[k].sum()),
                    'baseline': float(counts[k][c].max() / total),
                    **accuracies,
                }
        onset = EVENTS.index('onset')
        row['onsets_by_bar'] = {
            mode: _onset_curve(hits[m, :, k, onset], steps[:, k, onset], seed)
            for m, mode in enumerate(MODES)
        }
        result['streams'][stream] = row
    return result


def compare(
    first: dict[str, Any], second: dict[str, Any], mode: str, seed: int = 0
) -> dict[str, Any] | None:
    """How much more of a stream the second model gets right than the first: {difference of
    accuracies, interval (95%, bootstrap over songs)}.

    first, second: one stream of what `evaluate_reconstruction` returned of the same windows. The
    pairing by song takes out what makes a song easy for both, which is most of the width of their
    own intervals. None where songs were not kept (evaluations of before) or are fewer than two.
    """
    steps = first.get('steps_of_songs')
    if steps is None or second.get('steps_of_songs') != steps:
        return None
    more = np.subtract(second[mode]['hits_of_songs'], first[mode]['hits_of_songs'])
    interval = share_interval(more, np.array(steps), seed)
    return (
        None
        if interval is None
        else {'difference': float(more.sum() / np.sum(steps)), 'interval': list(interval)}
    )


def _by_bar(steps: np.ndarray) -> np.ndarray:
    """bool [B, T] -> how many in each bar [B, U]."""
    return steps.reshape(len(steps), -1, STEPS_PER_BAR).sum(-1)


def _onset_curve(hits: np.ndarray, counts: np.ndarray, seed: int) -> dict[str, list[float]] | None:
    """Share of hits in each bar and its intervals over songs: int [S, U] -> {mean, low, high}."""
    intervals = [share_interval(hits[:, u], counts[:, u], seed) for u in range(hits.shape[1])]
    if None in intervals:
        return None
    low, high = zip(*intervals, strict=True)
    return {'mean': (hits.sum(0) / counts.sum(0)).tolist(), 'low': list(low), 'high': list(high)}


def format_table(result: dict[str, Any]) -> str:
    """The result for people: a row per stream, in the layout of the paper's table, and one for each
    class of steps.
    """
    heads = ('', 'most frequent', 'teacher-forced', 'sampled', 'greedy')
    lines = [''.join(f'{head:>18}' for head in heads)]
    for stream, row in result['streams'].items():
        lines.append(
            f'{stream:>18}{row["baseline"]:>18.3f}'
            + ''.join(f'{row[mode]["accuracy"]:>18.3f}' for mode in MODES)
        )
        for name, of_class in row['classes'].items():
            label = f'{of_class["share"]:.0%} {name.replace("_", "-")}s'
            lines.append(
                f'{label:>18}{of_class["baseline"]:>18.3f}'
                + ''.join(f'{of_class[mode]:>18.3f}' for mode in MODES)
            )
    lines.append(
        f'{result["windows"]:,} windows of {result["songs"]:,} songs; loss {result["loss"]:.1f} nats = reconstruction '
        f'{result["reconstruction"]:.1f} + KL ({result["kl_bits"]:.1f} bits); {result["active_units"]} of {result["latent_size"]} latent units active'
    )
    return '\n'.join(lines)
