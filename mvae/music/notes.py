"""Notes as columns, so that everything that reads them is vectorised."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from mvae.music.reasons import Reason

USUAL_QPM = 120.0  # quarters per minute, where nobody says another tempo

_DTYPES = {
    'start': np.float64,
    'end': np.float64,
    'pitch': np.int16,
    'velocity': np.int16,
    'program': np.int16,
    'is_drum': np.bool_,
    'track': np.int32,
}


@dataclasses.dataclass(frozen=True, eq=False)
class Notes:
    """Columns of equal length N.

    start, end: float64 seconds. pitch: MIDI 0..127, int16. velocity, program: 0..127, int16.
    is_drum: bool. track: int32, one number per part (MIDI track, channel and program) of the file.

    Raises ValueError for columns of unequal length.
    """

    start: np.ndarray
    end: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    program: np.ndarray
    is_drum: np.ndarray
    track: np.ndarray

    def __post_init__(self) -> None:
        for name in _DTYPES:
            if (rows := len(getattr(self, name))) != len(self.start):
                raise ValueError(f'column {name} has {rows} rows, start has {len(self.start)}')

    def __len__(self) -> int:
        return len(self.start)

    def select(self, index: np.ndarray | slice) -> 'Notes':
        """The rows of a boolean mask, an integer index or a slice."""
        if isinstance(index, np.ndarray) and index.dtype == bool:
            index = np.flatnonzero(index)  # once for all columns
        return Notes(*(getattr(self, name)[index] for name in _DTYPES))

    @classmethod
    def make(cls, *columns: ArrayLike) -> 'Notes':
        """Columns in order, each an array or one value for all notes, in their dtypes."""
        pairs = zip(columns, _DTYPES.values(), strict=True)
        arrays: list[np.ndarray] = [np.asarray(column, dtype) for column, dtype in pairs]
        rows = np.zeros(0 if any(a.size == 0 for a in arrays) else 1)  # at least one dimension
        return cls(*(np.array(a) for a in np.broadcast_arrays(*arrays, rows)[:-1]))

    @classmethod
    def empty(cls) -> 'Notes':
        return cls(*(np.zeros(0, dtype) for dtype in _DTYPES.values()))

    @classmethod
    def concatenate(cls, parts: Sequence['Notes']) -> 'Notes':
        if not parts:
            return cls.empty()
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in _DTYPES))


@dataclasses.dataclass(frozen=True, eq=False)
class Score:
    """One file's notes with its changes of tempo and meter, in seconds, in order of time.

    tempo_times: float64 [A]. tempo_qpm: float64 [A], quarters per minute. meter_times: float64 [M].
    meter_numerators, meter_denominators: int64 [M]. title: '' where the file names none.
    drum_clues: how many drum notes are known by what, such as the channel; {} where nobody says.
    lost: how many notes of the file are not here, and why. chord_times: float64 [H], where the
    file's chord symbols stand, and triads, int64 [H], their numbers (`symbols`); empty where it has
    none.
    """

    notes: Notes
    tempo_times: np.ndarray
    tempo_qpm: np.ndarray
    meter_times: np.ndarray
    meter_numerators: np.ndarray
    meter_denominators: np.ndarray
    title: str = ''
    drum_clues: Mapping[str, int] = dataclasses.field(default_factory=dict)
    lost: Mapping[Reason, int] = dataclasses.field(default_factory=dict)
    chord_times: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))
    triads: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        for name in ('tempo_times', 'tempo_qpm', 'meter_times', 'chord_times'):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64))
        for name in ('meter_numerators', 'meter_denominators', 'triads'):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.int64))

    @property
    def qpm(self) -> float:
        """The tempo in quarters per minute, within 1..1000; of several the median over the notes.

        Where none is said it is 120, as MIDI has it.
        """
        at = np.searchsorted(self.tempo_times, self.notes.start, side='right') - 1
        tempos = np.append(self.tempo_qpm, USUAL_QPM)[at]  # the last one for -1, before the first
        middle = np.quantile(tempos, 0.5, method='lower') if len(tempos) else USUAL_QPM
        return float(np.clip(np.nan_to_num(middle, nan=USUAL_QPM), 1, 1000))
