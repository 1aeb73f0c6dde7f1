"""Tracks of a section as columns, and what is known of the windows in them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from mvae.music.codec import GridNotes
from mvae.music.reasons import Reason
from mvae.music.sections import Section
from mvae.music.tracks import Track
from mvae.music.windows import content_hash, slice_windows


class Facts(NamedTuple):
    """Of cleaned windows [n] of one length.

    hashes: uint64 [n]. silent: which are, bool [n]. thin: which have too little to learn from, bool
    [n] for each reason.
    """

    hashes: np.ndarray
    silent: np.ndarray
    thin: dict[Reason, np.ndarray]


class Voice:
    """One track as a codec writes it, from the beginning of a section to its end.

    notes: as they stand in the file. other: the voice beside which it stands, row by row.
    """

    def __init__(
        self,
        number: int,
        track: Track,
        notes: GridNotes,
        section: Section,
        bars: int,
        other: 'Voice | None' = None,
    ):
        self.number, self.track, self.codec, self.notes = number, track.number, track.codec, notes
        self.rows_per_bar = (other or self).codec.rows(section.steps_per_bar)
        self.kept = track.codec.voice(notes)
        self.columns = track.codec.encode(self.kept, bars * section.steps_per_bar)
        if other is not None:
            self.columns = other.codec.beside(self.columns, other.columns)
        self._facts: dict[int, Facts] = {}

    def facts(self, bars: int) -> Facts:
        """Of the window at every bar."""
        if bars not in self._facts:
            first = np.arange(len(self.columns) // self.rows_per_bar - bars + 1)
            windows = slice_windows(self.columns, first, bars, self.rows_per_bar)
            windows = self.codec.clean(windows)
            silent = np.invert(windows.any((1, 2)))
            self._facts[bars] = Facts(content_hash(windows), silent, self.codec.thin(windows))
        return self._facts[bars]

    @property
    def refused(self) -> dict[Reason, int]:
        """How many bars are left out whole, and why."""
        return self.codec.refused(self.notes)


def facts_of(
    voices: Sequence[Sequence[Voice]], choice: np.ndarray, first: np.ndarray, bars: int
) -> tuple[np.ndarray, np.ndarray]:
    """Hashes and silence of windows at bars first [N] of the voices chosen: [K, N] each."""
    facts = []
    for own, place in zip(voices, choice.T, strict=True):
        found = zip(*(voice.facts(bars)[:2] for voice in own), strict=True)
        facts.append([np.stack(fact)[place, first] for fact in found])
    hashes, silent = (np.stack(rows) for rows in zip(*facts, strict=True))
    return hashes, silent


def pick(
    voices: Sequence[Sequence[Voice]], choice: np.ndarray, number: Callable[[Voice], int]
) -> np.ndarray:
    """A number of the voices chosen, int64 [N, K] of each stream: int64 [K, N]."""
    own = zip(voices, choice.T, strict=True)
    return np.stack([np.array([number(v) for v in part], np.int64)[place] for part, place in own])
