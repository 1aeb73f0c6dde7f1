"""What every codec does: notes of a track on the grid become the integer columns of a stream."""

import dataclasses
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mvae.errors import InputError
from mvae.music.reasons import Reason


class GridNotes(NamedTuple):
    """Notes of one track on the grid, or of all tracks of a file together.

    start, end: int64 [N], in steps. pitch, velocity: int64 [N], MIDI numbers. late: float64 [N],
    how many steps behind the grid a note is played, -1/2 to 1/2; its end is as late. part: int64
    [N], where several instruments play together that of each note (mvae.music.instruments), else 0.
    """

    start: np.ndarray
    end: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    late: np.ndarray
    part: np.ndarray

    @classmethod
    def make(
        cls,
        start: ArrayLike,
        end: ArrayLike,
        pitch: ArrayLike,
        velocity: ArrayLike = 80,
        late: ArrayLike = 0.0,
        part: ArrayLike = 0,
    ) -> 'GridNotes':
        """Columns of equal length from arrays, or one velocity or lateness for all notes."""
        types = (np.int64,) * 4 + (np.float64, np.int64)
        columns = tuple(np.empty(np.shape(start), dtype) for dtype in types)
        for column, values in zip(columns, (start, end, pitch, velocity, late, part), strict=True):
            column[...] = values
        return cls(*columns)

    def select(self, index: np.ndarray) -> 'GridNotes':
        """The notes of a mask or an index."""
        return GridNotes(*(column[index] for column in self))


@dataclasses.dataclass(frozen=True)
class Codec(ABC):
    """Notes on a grid <-> integer columns. A frozen, hashable value, as it is part of a `Form`.

    Columns are uint16 [T, C] where they are stored, and int32 in batches. A step of zeros
    everywhere says that nothing happens: music is padded with it.

    Attributes:
        sizes: how many values each of the C columns has, 0 to size - 1.
        head: name of the `Head` with which models read and write the columns (mvae.model.heads).
        droppable: parts of the music that training may leave out or exchange, such as drum classes.
        polyphonic: whether notes may sound together.
        ensemble: whether it is of all tracks of a file together, and not of one.
        segments: how many sequences a bar is written as, one behind the other.
        unread: of bars without a row that says something, in words.
    """

    head: ClassVar[str]
    droppable: ClassVar[int] = 0
    polyphonic: ClassVar[bool] = True
    ensemble: ClassVar[bool] = False
    unread: ClassVar[str] = 'of silence'

    @property
    @abstractmethod
    def sizes(self) -> tuple[int, ...]: ...

    @property
    def segments(self) -> int:
        return 1

    def rows(self, steps_per_bar: int) -> int:
        """Rows of columns that a bar of so many steps is: one for each step of the grid."""
        return steps_per_bar

    @abstractmethod
    def expresses(self, pitch: np.ndarray) -> np.ndarray:
        """Which pitches int [N] the columns have a value for: bool [N]."""

    def slots(self, pitch: np.ndarray) -> np.ndarray:
        """Which pitches int [N] exclude each other at one step, as equal numbers int [N]."""
        return np.zeros(len(pitch), np.int64)

    @abstractmethod
    def voice(self, notes: GridNotes) -> GridNotes:
        """The notes that the columns keep of those that it expresses, in order of time."""

    def refused(self, notes: GridNotes) -> dict[Reason, int]:
        """How many bars with notes `voice` leaves out whole, and why."""
        return {}

    @abstractmethod
    def encode(self, notes: GridNotes, length: int) -> np.ndarray:
        """Columns uint16 [T, C] of notes that `voice` gave; what begins later is left out.

        length: steps of the grid, which is T where each of them has a row.
        """

    @abstractmethod
    def decode(self, columns: np.ndarray) -> GridNotes:
        """The notes of columns int [T, C], in order of time."""

    @abstractmethod
    def events(self, columns: np.ndarray) -> np.ndarray:
        """What happens at each step, an index into `EVENTS`: int [..., T, C] -> int8 [..., T]."""

    def beside(self, told: np.ndarray, columns: np.ndarray | None) -> np.ndarray:
        """What holds at each step of whole bars, [steps, D], as what holds at each row: [T, D].

        columns: the music, int [T, C]; None where it is still to be written. Raises InputError if
        it cannot be said without it.
        """
        return told

    def by_step(self, told: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """What `beside` made of columns [T, C], as far as its rows say it: [steps, D]."""
        return told

    def symbols(self, columns: np.ndarray) -> list[tuple[int, str]]:
        """What a musician writes above the music, such as chords: steps and words."""
        return []

    def parse(self, text: str, steps_per_bar: int, steps: int) -> np.ndarray:
        """Columns int32 [steps, C] of what a user writes. Raises InputError for what is none."""
        raise InputError(f'{text!r}: this is not given as text; give an array of integers')

    def judged(self, columns: np.ndarray) -> np.ndarray:
        """Of columns int [..., C] those by which music is the same, or right: all of them."""
        return columns

    def thin(self, windows: np.ndarray) -> dict[Reason, np.ndarray]:
        """Which of windows [N, T, C] have too little to learn from, bool [N] for each reason."""
        return {}

    def clean(self, windows: np.ndarray) -> np.ndarray:
        """Windows [N, T, C] without what only the music before them explains; same dtype."""
        return windows

    def canonical(self, columns: np.ndarray) -> np.ndarray:
        """The columns [T, C] that sound the same and that notes can express; same dtype.

        `encode` after `decode` gives them back.
        """
        return columns

    def room(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How many semitones windows [N, T, C] can go down and up: int64 [N] each."""
        none = np.zeros(len(windows), np.int64)
        return none, none

    def transpose(self, windows: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Windows uint16 [N, T, C] moved by shift int64 [N] semitones, within `room`."""
        return windows

    def drop(self, windows: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """Windows uint16 [N, T, C] with only those parts whose kept bool [N, droppable] is set.

        A window of which nothing would remain stays as it is.
        """
        return windows

    def mix(self, windows: np.ndarray, others: np.ndarray, taken: np.ndarray) -> np.ndarray:
        """Windows uint16 [N, T, C] with those parts of others whose taken is set.

        others: uint16 [N, T, C]. taken: bool [N, droppable].
        A window of which nothing would remain stays as it is.
        """
        return windows
