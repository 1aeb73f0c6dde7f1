"""Chords as a column: the triad that holds at every step."""

import dataclasses
from typing import ClassVar

import numpy as np

from mvae.errors import InputError
from mvae.music.codec import Codec, GridNotes
from mvae.music.events import HOLDING, ONSET, REST
from mvae.music.symbols import NO_CHORD, QUALITIES, TRIADS, name_of, parse_progression

_LOWEST = 48  # roots sound from C3 up


@dataclasses.dataclass(frozen=True)
class ChordCodec(Codec):
    """One column of triads, 0 for no chord, numbered as in `symbols`.

    Its notes are triads in root position, all of a chord beginning together.
    """

    head: ClassVar[str] = 'categorical'

    @property
    def sizes(self) -> tuple[int, ...]:
        return (TRIADS,)

    def expresses(self, pitch: np.ndarray) -> np.ndarray:
        return np.ones(len(pitch), bool)

    def voice(self, notes: GridNotes) -> GridNotes:
        return notes.select(np.lexsort((notes.pitch, notes.start)))

    def encode(self, notes: GridNotes, length: int) -> np.ndarray:
        column = np.zeros((length, 1), np.uint16)
        for start in np.unique(notes.start[notes.start < length]).tolist():
            own = notes.select(notes.start == start)
            root = int(own.pitch.min())
            shape = tuple(sorted(int(pitch) - root for pitch in own.pitch))
            triad = 1 + 12 * QUALITIES.index(shape) + root % 12 if shape in QUALITIES else NO_CHORD
            column[start : own.end.max()] = triad
        return column

    def decode(self, columns: np.ndarray) -> GridNotes:
        return chord_notes(*changes(columns))

    def events(self, columns: np.ndarray) -> np.ndarray:
        """A chord begins where it is another than before."""
        column = np.asarray(columns)[..., 0]
        begins = np.diff(column, axis=-1, prepend=NO_CHORD) != 0
        return np.where(column == NO_CHORD, REST, np.where(begins, ONSET, HOLDING)).astype(np.int8)

    def room(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        octave = np.full(len(windows), 12, np.int64)
        return octave, octave

    def transpose(self, windows: np.ndarray, shift: np.ndarray) -> np.ndarray:
        quality, root = np.divmod(windows.astype(np.int64) - 1, 12)
        moved = 1 + 12 * quality + (root + shift[:, None, None]) % 12
        return np.where(windows == NO_CHORD, NO_CHORD, moved).astype(windows.dtype)

    def parse(self, text: str, steps_per_bar: int, steps: int) -> np.ndarray:
        """Columns of a progression such as 'C G Am F', begun anew where it ends.

        Raises InputError for what is no chord, or does not share a bar out evenly.
        """
        bars = parse_progression(text)
        for bar in bars:
            if steps_per_bar % len(bar):
                raise InputError(
                    f'{len(bar)} chords do not share out a bar of {steps_per_bar} steps evenly; '
                    'a dot holds a chord: C . G .'
                )
        column = np.concatenate([np.repeat(bar, steps_per_bar // len(bar)) for bar in bars])
        return np.resize(column, (steps, 1)).astype(np.int32)

    def symbols(self, columns: np.ndarray) -> list[tuple[int, str]]:
        starts, _, triads = changes(columns, gaps=True)
        return [
            (int(start), name_of(int(triad))) for start, triad in zip(starts, triads, strict=True)
        ]


def changes(columns: np.ndarray, gaps: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of columns [T, 1] each chord's first step, the step after its last, its triad: int64 [N].

    gaps: steps without a chord count as one too, but for those before the first.
    """
    column = np.asarray(columns)[:, 0].astype(np.int64)
    start = np.flatnonzero(np.diff(column, prepend=NO_CHORD))
    end, triad = np.append(start[1:], len(column))[: len(start)], column[start]
    kept = np.ones(len(start), bool) if gaps else triad != NO_CHORD
    return start[kept], end[kept], triad[kept]


def chord_notes(start: np.ndarray, end: np.ndarray, triad: np.ndarray) -> GridNotes:
    """Chords int [N] as notes of their triads; without those that are none."""
    kept = triad != NO_CHORD
    start, end, (quality, root) = start[kept], end[kept], np.divmod(triad[kept] - 1, 12)
    pitch = _LOWEST + root[:, None] + np.array(QUALITIES)[quality]
    return GridNotes.make(np.repeat(start, 3), np.repeat(end, 3), pitch.ravel())
