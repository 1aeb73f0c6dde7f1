"""Drums: the hits of nine classes at a step as one of 2^9 tokens (paper section 4.1)."""

import dataclasses
import functools
from typing import ClassVar

import numpy as np

from mvae.music.codec import Codec, GridNotes
from mvae.music.events import ONSET, REST

# The classes and their General MIDI pitches; the first of each is what a class sounds as.
_CLASS_PITCHES = (
    (36, 35),  # kick
    (38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85),  # snare
    (42, 44, 54, 68, 69, 70, 71, 73, 78, 80, 22),  # closed hi-hat
    (46, 67, 72, 74, 79, 81, 26),  # open hi-hat
    (45, 29, 41, 43, 61, 64, 84),  # low tom
    (48, 47, 60, 63, 77, 86, 87),  # mid tom
    (50, 30, 62, 76, 83),  # high tom
    (49, 52, 55, 57, 58),  # crash
    (51, 53, 59, 82),  # ride
)
DRUM_NAMES = (
    *('kick', 'snare', 'closed hat', 'open hat'),
    *('low tom', 'mid tom', 'high tom', 'crash', 'ride'),
)
# Where other maps differ: the one before April 2019, and the one of the Roland TD-11, on which the
# Groove MIDI Dataset was played. Its rims are pitches of their own.
_OTHER_CLASSES = {
    'old': {22: -1, 26: -1, 43: 6, 52: 8},
    'roland': {45: 5, 48: 6, 58: 4},
}
_OTHER_PITCHES = {'roland': {4: 43, 5: 47}}  # a class sounds as a pitch that is read as it
DRUM_CLASSES = len(_CLASS_PITCHES)
DRUM_PITCHES = np.array([pitches[0] for pitches in _CLASS_PITCHES])
_BITS = 1 << np.arange(DRUM_CLASSES)


@functools.cache
def drum_classes(drum_map: str = 'current') -> np.ndarray:
    """The class of every MIDI pitch: int64 [128], read-only, -1 for pitches of no class."""
    classes = np.full(128, -1)
    for number, pitches in enumerate(_CLASS_PITCHES):
        classes[list(pitches)] = number
    for pitch, number in _OTHER_CLASSES.get(drum_map, {}).items():
        classes[pitch] = number
    classes.flags.writeable = False
    return classes


@functools.cache
def drum_pitches(drum_map: str = 'current') -> np.ndarray:
    """The MIDI pitch that each class sounds as: int64 [9], read-only."""
    pitches = DRUM_PITCHES.copy()
    for number, pitch in _OTHER_PITCHES.get(drum_map, {}).items():
        pitches[number] = pitch
    pitches.flags.writeable = False
    return pitches


def class_pitches(drum_map: str = 'current') -> list[list[int]]:
    """The MIDI pitches of every class; the first is what it sounds as."""
    classes = drum_classes(drum_map)
    return [
        [pitch, *(other for other in np.flatnonzero(classes == n).tolist() if other != pitch)]
        for n, pitch in enumerate(drum_pitches(drum_map).tolist())
    ]


@dataclasses.dataclass(frozen=True)
class DrumCodec(Codec):
    """One column of tokens: the sum of 2^class over the classes that are hit at the step.

    How long a hit lasts, and how loud it is, has no part in it.
    """

    drum_map: str = 'current'

    head: ClassVar[str] = 'drum_roll'
    droppable: ClassVar[int] = DRUM_CLASSES

    @property
    def sizes(self) -> tuple[int, ...]:
        return (2**DRUM_CLASSES,)

    def expresses(self, pitch: np.ndarray) -> np.ndarray:
        return drum_classes(self.drum_map)[pitch] >= 0

    def slots(self, pitch: np.ndarray) -> np.ndarray:
        return drum_classes(self.drum_map)[pitch]

    def voice(self, notes: GridNotes) -> GridNotes:
        """All hits, each one step long."""
        notes = notes.select(np.argsort(notes.start, kind='stable'))
        return notes._replace(end=notes.start + 1)

    def encode(self, notes: GridNotes, length: int) -> np.ndarray:
        notes = notes.select(notes.start < length)
        roll = np.zeros((length, DRUM_CLASSES), bool)
        roll[notes.start, drum_classes(self.drum_map)[notes.pitch]] = True
        return (roll @ _BITS).astype(np.uint16)[:, None]

    def decode(self, columns: np.ndarray) -> GridNotes:
        """Each class as its own pitch, one step long."""
        steps, classes = np.nonzero(np.asarray(columns).astype(np.int64) & _BITS)
        return GridNotes.make(steps, steps + 1, drum_pitches(self.drum_map)[classes])

    def events(self, columns: np.ndarray) -> np.ndarray:
        """Drums do not sound on: they have onsets and rests."""
        return np.where(np.asarray(columns)[..., 0] > 0, ONSET, REST).astype(np.int8)

    def drop(self, windows: np.ndarray, kept: np.ndarray) -> np.ndarray:
        return self.mix(windows, 0 * windows, ~kept)

    def mix(self, windows: np.ndarray, others: np.ndarray, taken: np.ndarray) -> np.ndarray:
        bits = (taken @ _BITS).astype(np.uint16)[:, None, None]
        mixed = (windows & ~bits) | (others & bits)
        return np.where(mixed.any((1, 2), keepdims=True), mixed, windows)
