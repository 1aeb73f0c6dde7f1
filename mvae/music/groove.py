"""Drums as they are played: hits of nine classes, how hard, and how early or late.

GrooVAE (Gillick et al., 2019); docs/magenta.md, Grooves.
"""

import dataclasses
from typing import ClassVar, NamedTuple

import numpy as np

from mvae.music.codec import Codec, GridNotes
from mvae.music.columns import run_starts
from mvae.music.drums import DRUM_CLASSES, drum_classes, drum_pitches
from mvae.music.events import ONSET, REST

TICKS = 120  # of a step: places that a hit is written at, those of MIDI with 480 to the quarter
# Columns are finer than MIDI, so that a decoder hears what it said almost unrounded.
_FINE = 512
_LOUDEST = 127 * _FINE
_EARLIEST = TICKS // 2 * _FINE
_OFFSETS = 2 * _EARLIEST + 1


class Played(NamedTuple):
    """What columns say of each class [..., 9]: hits bool, velocity and late float64.

    velocity: MIDI's. late: steps behind the grid. Both are there whether there is a hit or not.
    """

    hits: np.ndarray
    velocity: np.ndarray
    late: np.ndarray


def played(columns: np.ndarray) -> Played:
    """Columns of a groove int [..., 27] as they sound."""
    hits, velocity, offset = np.split(np.asarray(columns).astype(np.int64), 3, -1)
    offset = np.where(offset > _EARLIEST, offset - _OFFSETS, offset)
    return Played(hits > 0, velocity / _FINE, -offset / (_FINE * TICKS))


@dataclasses.dataclass(frozen=True)
class GrooveCodec(Codec):
    """27 columns: of each class whether it is hit, its velocity, its offset.

    A velocity v is 512 v. An offset of k ticks before the grid is 512 k, and behind it (k below 0)
    512 k + 61441, so that 0 is on the grid. A hit that falls half a step late belongs to the next
    step. What is not hit has zeros. How long a hit lasts has no part in it.
    """

    drum_map: str = 'current'

    head: ClassVar[str] = 'groove'
    droppable: ClassVar[int] = DRUM_CLASSES

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(np.repeat([2, _LOUDEST + 1, _OFFSETS], DRUM_CLASSES).tolist())

    def expresses(self, pitch: np.ndarray) -> np.ndarray:
        return drum_classes(self.drum_map)[pitch] >= 0

    def slots(self, pitch: np.ndarray) -> np.ndarray:
        return drum_classes(self.drum_map)[pitch]

    def voice(self, notes: GridNotes) -> GridNotes:
        """The loudest hit of each class at a step, of equal ones the first, one step long."""
        slot = self.slots(notes.pitch)
        notes = notes.select(order := np.lexsort((-notes.velocity, slot, notes.start)))
        slot = slot[order]
        first = run_starts(notes.start, slot)
        kept = notes.select(first[: len(slot)])
        return kept._replace(end=kept.start + 1)

    def encode(self, notes: GridNotes, length: int) -> np.ndarray:
        notes = notes.select(notes.start < length)
        early = -_on_ticks(notes.late)
        columns = np.zeros((length, 3, DRUM_CLASSES), np.uint16)
        place = notes.start, slice(None), self.slots(notes.pitch)
        values = np.ones(len(early)), notes.velocity * _FINE, early * _FINE % _OFFSETS
        columns[place] = np.stack(values, 1)
        return columns.reshape(length, -1)

    def decode(self, columns: np.ndarray) -> GridNotes:
        """Each class as its own pitch, heard, and never before the beginning; rounded to ticks."""
        sound = played(columns)
        steps, classes = np.nonzero(sound.hits)
        late = _on_ticks(sound.late[steps, classes]) / TICKS
        late = np.maximum(late, -steps)
        loud = np.clip(np.rint(sound.velocity[steps, classes]), 1, 127)
        return GridNotes.make(steps, steps + 1, drum_pitches(self.drum_map)[classes], loud, late)

    def judged(self, columns: np.ndarray) -> np.ndarray:
        """The hits: nobody plays twice with the same velocities and offsets."""
        return columns[..., :DRUM_CLASSES]

    def events(self, columns: np.ndarray) -> np.ndarray:
        """Drums do not sound on: they have onsets and rests."""
        hit = np.asarray(columns)[..., :DRUM_CLASSES].any(-1)
        return np.where(hit, ONSET, REST).astype(np.int8)

    def canonical(self, columns: np.ndarray) -> np.ndarray:
        """Rounded to MIDI's velocities and to ticks, and zeros where nothing is hit."""
        return self.encode(self.decode(columns), len(columns)).astype(columns.dtype)

    def drop(self, windows: np.ndarray, kept: np.ndarray) -> np.ndarray:
        return self.mix(windows, 0 * windows, ~kept)

    def mix(self, windows: np.ndarray, others: np.ndarray, taken: np.ndarray) -> np.ndarray:
        mixed = np.where(np.tile(taken, 3)[:, None], others, windows)
        return np.where(mixed.any((1, 2), keepdims=True), mixed, windows)


@dataclasses.dataclass(frozen=True)
class HitsCodec(Codec):
    """9 columns: of each class whether it is hit, whatever its velocity and offset."""

    drum_map: str = 'current'

    head: ClassVar[str] = 'bits'

    @property
    def sizes(self) -> tuple[int, ...]:
        return (2,) * DRUM_CLASSES

    def expresses(self, pitch: np.ndarray) -> np.ndarray:
        return drum_classes(self.drum_map)[pitch] >= 0

    def slots(self, pitch: np.ndarray) -> np.ndarray:
        return drum_classes(self.drum_map)[pitch]

    def voice(self, notes: GridNotes) -> GridNotes:
        return GrooveCodec(self.drum_map).voice(notes)

    def encode(self, notes: GridNotes, length: int) -> np.ndarray:
        return GrooveCodec(self.drum_map).encode(notes, length)[:, :DRUM_CLASSES]

    def decode(self, columns: np.ndarray) -> GridNotes:
        steps, classes = np.nonzero(columns)
        return GridNotes.make(steps, steps + 1, drum_pitches(self.drum_map)[classes])

    def events(self, columns: np.ndarray) -> np.ndarray:
        return np.where(np.asarray(columns).any(-1), ONSET, REST).astype(np.int8)


def with_parts(columns: np.ndarray, others: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Columns int [..., 27] with those numbers of others [..., 27] whose class is taken.

    taken: bool [..., 9].
    """
    return np.where(np.concatenate([taken] * 3, -1), others, columns)


def _on_ticks(late: np.ndarray) -> np.ndarray:
    """The nearest tick within a step, int64: half a step early, and less than half a step late."""
    return np.clip(np.rint(late * TICKS), -(TICKS // 2), TICKS // 2 - 1).astype(np.int64)
