"""Likeness: how far pieces have the same notes, on the whole, as music.

A feature such as the length of notes makes a histogram over all notes of a set of pieces. Two sets
are alike in it as far as their histograms overlap: 1 - total variation, the sum over bins of the
smaller share. 1 is equal, 0 has nothing in common.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from mvae.evaluation.repetition import repeated_bars
from mvae.music.codec import GridNotes
from mvae.music.form import Form, Stream

_RESAMPLES = 200
_NORMAL = 1.96  # standard errors on either side that hold 95%
_MOST_STEPS, _WIDEST = 32, 24  # longer notes and wider intervals share the last bin
_KEY_BINS = 12
_MAJOR = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1], bool)

Feature = Callable[[GridNotes, Form], tuple[np.ndarray, int]]  # bins int [...], number of bins


def _onsets_in_bars(notes: GridNotes, form: Form) -> tuple[np.ndarray, int]:
    starts = np.unique(notes.start)
    counts = np.bincount(starts // form.steps_per_bar, minlength=form.bars)
    return counts, form.steps_per_bar + 1


def _position(notes: GridNotes, form: Form) -> tuple[np.ndarray, int]:
    return notes.start % form.steps_per_bar, form.steps_per_bar


def _pitch(notes: GridNotes, form: Form) -> tuple[np.ndarray, int]:
    return notes.pitch, 128


def _pitch_class(notes: GridNotes, form: Form) -> tuple[np.ndarray, int]:
    return notes.pitch % 12, 12


def _interval(notes: GridNotes, form: Form) -> tuple[np.ndarray, int]:
    leaps = np.clip(np.diff(notes.pitch), -_WIDEST, _WIDEST)
    return leaps + _WIDEST, 2 * _WIDEST + 1


def _length(notes: GridNotes, form: Form) -> tuple[np.ndarray, int]:
    return np.minimum(notes.end - notes.start, _MOST_STEPS), _MOST_STEPS + 1


def _in_one_key(notes: GridNotes, form: Form) -> tuple[np.ndarray, int]:
    """The share of notes in the major key that has most of them, in twelfths above a half."""
    if not len(notes.pitch):
        return np.zeros(0, np.int64), _KEY_BINS
    classes = np.bincount(notes.pitch % 12, minlength=12)
    best = max(classes @ np.roll(_MAJOR, key) for key in range(12)) / len(notes.pitch)
    return np.array([int(np.clip((2 * best - 1) * _KEY_BINS, 0, _KEY_BINS - 1))]), _KEY_BINS


_OF_ALL: dict[str, Feature] = {
    'onsets in a bar': _onsets_in_bars,
    'place in the bar': _position,
    'pitch': _pitch,
}
_OF_TONAL: dict[str, Feature] = {
    'pitch class': _pitch_class,
    'interval': _interval,
    'length': _length,
    'in one key': _in_one_key,
}


def histograms(pieces: np.ndarray, form: Form) -> dict[str, np.ndarray]:
    """What is counted in each of the pieces int [N, T, K]: {'melody: pitch': int64 [N, bins]}."""
    found: dict[str, np.ndarray] = {}
    for stream, columns in zip(form.streams, form.split(pieces), strict=True):
        features = _OF_ALL | (_OF_TONAL if stream.tonal else {})
        notes = [stream.codec.decode(piece) for piece in columns]
        for name, feature in features.items():
            found[f'{stream.name}: {name}'] = _counted([feature(one, form) for one in notes])
        found[f'{stream.name}: bars repeated'] = _repeated(columns, stream, form)
    return found


def likeness(
    first: dict[str, np.ndarray], second: dict[str, np.ndarray], seed: int = 0
) -> dict[str, Any]:
    """How far two sets of pieces, as `histograms` counts them, are alike.

    Returns features {name: overlap}, mean over them, interval of the mean (95%, normal, of a
    bootstrap over the pieces of the first set; None with fewer than two), worst: the name of the
    least alike. A feature that one set has nothing of overlaps by 0, or by 1 if neither has.
    """
    names = list(first)
    whole = {name: overlap(first[name].sum(0), second[name].sum(0)) for name in names}
    count = len(first[names[0]])

    def mean(rows: np.ndarray) -> float:
        taken = np.bincount(rows, minlength=count)
        return float(np.mean([overlap(taken @ first[n], second[n].sum(0)) for n in names]))

    middle, interval = float(np.mean(list(whole.values()))), None
    if count > 1:
        how: dict[str, Any] = {'n_resamples': _RESAMPLES, 'vectorized': False, 'rng': seed}
        # Its own percentiles are no interval: what is drawn twice makes histograms less alike.
        spread = stats.bootstrap((np.arange(count),), mean, method='basic', **how).standard_error
        interval = [middle - _NORMAL * spread, middle + _NORMAL * spread]
    return {
        'features': whole,
        'mean': middle,
        'interval': interval,
        'worst': min(whole, key=whole.__getitem__),
    }


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """1 - total variation of two histograms [bins]."""
    if not (first.any() and second.any()):
        return float(first.any() == second.any())
    return float(np.minimum(first / first.sum(), second / second.sum()).sum())


def _counted(rows: list[tuple[np.ndarray, int]]) -> np.ndarray:
    return np.stack([np.bincount(bins, minlength=size) for bins, size in rows])


def _repeated(columns: np.ndarray, stream: Stream, form: Form) -> np.ndarray:
    return np.eye(form.bars, dtype=np.int64)[repeated_bars(columns, stream, form)]
