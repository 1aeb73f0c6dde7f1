"""The tokens of a store: one array, in one file or in several."""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


class Tokens:
    """Token arrays one after the other, read as one. Offsets count from the first one's begin.

    files: uint16 [n] each, memory-mapped or not.
    """

    def __init__(self, files: Sequence[np.ndarray]):
        self.files = files
        self._ends = np.cumsum([len(file) for file in files])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def rows(self, offsets: np.ndarray, width: int) -> np.ndarray:
        """The `width` tokens at each of offsets int64 [N]: uint16 [N, width], a copy.

        Raises IndexError where some of them lie outside, or not in one file.
        """
        if len(self.files) == 1:
            return _rows(self.files[0], offsets, width)
        rows = np.empty((len(offsets), width), np.uint16)
        place = np.searchsorted(self._ends, offsets, side='right')
        for number in np.unique(place).tolist():
            if number == len(self.files):
                raise IndexError('an offset lies behind the last token')
            file, mine = self.files[number], place == number
            rows[mine] = _rows(file, offsets[mine] - (self._ends[number] - len(file)), width)
        return rows


def _rows(tokens: np.ndarray, offsets: np.ndarray, width: int) -> np.ndarray:
    if not len(offsets):
        return np.zeros((0, width), np.uint16)
    if offsets.min() < 0 or offsets.max() > len(tokens) - width:
        raise IndexError('an offset lies outside of the tokens')
    # copies whole rows: memory bandwidth
    return sliding_window_view(np.asarray(tokens), width)[offsets]
