"""How well a model reconstructs: teacher-forced, sampled, greedy (paper section 5.1, table 1)."""

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvae.batch import Batch
from mvae.evaluation.statistics import share_interval
from mvae.model import vae
from mvae.model.config import ModelConfig
from mvae.model.objective import objective
from mvae.model.types import Params
from mvae.music.events import EVENTS, ONSET
from mvae.music.form import Form
from mvae.musicvae import MusicVAE

# A unit of z is active if the variance of its posterior mean over the data is above (Burda et al.,
# 2016).
ACTIVE_VARIANCE = 0.01
MODES = ('teacher_forced', 'sampled', 'greedy')


@functools.partial(jax.jit, static_argnames='cfg')
def _measure(
    params: Params,
    cfg: ModelConfig,
    streams: Sequence[jax.Array],
    told: Sequence[jax.Array],
    key: jax.Array,
) -> dict[str, jax.Array]:
    """Per example: hits bool [modes, B, T, K], losses [B], mu [B, Z]."""
    z_key, draw_key = jax.random.split(key)
    noise = jax.random.normal(z_key, (len(streams[0]), cfg.latent_size))
    found = objective(params, cfg, streams, noise, told)
    hits = [found.right]
    for temperature in (1.0, 0.0):
        drawn = vae.generate(params, cfg, found.z, draw_key, temperature, told)
        parts = zip(cfg.heads, drawn, streams, strict=True)
        hits.append(jnp.stack([head.right(guess, values) for head, guess, values in parts], -1))
    return {
        'hits': jnp.stack(hits),
        'reconstruction': found.reconstruction,
        'kl': found.kl,
        'mu': found.q.mu,
    }


class _Counts:
    """Hits and steps of a stream by song, class of step and bar: all shares are sums of these."""

    def __init__(self, songs: int, bars: int):
        self.hits = np.zeros((len(MODES), songs, len(EVENTS), bars), np.int64)
        self.steps = np.zeros((songs, len(EVENTS), bars), np.int64)
        # How often each value stands, by its bytes.
        self.values: list[Counter[bytes]] = [Counter() for _ in EVENTS]

    def add(
        self, song: np.ndarray, event: np.ndarray, values: np.ndarray, right: np.ndarray
    ) -> None:
        """song int [B]; event int [B, T]; values int [B, T, C]; right bool [modes, B, T]."""
        bars = self.steps.shape[-1]
        for c in range(len(EVENTS)):
            there = event == c
            rows, counts = np.unique(values[there], axis=0, return_counts=True)
            self.values[c].update(dict(zip(map(bytes, rows), counts.tolist(), strict=True)))
            np.add.at(self.steps[:, c], song, _by_bar(there, bars))
            for m in range(len(MODES)):
                np.add.at(self.hits[m, :, c], song, _by_bar(right[m] & there, bars))

    def row(self, seed: int) -> dict[str, Any]:
        """The stream's part of what `evaluate_reconstruction` returns."""
        steps_of = self.steps.sum((-2, -1))
        total = int(steps_of.sum())
        most = max(sum(self.values, Counter()).values(), default=0)
        row: dict[str, Any] = {'baseline': most / total, 'steps_of_songs': steps_of.tolist()}
        for m, mode in enumerate(MODES):
            hits_of = self.hits[m].sum((-2, -1))
            row[mode] = {
                'accuracy': float(hits_of.sum() / total),
                'interval': share_interval(hits_of, steps_of, seed),
                'hits_of_songs': hits_of.tolist(),
            }
        row['classes'] = {
            name: self._of_class(c, total)
            for c, name in enumerate(EVENTS)
            if self.steps[:, c].any()
        }
        onsets = self.steps[:, ONSET]
        row['onsets_by_bar'] = {
            mode: _onset_curve(self.hits[m, :, ONSET], onsets, seed) for m, mode in enumerate(MODES)
        }
        return row

    def _of_class(self, c: int, total: int) -> dict[str, float]:
        steps = int(self.steps[:, c].sum())
        most = max(self.values[c].values())
        shares = {mode: float(self.hits[m, :, c].sum() / steps) for m, mode in enumerate(MODES)}
        return {'share': steps / total, 'baseline': most / steps, **shares}


