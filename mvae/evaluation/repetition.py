"""Form: how often a bar of a piece comes back."""

from typing import Any, NamedTuple

import numpy as np

from mvae.evaluation.statistics import share_interval
from mvae.music.events import ONSET
from mvae.music.form import Form, Stream

DISTANCES = (1, 2, 4, 8)  # bars


class _Pairs(NamedTuple):
    """Of each piece [N]: pairs of bars, how many of them are the same, and how alike they are."""

    pairs: np.ndarray
    same: np.ndarray
    alike: np.ndarray


def repetition(pieces: np.ndarray, form: Form, songs: np.ndarray) -> dict[str, Any]:
    """How often bars come back, for each stream of pieces int [N, T, K].

    songs: int [N], the song that each piece is of; intervals are over songs.

    A pair is a bar that sounds, one in which a note begins, and the bar d bars later. Returns for
    each stream {'d': {same, alike}}, for those of 1, 2, 4 and 8 that fit, each {mean,
    interval}. same: the share of pairs whose columns are equal. alike: of the steps of a pair at
    which something happens, the share at which the same happens, averaged over pairs. An interval
    is 95%, and None with fewer than two songs; a mean is None where no bar sounds.
    """
    _, song = np.unique(songs, return_inverse=True)
    found = {}
    for stream, columns in zip(form.streams, form.split(pieces), strict=True):
        shape = len(columns), form.bars, form.rows_per_bar, -1
        bars = np.reshape(stream.codec.judged(columns), shape)
        sounding = _sounding(columns, stream, form)
        found[stream.name] = {
            str(distance): _shares(_pairs(bars, sounding, distance), song)
            for distance in DISTANCES
            if distance < form.bars
        }
    return found


def repeated_bars(columns: np.ndarray, stream: Stream, form: Form) -> np.ndarray:
    """How many sounding bars of columns [N, T, C] were there before in their piece: int64 [N]."""
    bars = np.reshape(stream.codec.judged(columns), (len(columns), form.bars, -1))
    same = (bars[:, :, None] == bars[:, None]).all(-1)  # [N, bars, bars]
    before = np.tril(np.ones((form.bars, form.bars), bool), -1)
    return ((same & before).any(-1) & _sounding(columns, stream, form)).sum(-1)


def _sounding(columns: np.ndarray, stream: Stream, form: Form) -> np.ndarray:
    """In which bars of columns [N, T, C] something begins: bool [N, bars]."""
    onsets = stream.codec.events(columns) == ONSET
    return onsets.reshape(len(columns), form.bars, -1).any(-1)


def _pairs(bars: np.ndarray, sounding: np.ndarray, distance: int) -> _Pairs:
    """bars [N, bars, steps, C]; sounding bool [N, bars]."""
    first, second, taken = bars[:, :-distance], bars[:, distance:], sounding[:, :-distance]
    equal = (first == second).all(-1)
    happens = (first != 0).any(-1) | (second != 0).any(-1)
    alike = (equal & happens).sum(-1) / np.maximum(happens.sum(-1), 1)
    return _Pairs(taken.sum(-1), (taken & equal.all(-1)).sum(-1), (taken * alike).sum(-1))


def _shares(pairs: _Pairs, song: np.ndarray) -> dict[str, dict[str, Any]]:
    count, same, alike = (np.bincount(song, weights=column) for column in pairs)
    return {'same': _share(same, count), 'alike': _share(alike, count)}


def _share(hits: np.ndarray, count: np.ndarray) -> dict[str, Any]:
    mean = float(hits.sum() / count.sum()) if count.sum() else None
    return {'mean': mean, 'interval': share_interval(hits, count)}
