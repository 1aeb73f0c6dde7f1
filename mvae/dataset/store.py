"""The token store: every track's tokens once, windows as offsets into them, all memory-mapped.

    store.json                          format, version, vocabulary, settings, counts, funnel
    tokens.npy                          uint16 [total]    the token streams, one after the other
    windows-<kind>-<bars>-<split>.npy   int64 [N, K]      where each stream of a window begins in tokens
    songs-<kind>-<bars>-<split>.npy     uint32 [N]        the window's song
    songs.json                          titles and splits of the songs
    files.csv, rejected.csv             every file with its song and split; every file that gave nothing, and why

A window of 16 bars costs 8 bytes per stream, and a store of millions of windows opens at once.
"""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mvae.errors import InputError
from mvae.music.vocabulary import KINDS, Vocabulary
from mvae.music.windows import clean_leading_note_offs

FORMAT = 'mvae-store'
VERSION = 1
META_FILE = 'store.json'
SPLITS = ('train', 'validation', 'test')
# Streams in which a leading note-off can stand and that transposition moves: the tonal ones, never
# drums.
TONAL_STREAMS = {'melody': (0,), 'bass': (0,), 'drums': (), 'trio': (0, 1)}
STREAM_COUNT = {'melody': 1, 'bass': 1, 'drums': 1, 'trio': 3}


def windows_file(kind: str, bars: int, split: str) -> str:
    return f'windows-{kind}-{bars}-{split}.npy'


def songs_file(kind: str, bars: int, split: str) -> str:
    return f'songs-{kind}-{bars}-{split}.npy'


def write_header(file: BinaryIO, shape: tuple[int, ...], dtype: Any) -> None:
    """Header of an .npy file whose data follow piece by piece."""
    description = np.lib.format.dtype_to_descr(np.dtype(dtype))
    np.lib.format.write_array_header_1_0(
        file, {'descr': description, 'fortran_order': False, 'shape': shape}
    )