def evaluate_reconstruction(
    model: MusicVAE, batches: Iterable[Batch], songs: np.ndarray, seed: int = 0
) -> dict[str, Any]:
    """Accuracies and losses over batches whose N windows belong to `songs` int [N].

    z is drawn from the posterior. Returns

    windows, songs: counts;
    loss: negative ELBO, beta 1, no free bits, in nats per window;
    reconstruction: negative log-likelihood under teacher forcing, in nats per window;
    kl_bits; active_units of latent_size;
    streams: for each stream
        baseline: share of the split's most frequent value;
        for each of MODES {accuracy, interval, hits_of_songs}; the interval is 95%, bootstrap over
            songs, None with one song;
        steps_of_songs: as hits_of_songs ints [S], by ascending song, for `compare`;
        classes: for each of EVENTS that occurs {share of the steps, baseline (share of the most
            frequent value in the class), and for each of MODES its accuracy};
        onsets_by_bar: for each of MODES the accuracy at onsets in each of the U bars, {mean, low,
            high}. It shows whether a decoder keeps to the music or drifts. None where a bar has
            onsets in fewer than two songs.
    """
    key, form = jax.random.key(seed), model.form
    _, song_of = np.unique(songs, return_inverse=True)
    counts = [_Counts(song_of.max(initial=0) + 1, form.bars) for _ in form.streams]
    sums: dict[str, Any] = {'reconstruction': 0.0, 'kl': 0.0, 'mu': 0.0, 'mu_squared': 0.0}
    windows = 0
    for n, batch in enumerate(batches):
        keep = np.asarray(batch.mask) > 0
        own = jax.random.fold_in(key, n)
        told = batch.conditions
        measured = _measure(model.params, model.architecture, batch.streams, told, own)
        found = {name: np.asarray(v) for name, v in measured.items()}
        song = song_of[windows : windows + keep.sum()]
        _count(counts, form, batch, keep, song, found['hits'])
        mu = found['mu'][keep].astype(np.float64)
        for name in ('reconstruction', 'kl'):
            sums[name] += found[name][keep].astype(np.float64).sum()
        sums['mu'] += mu.sum(0)
        sums['mu_squared'] += (mu**2).sum(0)
        windows += len(mu)
    reconstruction, kl = sums['reconstruction'] / windows, sums['kl'] / windows
    variance = sums['mu_squared'] / windows - (sums['mu'] / windows) ** 2
    rows = zip(form.streams, counts, strict=True)
    return {
        'windows': windows,
        'songs': len(counts[0].steps),
        'loss': reconstruction + kl,
        'reconstruction': reconstruction,
        'kl_bits': kl / np.log(2),
        'active_units': int((variance > ACTIVE_VARIANCE).sum()),
        'latent_size': model.latent_size,
        'streams': {stream.name: of_stream.row(seed) for stream, of_stream in rows},
    }


def _count(
    counts: list[_Counts],
    form: Form,
    batch: Batch,
    keep: np.ndarray,
    song: np.ndarray,
    hits: np.ndarray,
) -> None:
    parts = zip(counts, form.streams, batch.streams, strict=True)
    for k, (of_stream, stream, values) in enumerate(parts):
        kept = np.asarray(values)[keep]
        events, judged = stream.codec.events(kept), stream.codec.judged(kept)
        of_stream.add(song, events, judged, hits[..., k][:, keep])


def compare(
    first: dict[str, Any], second: dict[str, Any], mode: str, seed: int = 0
) -> dict[str, Any] | None:
    """How much more of a stream the second model gets right than the first.

    first, second: one stream of what `evaluate_reconstruction` returned of the same windows. The
    pairing by song takes out what makes a song easy for both, which is most of the width of their
    own intervals.

    Returns {difference of accuracies, interval (95%, bootstrap over songs)}. None where songs were
    not kept (evaluations of before) or are fewer than two.
    """
    steps = first.get('steps_of_songs')
    if steps is None or second.get('steps_of_songs') != steps:
        return None
    more = np.subtract(second[mode]['hits_of_songs'], first[mode]['hits_of_songs'])
    interval = share_interval(more, np.array(steps), seed)
    if interval is None:
        return None
    return {'difference': float(more.sum() / np.sum(steps)), 'interval': list(interval)}


def _by_bar(steps: np.ndarray, bars: int) -> np.ndarray:
    """bool [B, T] -> how many in each bar [B, U]."""
    return steps.reshape(len(steps), bars, -1).sum(-1)


def _onset_curve(hits: np.ndarray, counts: np.ndarray, seed: int) -> dict[str, list[float]] | None:
    """Share of hits in each bar and its intervals over songs: int [S, U] -> {mean, low, high}."""
    intervals = []
    for u in range(hits.shape[1]):
        interval = share_interval(hits[:, u], counts[:, u], seed)
        if interval is None:
            return None
        intervals.append(interval)
    low, high = zip(*intervals, strict=True)
    return {'mean': (hits.sum(0) / counts.sum(0)).tolist(), 'low': list(low), 'high': list(high)}


def format_table(result: dict[str, Any]) -> str:
    """The result for people: a row per stream, as in the paper, and one per class of steps."""
    heads = ('', 'most frequent', 'teacher-forced', 'sampled', 'greedy')
    lines = [''.join(f'{head:>18}' for head in heads)]
    for stream, row in result['streams'].items():
        lines.append(_table_row(stream, row['baseline'], [row[m]['accuracy'] for m in MODES]))
        for name, of_class in row['classes'].items():
            label = f'{of_class["share"]:.0%} {name.replace("_", "-")}s'
            lines.append(_table_row(label, of_class['baseline'], [of_class[m] for m in MODES]))
    lines.append(
        f'{result["windows"]:,} windows of {result["songs"]:,} songs; '
        f'loss {result["loss"]:.1f} nats = reconstruction {result["reconstruction"]:.1f} + '
        f'KL ({result["kl_bits"]:.1f} bits); '
        f'{result["active_units"]} of {result["latent_size"]} latent units active'
    )
    return '\n'.join(lines)


def _table_row(label: str, baseline: float, accuracies: Iterable[float]) -> str:
    return f'{label:>18}' + ''.join(f'{share:>18.3f}' for share in (baseline, *accuracies))
