"""Novelty: how much of a piece stands note for note in the music of the training."""

from typing import Any

import numpy as np

from mvae.dataset.store import Store
from mvae.evaluation.statistics import share_interval
from mvae.music.codec import Codec
from mvae.music.events import ONSET
from mvae.music.form import Form, Stream

STRETCH = 4  # bars
_AT_ONCE = 2**22  # values of the store that are read at once


def novelty(pieces: np.ndarray, form: Form, songs: np.ndarray, store: Store) -> dict[str, Any]:
    """The longest stretch of bars of each of pieces int [N, T, K] that the training split has.

    A stretch is of bars that sound, one after the other; it counts in any key. songs: int [N], the
    song of each piece; intervals are over songs.

    Returns for each stream longest, the mean in bars, and share, {mean, interval} of the pieces
    that have one of 4 bars (of shorter windows: of the whole window).
    """
    _, song = np.unique(songs, return_inverse=True)
    found = {}
    for n, (stream, columns) in enumerate(zip(form.streams, form.split(pieces), strict=True)):
        longest = _longest(columns, stream, form, _Training(store, form, n))
        known = np.bincount(song, weights=longest >= min(STRETCH, form.bars))
        interval = share_interval(known, np.bincount(song))
        share = {'mean': float(known.sum() / len(song)), 'interval': interval}
        found[stream.name] = {'longest': float(longest.mean()), 'share': share}
    return found


class _Training:
    """Where one stream of the training split lies in a store, so that stretches are looked up."""

    def __init__(self, store: Store, form: Form, stream: int):
        self.tokens, self.form, self.codec = store.tokens, form, form.streams[stream].codec
        self.width = len(self.codec.sizes)
        self.offsets = np.unique(np.asarray(store.windows(form, 'train'))[:, stream])

    def hashes(self, bars: int) -> np.ndarray:
        """Of all stretches of so many bars: uint64, rising."""
        bar = self.form.rows_per_bar * self.width
        starts = np.unique(self.offsets[:, None] + np.arange(self.form.bars - bars + 1) * bar)
        length = bars * bar
        parts = np.array_split(starts, -(-len(starts) * length // _AT_ONCE))
        return np.unique(
            np.concatenate([self._hashed(self.tokens.rows(own, length)) for own in parts])
        )

    def _hashed(self, rows: np.ndarray) -> np.ndarray:
        return _hashes(rows.reshape(len(rows), -1, self.width), self.codec)


def _longest(columns: np.ndarray, stream: Stream, form: Form, training: _Training) -> np.ndarray:
    """Of each piece's columns [N, T, C] the longest known stretch in bars: int64 [N]."""
    bars = columns.astype(np.uint16).reshape(len(columns), form.bars, form.rows_per_bar, -1)
    onsets = stream.codec.events(columns) == ONSET
    sounding = onsets.reshape(len(columns), form.bars, -1).any(-1)
    longest = np.zeros(len(columns), np.int64)
    for length in range(1, form.bars + 1):
        left = np.flatnonzero(longest == length - 1)  # a longer stretch holds this shorter one
        if not len(left):
            break
        known = training.hashes(length)
        for first in range(form.bars - length + 1):
            whole = left[sounding[left, first : first + length].all(-1)]
            size = len(whole), length * form.rows_per_bar, training.width
            rows = bars[whole, first : first + length].reshape(size)
            longest[whole[np.isin(_hashes(rows, stream.codec), known)]] = length
    return longest


def _hashes(stretches: np.ndarray, codec: Codec) -> np.ndarray:
    """A number for each of stretches uint16 [N, T, C], the same in every key: uint64 [N].

    A random linear form modulo 2^64: that two different ones meet is as likely as a wrong bit.
    """
    alone = codec.clean(stretches)
    down, _ = codec.room(alone)
    rows = codec.judged(codec.transpose(alone, -down)).astype(np.uint64)
    factors = np.random.default_rng(0).integers(2**64, size=rows.shape[1:], dtype=np.uint64)
    return np.einsum('ntc,tc->n', rows, factors)
