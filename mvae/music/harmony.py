"""Chords that notes imply: the likeliest row of keys and chords (Viterbi).

A hidden Markov model over 12 keys and 97 chords with hand-set probabilities, as note_seq's
(docs/magenta.md, Chords).
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mvae.music.symbols import NO_CHORD

_KEY = (0, 2, 4, 5, 7, 9, 11)  # pitch classes of a major key, and of its relative minor
# Pitch classes of each kind of chord above its root, and the quality of its triad.
_KINDS = (
    ((0, 4, 7), 0), ((0, 3, 7), 1), ((0, 4, 8), 2), ((0, 3, 6), 3),
    ((0, 4, 7, 10), 0), ((0, 4, 7, 11), 0), ((0, 3, 7, 10), 1), ((0, 3, 6, 10), 3),
)  # fmt: skip
_CHORDS = 1 + 12 * len(_KINDS)  # 0 is no chord; then all kinds on C, on C#, ...
_KEY_CHANGES, _CHORD_CHANGES = 0.001, 0.5  # probabilities from one place to the next
_OUT_OF_KEY = 0.01  # probability of a pitch of a chord to be none of the key
_CONCENTRATION = 100.0  # how closely notes follow their chord

Advance = Callable[[int, np.ndarray], tuple[np.ndarray, np.ndarray]]


def infer(start: np.ndarray, end: np.ndarray, pitch: np.ndarray, every: int) -> np.ndarray:
    """The triad of every `every` steps that notes imply, int64 [F], numbered as in `symbols`.

    start, end: float or int [N >= 1], in steps. pitch: int [N], MIDI.
    """
    vectors = _pitch_classes(start, end, pitch, every)
    fit = _CONCENTRATION * vectors @ _chord_vectors().T  # [F, chords]
    first = np.log(_chords_of_keys()) - np.log(12) + fit[0]
    paths = _transitions()
    own_key = _CHORDS * np.arange(12)

    def advance(frame: int, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scores = scores.reshape(12, _CHORDS)
        kinds = np.where(paths.kind, scores[:, None], -np.inf)  # [12, kinds, chords]
        begin = kinds.argmax(2) + own_key[:, None]
        through = kinds.max(2)[:, :, None] + paths.within
        best, back = through.max(1), np.take_along_axis(begin, through.argmax(1), 1)
        stay = scores + paths.stay
        best, back = _better(best, back, stay, own_key[:, None] + np.arange(_CHORDS))
        own, leave = scores.max(1), scores.argmax(1) + own_key
        others = np.where(np.eye(12, dtype=bool), -np.inf, own).argmax(1)  # the best other key
        change = own[others][:, None] + paths.into
        best, back = _better(best, back, change, leave[others][:, None])
        return (best + fit[frame]).ravel(), back.ravel()

    chords = best_path(first.ravel(), advance, len(fit)) % _CHORDS
    root, kind = np.divmod(chords - 1, len(_KINDS))
    quality = np.array([quality for _, quality in _KINDS])[kind]
    return np.where(chords == 0, NO_CHORD, 1 + 12 * quality + root)


def best_path(
    scores: np.ndarray, advance: Advance, frames: int, last: np.ndarray | float = 0.0
) -> np.ndarray:
    """The states int64 [frames] of the best path (Viterbi, 1967).

    scores: [S], of each state at the first frame. advance: a frame's number and the scores before
    it -> those at it, and from which state each came, [S] each. last: added to the final scores.
    """
    back = np.zeros((frames, len(scores)), np.int64)
    for frame in range(1, frames):
        scores, back[frame] = advance(frame, scores)
    path = np.empty(frames, np.int64)
    path[-1] = (scores + last).argmax()
    for frame in range(frames - 1, 0, -1):
        path[frame - 1] = back[frame, path[frame]]
    return path


def _pitch_classes(start: np.ndarray, end: np.ndarray, pitch: np.ndarray, every: int) -> np.ndarray:
    """How long each pitch class sounds in every frame: float64 [F, 12], rows of length 1 or 0."""
    frames = max(1, int(np.ceil(end.max() / every)))
    border = np.arange(frames + 1) * every
    vectors = np.zeros((12, frames))
    for pitch_class in range(12):
        own = pitch % 12 == pitch_class
        # Time sounded until each border, of all notes: differences are what sounds between them.
        until = np.clip(border - start[own][:, None], 0, (end - start)[own][:, None]).sum(0)
        vectors[pitch_class] = np.diff(until)
    size = np.linalg.norm(vectors, axis=0)
    return (vectors / np.where(size > 0, size, 1)).T


@functools.cache
def _chord_classes() -> np.ndarray:
    """Which pitch classes each chord has: bool [chords, 12]."""
    classes = np.zeros((_CHORDS, 12), bool)
    for chord in range(1, _CHORDS):
        root, kind = divmod(chord - 1, len(_KINDS))
        classes[chord, [(root + tone) % 12 for tone in _KINDS[kind][0]]] = True
    return classes


def _chord_vectors() -> np.ndarray:
    classes = _chord_classes().astype(float)
    return classes / np.maximum(np.linalg.norm(classes, axis=1, keepdims=True), 1)


@functools.cache
def _chords_of_keys() -> np.ndarray:
    """Probability of each chord in each key: float64 [12, chords]."""
    keys = np.zeros((12, 12), bool)
    for key in range(12):
        keys[key, [(key + tone) % 12 for tone in _KEY]] = True
    inside = keys.astype(int) @ _chord_classes().T.astype(int)
    outside = (~keys).astype(int) @ _chord_classes().T.astype(int)
    weights = (1 - _OUT_OF_KEY) ** inside * _OUT_OF_KEY**outside
    return weights / weights.sum(1, keepdims=True)


class _Transitions(NamedTuple):
    """Logarithms of probabilities of the next key and chord.

    The chord before matters only by how probable it is in its key, and there are few such kinds.

    kind: bool [12, kinds, chords], which are of which. within: [12, kinds, chords], to another
    chord in the same key. stay: of the same chord. into: [12, chords], from another key.
    """

    kind: np.ndarray
    within: np.ndarray
    stay: float
    into: np.ndarray


@functools.cache
def _transitions() -> _Transitions:
    chords = _chords_of_keys()
    _, first, place = np.unique(np.log(chords).round(9), return_index=True, return_inverse=True)
    levels = chords.ravel()[first]
    kind = place.reshape(12, 1, _CHORDS) == np.arange(len(levels))[:, None]
    changed = chords[:, None] + levels[:, None] / (_CHORDS - 1)
    return _Transitions(
        kind,
        np.log((1 - _KEY_CHANGES) * (_CHORD_CHANGES * changed)),
        float(np.log((1 - _CHORD_CHANGES) * (1 - _KEY_CHANGES))),
        np.log(_KEY_CHANGES / 11 * chords),
    )


def _better(
    best: np.ndarray, back: np.ndarray, other: np.ndarray, other_back: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The better of two ways to each state, and from where it comes."""
    return np.maximum(best, other), np.where(other > best, other_back, back)
