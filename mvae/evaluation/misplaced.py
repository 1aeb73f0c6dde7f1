"""Does a code say which bar is which? Windows under the codes of other places of their song.

A study of ours, not of the paper's. A code that holds 16 bars one by one fits no window but its
own. One that sums a passage up fits its neighbours nearly as well.
"""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from mvae.dataset.store import Store
from mvae.errors import InputError
from mvae.evaluation.statistics import share_interval
from mvae.model.config import ModelConfig
from mvae.model.objective import objective
from mvae.model.types import Params
from mvae.music.form import Form
from mvae.musicvae import MusicVAE
from mvae.progress import progress

_Parts = tuple[Sequence[jax.Array], Sequence[jax.Array]]  # streams and conditions


@functools.partial(jax.jit, static_argnames='cfg')
def _loss(
    params: Params,
    cfg: ModelConfig,
    window: _Parts,
    source: _Parts,
    key: jax.Array,
) -> jax.Array:
    """-log p(window | z), z drawn from the posterior of source, teacher-forced: nats [B]."""
    streams, told = window
    noise = jax.random.normal(key, (len(streams[0]), cfg.latent_size))
    return objective(params, cfg, streams, noise, told, source=source).reconstruction


def find_places(
    windows: np.ndarray,
    songs: np.ndarray,
    shifts: Sequence[int],
    limit: int,
    seed: int,
    bar_offsets: np.ndarray,
) -> np.ndarray:
    """Rows of windows, int64 [M, 1 + len(shifts) + 1].

    Each row has a window, those that begin so many bars later in the same tracks, and one of
    another song. M is at most limit: the seed draws from the windows that have all of these.

    windows: where each stream begins, int [N, K]. songs: of every window, int [N]. bar_offsets: how
    far one bar is in each stream, int [K]. Raises InputError where there is no such window, or only
    one song.
    """
    if (count := len(np.unique(songs))) < 2:
        raise InputError(
            f'the split has {len(windows)} windows of {count} songs, and two songs are needed; '
            'add music and rebuild the store'
        )
    row_of = {tuple(start): n for n, start in enumerate(windows.tolist())}
    later = [
        [row_of.get(tuple((start + shift * bar_offsets).tolist())) for shift in shifts]
        for start in windows
    ]
    whole = np.array([n for n, rows in enumerate(later) if None not in rows], np.int64)
    if not len(whole):
        raise InputError(
            f'no window has others {max(shifts)} bars later; '
            'give smaller --shifts, or a split with longer songs'
        )
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(whole, min(limit, len(whole)), replace=False))
    other = [rng.choice(np.flatnonzero(songs != songs[n])) for n in chosen]
    return np.array([[n, *later[n], far] for n, far in zip(chosen, other, strict=True)])


def evaluate_misplaced(
    model: MusicVAE,
    store: Store,
    split: str,
    shifts: Sequence[int],
    limit: int,
    seed: int = 0,
    batch_size: int = 128,
) -> dict[str, Any]:
    """How much less likely windows are under codes of other places than under their own.

    The codes are of windows so many bars later, and of another song. Returns
        windows, songs: counts;
        own: under their own codes, mean in nats per window;
        excess: {'1 bar later': ..., 'another song': ...}, each {mean, interval} of the nats more
            than under their own, the interval 95% over songs (None with one song).
    """
    form = model.form
    if not all(0 < shift < form.bars for shift in shifts):
        raise InputError(
            f'shifts are whole bars from 1 to {form.bars - 1}, inside the window; '
            f'these are {", ".join(map(str, shifts))}'
        )
    windows, songs = np.asarray(store.windows(form, split)), np.asarray(store.songs(form, split))
    places = find_places(windows, songs, shifts, limit, seed, _bar_offsets(form))
    losses = _losses(model, store, windows, places, seed, batch_size)
    _, song_of = np.unique(songs[places[:, 0]], return_inverse=True)
    counts, excess = np.bincount(song_of), {}
    names = [f'{shift} bar{"s" * (shift > 1)} later' for shift in shifts] + ['another song']
    for name, more in zip(names, (losses[:, 1:] - losses[:, :1]).T, strict=True):
        interval = share_interval(np.bincount(song_of, more), counts, seed)
        excess[name] = {'mean': float(more.mean()), 'interval': interval}
    own = float(losses[:, 0].mean())
    return {'windows': len(places), 'songs': len(counts), 'own': own, 'excess': excess}


def _bar_offsets(form: Form) -> np.ndarray:
    """How far apart bars begin in the store, in each stream: int64 [K]."""
    return np.array([form.rows_per_bar * len(part.codec.sizes) for part in form.parts])


def _losses(
    model: MusicVAE,
    store: Store,
    windows: np.ndarray,
    places: np.ndarray,
    seed: int,
    batch_size: int,
) -> np.ndarray:
    """Nats of each row's first window under the codes of all its windows: float64 as places."""
    losses, key = np.zeros(places.shape), jax.random.key(seed)
    for n in progress(range(0, len(places), batch_size), 'windows', unit='batch', leave=False):
        # The last batch is filled up: one program for all.
        rows = np.resize(places[n : n + batch_size], (batch_size, places.shape[1]))
        pieces = [store.gather(windows[column], model.form) for column in rows.T]
        sources = [(model.form.split(piece), model.form.told(piece)) for piece in pieces]
        own = jax.random.fold_in(key, n)
        found = [
            np.asarray(_loss(model.params, model.architecture, sources[0], source, own))
            for source in sources
        ]
        losses[n : n + batch_size] = np.stack(found, 1)[: len(places) - n]
    return losses
