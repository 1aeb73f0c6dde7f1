"""Tracks of a section as columns, and what is known of the windows in them."""

from collections.abc import Callable, Sequence

import numpy as np

from mvae.music.reasons import Reason
from mvae.music.sections import Section
from mvae.music.tracks import Track
from mvae.music.windows import content_hash, slice_windows


class Voice:
    """One track as a codec writes it, from the beginning of a section to its end.

    other: the voice beside which it stands, row by row.
    """

    def __init__(
        self, number: int, track: Track, section: Section, bars: int, other: 'Voice | None' = None
    ):
        self.number, self.track, self.codec = number, track.number, track.codec
        self.rows_per_bar = (other or self).codec.rows(section.steps_per_bar)
        self.notes = track.notes(section)  # as they stand in the file
        self.kept = track.codec.voice(self.notes)
        self.columns = track.codec.encode(self.kept, bars * section.steps_per_bar)
        if other is not None:
            self.columns = other.codec.beside(self.columns, other.columns)
        self._facts: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def facts(self, bars: int) -> tuple[np.ndarray, np.ndarray]:
        """Of the cleaned window at every bar: hash uint64 [n], and whether it is silent [n]."""
        if bars not in self._facts:
            first = np.arange(len(self.columns) // self.rows_per_bar - bars + 1)
            windows = self._windows(first, bars)
            self._facts[bars] = content_hash(windows), np.invert(windows.any((1, 2)))
        return self._facts[bars]

    def thin(self, first: np.ndarray, bars: int) -> dict[Reason, np.ndarray]:
        """Of the windows at bars first [n] those with too little to learn from, bool [n] each."""
        return self.codec.thin(self._windows(first, bars))

    @property
    def refused(self) -> dict[Reason, int]:
        """How many bars are left out whole, and why."""
        return self.codec.refused(self.notes)

    def _windows(self, first: np.ndarray, bars: int) -> np.ndarray:
        windows = slice_windows(self.columns, first, bars, self.rows_per_bar)
        return self.codec.clean(windows)


def facts_of(
    voices: Sequence[Sequence[Voice]], choice: np.ndarray, first: np.ndarray, bars: int
) -> tuple[np.ndarray, np.ndarray]:
    """Hashes and silence of windows at bars first [N] of the voices chosen: [K, N] each."""
    facts = []
    for own, place in zip(voices, choice.T, strict=True):
        found = zip(*(voice.facts(bars) for voice in own), strict=True)
        facts.append([np.stack(fact)[place, first] for fact in found])
    hashes, silent = (np.stack(rows) for rows in zip(*facts, strict=True))
    return hashes, silent


def pick(
    voices: Sequence[Sequence[Voice]], choice: np.ndarray, number: Callable[[Voice], int]
) -> np.ndarray:
    """A number of the voices chosen, int64 [N, K] of each stream: int64 [K, N]."""
    own = zip(voices, choice.T, strict=True)
    return np.stack([np.array([number(v) for v in part], np.int64)[place] for part, place in own])
