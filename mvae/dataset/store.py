"""The token store: the columns of every track once, windows as offsets into them, memory-mapped.

    store.json                          format, version, notation, forms, settings, counts, funnel
    tokens.npy                          uint16 [total]    the columns, row by row, track after track
    or tokens-<n>-of-<files>.npy        uint16 [n]        the same in several files; no file of
                                                          music lies in two
    windows-<form>-<bars>-<split>.npy   int64 [N, K]      where each stream of a window begins
    songs-<form>-<bars>-<split>.npy     uint32 [N]        the window's song
    songs.json                          titles and splits of the songs
    files.csv, rejected.csv             every file with its song and split, or why it gave nothing

A window costs 8 bytes per stream, whatever its length, and a store of millions opens at once.
"""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import numpy as np
from msgspec import Meta

from mvae import remote
from mvae.arrays import read_header
from mvae.dataset.tokens import Tokens
from mvae.errors import InputError
from mvae.files import Missing, conform, damaged, open_regular, read_json, reason
from mvae.music.form import Form, Stream, differences
from mvae.music.forms import FORMS, make_form, parts_of
from mvae.music.notation import Notation

FORMAT = 'mvae-store'
VERSION = 2
META_FILE = 'store.json'
SPLITS = ('train', 'validation', 'test')
_MOST_COPIED = 2**24  # bytes of a file that is read at once; larger ones are memory-mapped
_Count = Annotated[int, Meta(ge=0, le=2**53)]


class _Splits(msgspec.Struct):
    train: _Count
    validation: _Count
    test: _Count


class _Lost(msgspec.Struct):
    rejected: dict[str, int] = {}


class _Funnel(msgspec.Struct):
    files: _Lost = msgspec.field(default_factory=_Lost)
    forms: dict[str, _Lost] = {}


class _About(msgspec.Struct):
    """What is asked of store.json.

    shards: tokens of each token file, where there are several.
    """

    notation: dict[str, int | str]
    forms: dict[str, dict[str, Any]]
    tokens: _Count
    windows: dict[Annotated[str, Meta(pattern='^.+-[1-9][0-9]{0,3}$')], _Splits]
    shards: list[_Count] = []
    files: str = ''
    funnel: _Funnel = msgspec.field(default_factory=_Funnel)


class _Titles(msgspec.Struct):
    titles: list[str]


