"""Trios: in which windows a melody, a bass and the drums play together.

The rule is Magenta's. A track covers the bars in which it has notes and those up to `gap` bars
around them, so that a part may rest for a while. A window is taken where all three cover each of
its bars, more leniently at both ends of a piece.
"""

import numpy as np


def covered_bars(
    start: np.ndarray, end: np.ndarray, total_bars: int, gap_bars: int, steps_per_bar: int
) -> np.ndarray:
    """bool [total_bars]: within gap_bars bars of a bar in which one of the notes (steps start..end,
    int [N]) sounds.
    """
    first = np.clip(start // steps_per_bar - gap_bars, 0, total_bars)
    stop = np.clip(-(-end // steps_per_bar) + gap_bars, 0, total_bars)
    change = np.bincount(first, minlength=total_bars + 1) - np.bincount(
        stop, minlength=total_bars + 1
    )
    return np.cumsum(change)[:total_bars] > 0


def cover_together(
    melodies: np.ndarray, basses: np.ndarray, drums: np.ndarray, gap_bars: int
) -> np.ndarray:
    """Bars that all three cover, for every pair of melody and bass.

    The first gap_bars bars count as covered if any of the three covers any of them, and so do the
    last ones.

    Args:
        melodies bool [M, U], basses bool [B, U], drums bool [U]: from covered_bars.
    Returns: bool [M, B, U].
    """
    melodies, basses = melodies[:, None], basses[None]
    together = melodies & basses & drums
    if gap_bars:
        anyone = melodies | basses | drums
        for edge in (slice(None, gap_bars), slice(-gap_bars, None)):
            together[..., edge] = anyone[..., edge].any(-1, keepdims=True)
    return together


def find_trio_windows(together: np.ndarray, bars: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Melody, bass and first bar, each int64 [N], of every window with a hop of one bar in together
    bool [M, B, U].
    """
    if together.shape[-1] < bars:
        return tuple(np.zeros((3, 0), np.int64))
    missing = np.cumsum(~together, -1)
    missing = np.concatenate([np.zeros_like(missing[..., :1]), missing], -1)
    return np.nonzero(missing[..., bars:] == missing[..., :-bars])
