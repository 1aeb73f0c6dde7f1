"""What is often asked of columns: where runs of equal values begin."""

import numpy as np


def run_starts(*columns: np.ndarray) -> np.ndarray:
    """Which rows begin a run, in which no column changes: bool [N], of columns [N]."""
    first = np.empty(len(columns[0]), bool)
    first[:1] = True
    np.not_equal(columns[0][1:], columns[0][:-1], out=first[1:])
    for column in columns[1:]:
        first[1:] |= column[1:] != column[:-1]
    return first


def runs(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first row of each run, and how many rows it has: int64 [M] each."""
    bounds = np.append(np.flatnonzero(run_starts(*columns)), len(columns[0]))
    return bounds[:-1], bounds[1:] - bounds[:-1]
