"""Windows of a stream's columns: where they lie, and their identity."""

import hashlib

import numpy as np


def find_segments(
    start: np.ndarray, end: np.ndarray, rest: int, steps_per_bar: int
) -> tuple[np.ndarray, np.ndarray]:
    """Stretches of a track between rests of `rest` steps or more (the paper's limit is one bar).

    start, end: of the notes, in steps and in order of their starts, int [N >= 1]. Returns the first
    bar and the bar after the last of every stretch, widened to bar lines, int64 [M, 2], and the
    stretch of each note, int64 [N].
    """
    end = np.maximum.accumulate(end)  # a long note sounds on under those that begin after it
    breaks = start[1:] - end[:-1] >= rest
    segment_of = np.append(0, np.cumsum(breaks))
    last = np.append(np.flatnonzero(breaks), len(start) - 1)
    first = np.append(0, last[:-1] + 1)
    bars = [start[first] // steps_per_bar, -(-end[last] // steps_per_bar)]
    return np.stack(bars, axis=1), segment_of


def window_bars(segments: np.ndarray, bars: int) -> np.ndarray:
    """First bars int64 [n] of all windows of so many bars in segments int [M, 2], hop one bar."""
    ranges = [np.arange(first, end - bars + 1) for first, end in segments]
    return np.concatenate([np.zeros(0, np.int64), *ranges]).astype(np.int64)


def slice_windows(
    columns: np.ndarray, first_bars: np.ndarray, bars: int, steps_per_bar: int
) -> np.ndarray:
    """Windows that begin at the bars int [n]: columns [T, C] -> [n, bars * steps_per_bar, C]."""
    return columns[first_bars[:, None] * steps_per_bar + np.arange(bars * steps_per_bar)]


def content_hash(windows: np.ndarray) -> np.ndarray:
    """64 bits of BLAKE2b of every window: int [N, ...] -> uint64 [N], the same on every machine."""
    rows = np.ascontiguousarray(windows, dtype='<u2')
    digests = [hashlib.blake2b(row, digest_size=8).digest() for row in rows]
    return np.frombuffer(b''.join(digests), dtype='<u8').astype(np.uint64)


def combine_hashes(hashes: np.ndarray) -> np.ndarray:
    """One hash of the windows of several streams, in their order: uint64 [K, N] -> uint64 [N]."""
    combined = np.zeros_like(hashes[0])
    for own in hashes:
        # An odd factor, so that nothing is lost; wraps at 2^64.
        combined = (combined ^ own) * np.uint64(0x9E3779B97F4A7C15)
        combined ^= combined >> np.uint64(32)
    return combined
