"""Percussion: each of 61 instruments for itself, where drums have nine classes.

docs/magenta.md, Drum classes.
"""

import dataclasses
from typing import ClassVar

import numpy as np

from mvae.music.codec import Codec, GridNotes
from mvae.music.drums import DRUM_CLASSES, drum_classes
from mvae.music.events import ONSET, REST

# General MIDI's pitches, in an order that is frozen: Magenta's released model was trained with it.
PERCUSSION_PITCHES = np.array(
    [
        *(36, 35),
        *(38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85),
        *(42, 44, 54, 68, 69, 70, 71, 73, 78, 80),
        *(46, 67, 72, 74, 79, 81),
        *(45, 29, 41, 61, 64, 84),
        *(48, 47, 60, 63, 77, 86, 87),
        *(50, 30, 43, 62, 76, 83),
        *(49, 55, 57, 58),
        *(51, 52, 53, 59, 82),
    ]
)
_COUNT, _WIDTH = len(PERCUSSION_PITCHES), 16  # instruments, and how many a column has
_COLUMNS = -(-_COUNT // _WIDTH)
_BITS = 1 << np.arange(_WIDTH)
_INSTRUMENTS = np.full(128, -1)
_INSTRUMENTS[PERCUSSION_PITCHES] = np.arange(_COUNT)
_CLASSES = drum_classes()[PERCUSSION_PITCHES]  # of the nine, the one of each instrument


@dataclasses.dataclass(frozen=True)
class PercussionCodec(Codec):
    """Four columns of bits, 16 instruments in each: which of the 61 are hit at the step.

    How long a hit lasts, and how loud it is, has no part in it. Training leaves out and exchanges
    instruments by the nine classes of drums, so that a hi-hat goes with its pedal.
    """

    head: ClassVar[str] = 'nade'
    droppable: ClassVar[int] = DRUM_CLASSES

    @property
    def sizes(self) -> tuple[int, ...]:
        last = _COUNT - (_COLUMNS - 1) * _WIDTH
        return (2**_WIDTH,) * (_COLUMNS - 1) + (2**last,)

    def expresses(self, pitch: np.ndarray) -> np.ndarray:
        return _INSTRUMENTS[pitch] >= 0

    def slots(self, pitch: np.ndarray) -> np.ndarray:
        return _INSTRUMENTS[pitch]

    def voice(self, notes: GridNotes) -> GridNotes:
        """All hits, each one step long."""
        notes = notes.select(np.argsort(notes.start, kind='stable'))
        return notes._replace(end=notes.start + 1)

    def encode(self, notes: GridNotes, length: int) -> np.ndarray:
        notes = notes.select(notes.start < length)
        roll = np.zeros((length, _COUNT), bool)
        roll[notes.start, _INSTRUMENTS[notes.pitch]] = True
        return columns_of(roll)

    def decode(self, columns: np.ndarray) -> GridNotes:
        """Each instrument as its own pitch, one step long."""
        steps, instruments = np.nonzero(roll_of(columns))
        return GridNotes.make(steps, steps + 1, PERCUSSION_PITCHES[instruments])

    def events(self, columns: np.ndarray) -> np.ndarray:
        """Percussion does not sound on: it has onsets and rests."""
        return np.where(np.asarray(columns).any(-1), ONSET, REST).astype(np.int8)

    def drop(self, windows: np.ndarray, kept: np.ndarray) -> np.ndarray:
        return self.mix(windows, 0 * windows, ~kept)

    def mix(self, windows: np.ndarray, others: np.ndarray, taken: np.ndarray) -> np.ndarray:
        bits = columns_of(taken[:, _CLASSES])[:, None]
        mixed = (windows & ~bits) | (others & bits)
        return np.where(mixed.any((1, 2), keepdims=True), mixed, windows)


def columns_of(roll: np.ndarray) -> np.ndarray:
    """Which instruments are hit, bool [..., 61] -> columns uint16 [..., 4]."""
    roll = np.pad(roll, [(0, 0)] * (roll.ndim - 1) + [(0, _COLUMNS * _WIDTH - _COUNT)])
    return (roll.reshape(*roll.shape[:-1], _COLUMNS, _WIDTH) @ _BITS).astype(np.uint16)


def roll_of(columns: np.ndarray) -> np.ndarray:
    """Columns int [..., 4] -> which instruments are hit, bool [..., 61]."""
    bits = np.asarray(columns).astype(np.int64)[..., None] & _BITS
    return bits.reshape(*bits.shape[:-2], -1)[..., :_COUNT] > 0
