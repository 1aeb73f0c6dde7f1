"""In which windows several parts play together, such as melody, bass and drums of a trio.

The rule is Magenta's (docs/magenta.md, Trio windows). A track covers the bars in which it has notes
and those up to `gap` bars around them, so that a part may rest for a while. A window is taken where
all parts cover each of its bars, more leniently at both ends of a section.
"""

import functools
from collections.abc import Sequence

import numpy as np


def covered_bars(
    start: np.ndarray, end: np.ndarray, total_bars: int, gap_bars: int, steps_per_bar: int
) -> np.ndarray:
    """Which bars lie within gap_bars bars of one in which a note sounds: bool [total_bars].

    start, end: of the notes, in steps, int [N].
    """
    first = np.clip(start // steps_per_bar - gap_bars, 0, total_bars)
    stop = np.clip(-(-end // steps_per_bar) + gap_bars, 0, total_bars)
    begins, ends = (np.bincount(at, minlength=total_bars + 1) for at in (first, stop))
    return np.cumsum(begins - ends)[:total_bars] > 0


def cover_together(parts: Sequence[np.ndarray], gap_bars: int) -> np.ndarray:
    """Bars that all parts cover, for every choice of one track per part.

    The first gap_bars bars count as covered if any of the tracks covers any of them, and so do the
    last ones.

    parts: bool [M_k, U] of K parts, from `covered_bars`. Returns bool [M_1, ..., M_K, U].
    """
    spread = []
    for k, part in enumerate(parts):
        shape = [1] * len(parts)
        shape[k] = len(part)
        spread.append(part.reshape(*shape, -1))
    together = functools.reduce(np.logical_and, spread)
    if gap_bars:
        anyone = functools.reduce(np.logical_or, spread)
        for edge in (slice(None, gap_bars), slice(-gap_bars, None)):
            together[..., edge] = anyone[..., edge].any(-1, keepdims=True)
    return together


def find_common_windows(together: np.ndarray, bars: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows of so many bars, hop one bar, in together bool [M_1, ..., M_K, U].

    Returns the tracks chosen, int64 [N, K], and the first bars, int64 [N].
    """
    if together.shape[-1] < bars:
        return np.zeros((0, together.ndim - 1), np.int64), np.zeros(0, np.int64)
    missing = np.cumsum(~together, -1)
    missing = np.concatenate([np.zeros_like(missing[..., :1]), missing], -1)
    found = np.argwhere(missing[..., bars:] == missing[..., :-bars])
    return found[:, :-1], found[:, -1]
