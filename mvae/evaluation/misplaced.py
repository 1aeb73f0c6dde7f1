"""Does a code say which bar is which?

Windows under the codes of other places of their song (a study of ours, not of the paper's).

A code that holds 16 bars one by one fits no window but its own; one that sums a passage up fits its
neighbours nearly as well.
"""

import functools
from collections.abc import Sequence

import jax
import numpy as np
from tqdm import tqdm

from mvae.config import STEPS_PER_BAR, ModelConfig
from mvae.dataset.store import Store
from mvae.errors import InputError
from mvae.evaluation.statistics import share_interval
from mvae.model import streams, vae


@functools.partial(jax.jit, static_argnames='cfg')
def _loss(
    params: dict, cfg: ModelConfig, tokens: jax.Array, source: jax.Array, key: jax.Array
) -> jax.Array:
    """-log p(tokens | z), z drawn from the posterior of source, teacher-forced: nats [B]."""
    z = vae.sample_posterior(key, vae.encode(params, cfg, source))
    logits = vae.decode_logits(params, cfg, z, tokens)
    return sum(streams.cross_entropy(x, tokens[..., k]).sum(1) for k, x in enumerate(logits))


def find_places(
    windows: np.ndarray, songs: np.ndarray, shifts: Sequence[int], limit: int, seed: int
) -> np.ndarray:
    """Rows of windows [M, 1 + len(shifts) + 1]: a window, those that begin so many bars later in
    the same tracks, and one of another song.

    windows: where each stream begins, int [N, K]. songs [N]. M is at most limit, drawn by the seed
    from the windows that have all of these. Raises InputError where there is none, or only one
    song.
    """
    if (count := len(np.unique(songs))) < 2:
        raise InputError(
            f'the split has {len(windows)} windows of {count} songs, and two songs are needed; add music and rebuild the store'
        )
    row_of = {tuple(start): n for n, start in enumerate(windows.tolist())}
    later = [
        [row_of.get(tuple(start + shift * STEPS_PER_BAR)) for shift in shifts] for start in windows
    ]
    whole = np.array([n for n, rows in enumerate(later) if None not in rows], np.int64)
    if not len(whole):
        raise InputError(
            f'no window has others {max(shifts)} bars later; give smaller --shifts, or a split with longer songs'
        )
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(whole, min(limit, len(whole)), replace=False))
    other = [rng.choice(np.flatnonzero(songs != songs[n])) for n in chosen]
    return np.array([[n, *later[n], far] for n, far in zip(chosen, other, strict=True)])


def evaluate_misplaced(
    params: dict,
    cfg: ModelConfig,
    store: Store,
    kind: str,
    split: str,
    shifts: Sequence[int],
    limit: int,
    seed: int = 0,
    batch_size: int = 128,
) -> dict:
    """Negative log-likelihood of windows under codes of their own, of windows so many bars later,
    and of another song.

    Returns windows, songs (counts), own (mean, nats per window), and excess: {'1 bar later': ...,
    'another song': ...}, each {mean, interval}: nats more than under the own code, 95% over songs
    (None with one song).
    """
    bars = cfg.total_steps // STEPS_PER_BAR
    if not all(0 < shift < bars for shift in shifts):
        raise InputError(
            f'shifts are whole bars from 1 to {bars - 1}, inside the window; these are {", ".join(map(str, shifts))}'
        )
    windows, songs = (
        np.asarray(store.windows(kind, bars, split)),
        np.asarray(store.songs(kind, bars, split)),
    )
    places = find_places(windows, songs, shifts, limit, seed)
    losses = np.zeros(places.shape)
    for n in tqdm(
        range(0, len(places), batch_size),
        'windows',
        unit='batch',
        dynamic_ncols=True,
        leave=False,
        disable=None,
    ):
        rows = np.resize(
            places[n : n + batch_size], (batch_size, places.shape[1])
        )  # the last batch filled up: one program for all
        sources = [store.gather(windows[column], cfg.total_steps, kind) for column in rows.T]
        found = np.stack(
            [
                np.asarray(
                    _loss(
                        params, cfg, sources[0], source, jax.random.fold_in(jax.random.key(seed), n)
                    )
                )
                for source in sources
            ],
            1,
        )
        losses[n : n + batch_size] = found[: len(places) - n]
    _, song_of = np.unique(songs[places[:, 0]], return_inverse=True)
    counts = np.bincount(song_of)
    names = [f'{shift} bar{"s" * (shift > 1)} later' for shift in shifts] + ['another song']
    excess = {}
    for name, more in zip(names, (losses[:, 1:] - losses[:, :1]).T, strict=True):
        excess[name] = {
            'mean': float(more.mean()),
            'interval': share_interval(np.bincount(song_of, more), counts, seed),
        }
    return {
        'windows': len(places),
        'songs': len(counts),
        'own': float(losses[:, 0].mean()),
        'excess': excess,
    }
