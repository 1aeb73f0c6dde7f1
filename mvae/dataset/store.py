"""The token store: the columns of every track once, windows as offsets into them, memory-mapped.

    store.json                          format, version, notation, forms, settings, counts, funnel
    tokens.npy                          uint16 [total]    the columns, row by row, track after track
    windows-<form>-<bars>-<split>.npy   int64 [N, K]      where each stream of a window begins
    songs-<form>-<bars>-<split>.npy     uint32 [N]        the window's song
    songs.json                          titles and splits of the songs
    files.csv, rejected.csv             every file with its song and split, or why it gave nothing

A window costs 8 bytes per stream, whatever its length, and a store of millions opens at once.
"""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mvae.errors import InputError
from mvae.music.form import Form, differences
from mvae.music.forms import FORMS, make_form
from mvae.music.notation import Notation

FORMAT = 'mvae-store'
VERSION = 2
META_FILE = 'store.json'
SPLITS = ('train', 'validation', 'test')


def windows_file(form: str, bars: int, split: str) -> str:
    return f'windows-{form}-{bars}-{split}.npy'


def songs_file(form: str, bars: int, split: str) -> str:
    return f'songs-{form}-{bars}-{split}.npy'


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
        notation: what the values of all its columns mean.
        tokens: uint16 [total], memory-mapped.
    """

    def __init__(self, path: Path, meta: Mapping[str, Any]):
        self.path = path
        self.meta = meta
        try:
            self.notation = Notation(**meta['notation'])
        except InputError as error:
            raise InputError(f'{path / META_FILE} is damaged ({error}); {_rebuild()}') from None
        self.tokens = self._array('tokens.npy', np.uint16, (meta['tokens'],))
        self._windows, self._songs = {}, {}
        for form, bars, split, count in _counts(meta):
            if form not in FORMS:
                raise InputError(
                    f'{path} has windows of the form {form!r}, which this version of mvae does not '
                    f'know; known: {", ".join(FORMS)}; {_rebuild()}'
                )
            key = form, bars, split
            shape = (count, len(FORMS[form]))
            self._windows[key] = self._array(windows_file(*key), np.int64, shape)
            self._songs[key] = self._array(songs_file(*key), np.uint32, (count,))

    @property
    def corpus(self) -> str:
        """Digest of the files that the store was built from; '' where there were none."""
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
                f'{path} was built by another version of mvae (store version '
                f'{meta.get("version")}, this one reads {VERSION}); {_rebuild()}'
            )
        try:
            return cls(path, meta)
        except (KeyError, TypeError, AttributeError, ValueError):
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

    def require(self, form: Form) -> None:
        """Raises InputError unless the store's columns mean what the form says."""
        mine = self.meta['forms'].get(form.name, form.fingerprint())
        if changed := differences(mine, form.fingerprint()):
            raise InputError(
                f'{self.path} is written in another notation ({changed}); '
                'rebuild it, or use its notation'
            )

    def form(self, name: str, bars: int) -> Form:
        """A form in the store's notation. Raises InputError for unknown names."""
        return make_form(name, bars, self.notation)

    @property
    def forms(self) -> list[tuple[str, int]]:
        """The (form, bars) that the store was built for."""
        return list(dict.fromkeys((form, bars) for form, bars, _ in self._windows))

    def _key(self, form: Form, split: str) -> tuple[str, int, str]:
        key = form.name, form.bars, split
        if key not in self._windows:
            has = ', '.join(f'{bars}-bar {name}' for name, bars in self.forms)
            other = sorted({bars for name, bars in self.forms if name == form.name} or {form.bars})
            lengths = ' '.join(map(str, sorted({*other, form.bars})))
            raise InputError(
                f'{self.path} has no {form} windows for {split}; it has {has}, each for '
                f'{", ".join(SPLITS)}; build it with --bars {lengths}'
            )
        return key

    def windows(self, form: Form, split: str) -> np.ndarray:
        """int64 [N, K], memory-mapped: the offset of each of a window's K streams in `tokens`."""
        return self._windows[self._key(form, split)]

    def songs(self, form: Form, split: str) -> np.ndarray:
        """uint32 [N], memory-mapped: the song of each window, an index into `titles`."""
        return self._songs[self._key(form, split)]

    def count(self, form: Form, split: str) -> int:
        """Number of windows."""
        return len(self._windows[self._key(form, split)])

    @cached_property
    def titles(self) -> list[str]:
        """The normalised title of every song."""
        try:
            return json.loads((self.path / 'songs.json').read_text(encoding='utf-8'))['titles']
        except (OSError, ValueError, KeyError):
            place = self.path / 'songs.json'
            raise InputError(f'{place} is missing or damaged; {_rebuild()}') from None

    def gather(self, offsets: np.ndarray, form: Form) -> np.ndarray:
        """Windows as pieces: offsets int64 [B, K], rows of `windows` -> int32 [B, T, columns]."""
        return form.join(self.gather_streams(offsets, form))

    def gather_streams(self, offsets: np.ndarray, form: Form) -> list[np.ndarray]:
        """What `gather` gives, stream by stream as it is stored: uint16 [B, T, C] each, a copy.

        What only the music before a window explains is gone, such as leading note-offs.
        """
        offsets, tokens, streams = np.asarray(offsets), np.asarray(self.tokens), []
        for own, stream in zip(offsets.reshape(-1, len(form.streams)).T, form.streams, strict=True):
            width = len(stream.codec.sizes)
            if len(own):  # copies whole rows: memory bandwidth
                rows = sliding_window_view(tokens, form.steps * width)[own]
            else:
                rows = np.zeros((0, form.steps * width), np.uint16)
            streams.append(stream.codec.clean(rows.reshape(-1, form.steps, width)))
        return streams


def _counts(meta: Mapping[str, Any]) -> list[tuple[str, int, str, int]]:
    """(form, bars, split, windows) of every window file, in a fixed order."""
    found = []
    for name, splits in meta['windows'].items():
        form, bars = name.rsplit('-', 1)
        found += [(form, int(bars), split, splits[split]) for split in SPLITS]
    return found


def _rebuild() -> str:
    return 'rebuild it with make data MIDI=<folder> NAME=<name>'
