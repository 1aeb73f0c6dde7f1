"""Windows of token streams: their canonical beginning and their identity."""

import hashlib

import numpy as np

from mvae.music.vocabulary import FIRST_NOTE_ON, HOLD, NOTE_OFF


def clean_leading_note_offs(tokens: np.ndarray) -> np.ndarray:
    """Turns note-offs before a window's first note-on into holds: there is no note to end (magenta.md 4.3, step 6).

    tokens: melody or bass, int [N, T]. Returns a new array of the same shape and dtype.
    """
    sounded = np.logical_or.accumulate(tokens >= FIRST_NOTE_ON, axis=-1)
    return np.where((tokens == NOTE_OFF) & ~sounded, tokens.dtype.type(HOLD), tokens)


def content_hashes(windows: np.ndarray) -> np.ndarray:
    """64 bits of BLAKE2b of every window's tokens: int [N, ...] -> uint64 [N], the same on every machine."""
    rows = np.ascontiguousarray(windows, dtype='<u2').reshape(len(windows), -1)
    digests = [hashlib.blake2b(row, digest_size=8).digest() for row in rows]
    return np.frombuffer(b''.join(digests), dtype='<u8').astype(np.uint64)
