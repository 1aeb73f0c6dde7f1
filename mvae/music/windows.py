"""Windows of token streams: their canonical beginning and their identity."""

import hashlib

import numpy as np

from mvae.music.vocabulary import FIRST_NOTE_ON, HOLD, NOTE_OFF


def clean_leading_note_offs(tokens: np.ndarray) -> np.ndarray:
    """Turns note-offs before a window's first note-on into holds: there is no note to end
    (magenta.md 4.3, step 6).

    tokens: melody or bass, int [N, T]. Returns a new array of the same shape and dtype.
    """
    sounded = np.logical_or.accumulate(tokens >= FIRST_NOTE_ON, axis=-1)
    return np.where((tokens == NOTE_OFF) & ~sounded, tokens.dtype.type(HOLD), tokens)


def find_segments(
    start: np.ndarray, end: np.ndarray, rest: int, steps_per_bar: int
) -> tuple[np.ndarray, np.ndarray]:
    """Stretches of a track between rests of `rest` steps or more (the paper's limit is one bar).

    start: steps of the onsets, strictly rising, int [N >= 1]. end: where each note ends. Returns
    int64 [M, 2], first bar and the bar after the last of every stretch, widened to bar lines, and
    the stretch of each note, int64 [N].
    """
    breaks = start[1:] - end[:-1] >= rest
    segment_of = np.append(0, np.cumsum(breaks))
    first, last = np.flatnonzero(np.append(True, breaks)), np.flatnonzero(np.append(breaks, True))
    return np.stack(
        [start[first] // steps_per_bar, -(-end[last] // steps_per_bar)], axis=1
    ), segment_of


def window_bars(segments: np.ndarray, bars: int) -> np.ndarray:
    """First bars of all windows of so many bars that lie inside a segment, hop one bar: int [M, 2]
    -> int64 [n].
    """
    ranges = [np.arange(first, end - bars + 1) for first, end in segments]
    return np.concatenate([np.zeros(0, np.int64), *ranges]).astype(np.int64)


def slice_windows(
    tokens: np.ndarray, first_bars: np.ndarray, bars: int, steps_per_bar: int
) -> np.ndarray:
    """Windows of a stream that begin at the given bars: tokens [T], first_bars int [n] -> [n, bars
    * steps_per_bar].
    """
    return tokens[first_bars[:, None] * steps_per_bar + np.arange(bars * steps_per_bar)]


def content_hash(windows: np.ndarray) -> np.ndarray:
    """64 bits of BLAKE2b of every window's tokens: int [N, ...] -> uint64 [N], the same on every
    machine.
    """
    rows = np.ascontiguousarray(windows, dtype='<u2')
    digests = [hashlib.blake2b(row, digest_size=8).digest() for row in rows]
    return np.frombuffer(b''.join(digests), dtype='<u8').astype(np.uint64)


def combine_hashes(*hashes: np.ndarray) -> np.ndarray:
    """One hash of several streams' windows, in their order: uint64 [N] each -> uint64 [N]."""
    combined = np.zeros_like(hashes[0])
    for own in hashes:
        combined = (combined ^ own) * np.uint64(
            0x9E3779B97F4A7C15
        )  # odd, so that nothing is lost; wraps at 2^64
        combined ^= combined >> np.uint64(32)
    return combined