class Store:
    """A built token store, read-only. Open one with `Store.open`.

    Attributes:
        path: the folder.
        meta: the content of store.json.
        vocabulary: the vocabulary of all its tokens.
        tokens: uint16 [total], memory-mapped.
    """

    def __init__(self, path: Path, meta: Mapping[str, Any]):
        self.path = path
        self.meta = meta
        self.vocabulary = Vocabulary.from_dict(meta['vocabulary'])
        self.tokens = self._array('tokens.npy', np.uint16, (meta['tokens'],))
        self._windows, self._songs = {}, {}
        for kind, bars, split, count in _counts(meta):
            key = kind, bars, split
            self._windows[key] = self._array(
                windows_file(*key), np.int64, (count, STREAM_COUNT[kind])
            )
            self._songs[key] = self._array(songs_file(*key), np.uint32, (count,))

    @property
    def corpus(self) -> str:
        """Digest of the files that the store was built from; '' where it was not built from files."""
        return self.meta.get('files', '')

    @classmethod
    def open(cls, path: str | Path) -> 'Store':
        """Opens a store, without reading its tokens or windows.

        Raises:
            InputError: if there is no store, if it was built by another version, or if a file is
                missing or truncated.
        """
        path = Path(path)
        try:
            meta = json.loads((path / META_FILE).read_text(encoding='utf-8'))
        except (FileNotFoundError, NotADirectoryError):
            what = 'is no dataset (store.json is missing)' if path.exists() else 'does not exist'
            raise InputError(
                f'{path} {what}; build one with make data MIDI=<folder> NAME=<name>'
            ) from None
        except OSError as error:
            raise InputError(f'cannot read {path / META_FILE}: {error.strerror}') from None
        except ValueError:
            raise InputError(f'{path / META_FILE} is damaged; {_rebuild()}') from None
        if not isinstance(meta, dict) or meta.get('format') != FORMAT:
            raise InputError(
                f'{path} is no dataset of mvae; build one with make data MIDI=<folder> NAME=<name>'
            )
        if meta.get('version') != VERSION:
            raise InputError(
                f'{path} was built by another version of mvae (store version {meta.get("version")}, this one reads {VERSION}); {_rebuild()}'
            )
        try:
            return cls(path, meta)
        except (KeyError, TypeError, AttributeError):
            raise InputError(f'{path / META_FILE} is damaged; {_rebuild()}') from None

    def _array(self, name: str, dtype: Any, shape: tuple[int, ...]) -> np.ndarray:
        try:
            array = np.load(self.path / name, mmap_mode='r')
        except FileNotFoundError:
            raise InputError(f'{self.path / name} is missing; {_rebuild()}') from None
        except (ValueError, EOFError):
            raise InputError(f'{self.path / name} is truncated or damaged; {_rebuild()}') from None
        except OSError as error:
            raise InputError(f'cannot read {self.path / name}: {error.strerror}') from None
        if array.dtype != dtype or array.shape != shape:
            raise InputError(f'{self.path / name} does not fit store.json; {_rebuild()}')
        return array

    def require(self, vocabulary: Vocabulary) -> None:
        """Raises InputError unless the store's tokens mean what `vocabulary` says."""
        mine, wanted = self.vocabulary.to_dict(), vocabulary.to_dict()
        differing = [name for name in wanted if mine.get(name) != wanted[name]]
        if differing:
            fields = ', '.join(
                f'{name} {mine.get(name)} instead of {wanted[name]}' for name in differing
            )
            raise InputError(
                f'{self.path} has another vocabulary ({fields}); rebuild it or use its vocabulary'
            )

    @property
    def kinds(self) -> list[tuple[str, int]]:
        """The (kind, bars) that the store was built for."""
        return list(dict.fromkeys((kind, bars) for kind, bars, _ in self._windows))

    def _key(self, kind: str, bars: int, split: str) -> tuple[str, int, str]:
        key = kind, bars, split
        if key not in self._windows:
            has = ', '.join(f'{kind} {bars}' for kind, bars in self.kinds)
            raise InputError(
                f'{self.path} has no {bars}-bar {kind} windows for {split}; it has {has}, each for {SPLITS}'
            )
        return key

    def windows(self, kind: str, bars: int, split: str) -> np.ndarray:
        """int64 [N, K], memory-mapped: per window the offset of each of its K streams in `tokens`."""
        return self._windows[self._key(kind, bars, split)]

    def songs(self, kind: str, bars: int, split: str) -> np.ndarray:
        """uint32 [N], memory-mapped: the song of each window, an index into `titles`."""
        return self._songs[self._key(kind, bars, split)]

    def count(self, kind: str, bars: int, split: str) -> int:
        """Number of windows."""
        return len(self._windows[self._key(kind, bars, split)])

    @cached_property
    def titles(self) -> list[str]:
        """The normalised title of every song."""
        try:
            return json.loads((self.path / 'songs.json').read_text(encoding='utf-8'))['titles']
        except (OSError, ValueError, KeyError):
            raise InputError(
                f'{self.path / "songs.json"} is missing or damaged; {_rebuild()}'
            ) from None

    def gather(self, offsets: np.ndarray, steps: int, kind: str) -> np.ndarray:
        """Tokens of windows.

        Note-offs before the first note-on of a melody or bass stream become holds: their note began
        before the window.

        Args:
            offsets: int64 [B, K], rows of `windows`.
            steps: length T of the windows in sixteenths.
            kind: the kind of the windows.

        Returns:
            int32 [B, T, K].
        """
        return batch_major(self.gather_streams(offsets, steps, kind))

    def gather_streams(self, offsets: np.ndarray, steps: int, kind: str) -> np.ndarray:
        """What `gather` gives, stream by stream as it is stored: uint16 [B, K, T], a copy."""
        offsets = np.asarray(offsets)
        if len(offsets) == 0:
            return np.zeros((0, STREAM_COUNT[kind], steps), np.uint16)
        streams = sliding_window_view(np.asarray(self.tokens), steps)[
            offsets
        ]  # copies whole rows: memory bandwidth
        for stream in TONAL_STREAMS[kind]:
            streams[:, stream] = clean_leading_note_offs(streams[:, stream])
        return streams


def batch_major(streams: np.ndarray) -> np.ndarray:
    """uint16 [B, K, T] as the int32 [B, T, K] that models take."""
    return np.ascontiguousarray(streams.transpose(0, 2, 1)).astype(np.int32)


def _counts(meta: Mapping[str, Any]) -> list[tuple[str, int, str, int]]:
    """(kind, bars, split, windows) of every window file, in a fixed order."""
    found = []
    for name, splits in meta['windows'].items():
        kind, bars = name.rsplit('-', 1)
        if kind not in KINDS:
            raise KeyError(kind)
        found += [(kind, int(bars), split, splits[split]) for split in SPLITS]
    return found


def _rebuild() -> str:
    return 'rebuild it with make data MIDI=<folder> NAME=<name>'