def token_files(count: int) -> list[str]:
    """Names of so many token files, in their order."""
    if count == 1:
        return ['tokens.npy']
    return [f'tokens-{number:05d}-of-{count:05d}.npy' for number in range(count)]


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
        tokens: uint16 [total], memory-mapped, of one file or of several.
    """

    def __init__(self, path: Path, meta: Mapping[str, Any]):
        """Raises InputError as `open` does."""
        self.path = path
        self.meta = meta
        about = conform(meta, _About, path / META_FILE, _rebuild())
        try:
            self.notation = Notation(**about.notation)
        except (InputError, TypeError) as error:
            raise damaged(path / META_FILE, reason(error), _rebuild()) from None
        self._mapped: dict[str, tuple[BinaryIO, tuple[int, int]]] = {}
        counts = about.shards or [about.tokens]
        if sum(counts) != about.tokens:
            raise damaged(path / META_FILE, 'the shards hold other tokens than all', _rebuild())
        names = token_files(len(counts))
        self.tokens = Tokens(
            [
                self._array(name, np.uint16, (count,))
                for name, count in zip(names, counts, strict=True)
            ]
        )
        self._windows, self._songs = {}, {}
        for form, bars, split, count in _counts(about.windows):
            if form not in FORMS:
                raise InputError(
                    f'{path} has windows of the form {form!r}, which this version of mvae does not '
                    f'know; known: {", ".join(FORMS)}; {_rebuild()}'
                )
            key = form, bars, split
            shape = (count, len(parts_of(form)))
            self._windows[key] = self._array(windows_file(*key), np.int64, shape)
            self._songs[key] = self._array(songs_file(*key), np.uint32, (count,))

    @property
    def corpus(self) -> str:
        """Digest of the files that the store was built from; '' where there were none."""
        return self.meta.get('files', '')

    @classmethod
    def open(cls, path: str | Path) -> 'Store':
        """Opens a store, without reading large files of it. Of an address it opens the copy here.

        Raises:
            InputError: if there is no store, if it was built by another version, or if a file is
                missing or truncated.
        """
        path = remote.local(path)
        try:
            meta = read_json(path / META_FILE, dict[str, Any], _rebuild())
        except Missing:
            there = os.path.exists(path)
            what = 'is no dataset (store.json is missing)' if there else 'does not exist'
            raise InputError(
                f'{path} {what}; build one with make data MIDI=<folder> NAME=<name>'
            ) from None
        if meta.get('format') != FORMAT:
            raise InputError(
                f'{path} is no dataset of mvae; build one with make data MIDI=<folder> NAME=<name>'
            )
        if meta.get('version') != VERSION:
            raise InputError(
                f'{path} was built by another version of mvae (store version '
                f'{meta.get("version")}, this one reads {VERSION}); {_rebuild()}'
            )
        return cls(path, meta)

    def _array(self, name: str, dtype: Any, shape: tuple[int, ...]) -> np.ndarray:
        """A file's array, read-only."""
        path = self.path / name
        try:
            file = open_regular(path)
        except Missing:
            raise InputError(f'{path} is missing; {_rebuild()}') from None
        size, _ = state = _state(file)
        try:
            header = read_header(file, size)
            if (header.shape, header.dtype) != (shape, dtype):
                raise InputError(f'{path} does not fit store.json; {_rebuild()}')
            if size > _MOST_COPIED:
                self._mapped[name] = file, state
                return np.memmap(file, dtype, 'r', file.tell(), shape)
            with file:
                return np.frombuffer(file.read(header.bytes), dtype).reshape(shape)
        except (ValueError, OSError, MemoryError, RecursionError) as error:
            file.close()
            raise damaged(path, reason(error), _rebuild()) from None

    def check_unchanged(self) -> None:
        """Raises InputError where somebody writes to the files that are memory-mapped.

        What lies behind a new end kills a process, and other values are other music. A store that
        is built anew takes the place of the old one, which stays as it is for whoever reads it.
        """
        for name, (file, state) in self._mapped.items():
            if _state(file) != state:
                raise InputError(
                    f'{self.path / name} was changed while it was read; bring it back, or rebuild '
                    'it and begin anew'
                )

    def require(self, form: Form) -> None:
        """Raises InputError unless the store's columns mean what the form says."""
        if self.notation.measure != form.meter:
            raise InputError(
                f'{self.path} holds music in {self.notation.meter}, not in {form.meter}; '
                f'--config.music.meter={self.notation.meter} trains on it'
            )
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
            there = dict.fromkeys(name for name, _ in self.forms)
            forms = '' if form.name in there else f' --forms {" ".join([*there, form.name])}'
            raise InputError(
                f'{self.path} has no {form} windows for {split}; it has {has}, each for '
                f'{", ".join(SPLITS)}; build it with --bars {lengths}{forms}'
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
        return read_json(self.path / 'songs.json', _Titles, _rebuild()).titles

    def title(self, song: int) -> str:
        """The normalised title of a song. Raises InputError where there is none."""
        if song >= len(self.titles):
            raise damaged(self.path, f'a window of the song {song}, which it lacks', _rebuild())
        return self.titles[song]

    def gather(self, offsets: np.ndarray, form: Form) -> np.ndarray:
        """Windows as pieces: offsets int64 [B, K], rows of `windows` -> int32 [B, T, columns]."""
        return form.join(self.gather_parts(offsets, form))

    def gather_parts(self, offsets: np.ndarray, form: Form) -> list[np.ndarray]:
        """What `gather` gives, part by part as it is stored: uint16 [B, T, C] each, a copy.

        What only the music before a window explains is gone, such as leading note-offs. Raises
        InputError where the store is damaged, or is being changed.
        """
        self.check_unchanged()
        offsets, parts = np.asarray(offsets), []
        for own, part in zip(offsets.reshape(-1, len(form.parts)).T, form.parts, strict=True):
            width = len(part.codec.sizes)
            try:
                rows = self.tokens.rows(own, form.steps * width)
            except IndexError:
                what = 'a window lies outside of its tokens'
                raise damaged(self.path, what, _rebuild()) from None
            columns = rows.reshape(-1, form.steps, width)
            self._check_values(columns, part)
            parts.append(part.codec.clean(columns))
        return parts

    def _check_values(self, columns: np.ndarray, part: Stream) -> None:
        most = columns.max((0, 1), initial=0)
        if (most >= part.codec.sizes).any():
            raise damaged(self.path, f'{part.name} has the value {most.max()}', _rebuild())


def _state(file: BinaryIO) -> tuple[int, int]:
    """Size and time of the last change, in nanoseconds."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _counts(windows: Mapping[str, _Splits]) -> list[tuple[str, int, str, int]]:
    """(form, bars, split, windows) of every window file, in a fixed order."""
    found = []
    for name, counts in windows.items():
        form, bars = name.rsplit('-', 1)
        found += [(form, int(bars), split, getattr(counts, split)) for split in SPLITS]
    return found


def _rebuild() -> str:
    return 'rebuild it with make data MIDI=<folder> NAME=<name>'
