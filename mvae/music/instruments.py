"""Who plays a note where several instruments play together: one number for each of them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

DRUM_KIT = 128  # behind the 128 General MIDI programs
SOUNDS = DRUM_KIT + 1


class Played(NamedTuple):
    """Columns [N]: track int64, General MIDI program int64 (0 for drums), is_drum bool."""

    track: np.ndarray
    program: np.ndarray
    is_drum: np.ndarray


def number(track: ArrayLike, program: ArrayLike, is_drum: ArrayLike) -> np.ndarray:
    """The instruments of notes [N], int64 [N]: equal where track and sound are."""
    return np.asarray(track, np.int64) * SOUNDS + np.where(is_drum, DRUM_KIT, program)


def played(numbers: np.ndarray) -> Played:
    """What `number` was made of."""
    track, sound = np.divmod(numbers, SOUNDS)
    drums = sound == DRUM_KIT
    return Played(track, np.where(drums, 0, sound), drums)
