"""Arrays in files (.npy, .npz) of anybody: what they claim is checked before memory is taken."""

import math
import os
import zipfile
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

import numpy as np

from mvae.errors import InputError
from mvae.files import damaged, open_regular, reason

_MOST_ARRAYS = 100_000
# Of the bytes that arrays take, to those of the file: weights are noise, and hardly compress.
_MOST_RATIO, _SMALL = 64, 2**24
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Header(NamedTuple):
    """What a file says of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes], size: int) -> Header:
    """The header of an .npy of `size` bytes; the values follow in the file.

    Raises ValueError where it is none, or does not have the bytes of its shape.
    """
    try:
        if np.lib.format.read_magic(file) == (1, 0):  # of the two versions that numpy writes
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    except Exception as error:  # it is Python's text, whose parsers have errors of many kinds
        raise ValueError(f'no header of an array: {reason(error)}') from None
    header = Header(shape, dtype)
    if min(shape, default=0) < 0 or header.bytes != size - file.tell():
        raise ValueError(f'it does not have the bytes of its shape {list(shape)[:8]}')
    return header


class Npz:
    """An archive that was opened. headers: of its arrays, by name."""

    def __init__(self, path: str | Path, what: str = 'archive of numpy arrays'):
        """what: it should be, for messages.

        Raises Missing; InputError where the file is no such archive, is damaged, or claims far
        more bytes than it can hold.
        """
        self._path, self._what = path, what
        file = open_regular(path)
        try:
            self._zip = zipfile.ZipFile(file)
            self._check_size(file)
            self.headers = {
                info.filename.removesuffix('.npy'): self._header(info)
                for info in self._zip.infolist()
            }
        except Exception as error:  # a zip can be broken in many ways
            file.close()
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> InputError:
        return damaged(f'{self._path} is no {self._what}, or', reason(error))

    def _check_size(self, file: BinaryIO) -> None:
        members = self._zip.infolist()
        claimed = sum(member.file_size for member in members)
        most = _SMALL + _MOST_RATIO * os.fstat(file.fileno()).st_size
        if claimed > most or len(members) > _MOST_ARRAYS:
            raise ValueError(f'it claims {len(members):,} arrays of {claimed:,} bytes')
        if any(member.compress_type not in _METHODS for member in members):
            raise ValueError('another compression than deflate')

    def _header(self, info: zipfile.ZipInfo) -> Header:
        with self._zip.open(info) as member:
            return read_header(member, info.file_size)

    def read(self, name: str) -> np.ndarray:
        """The values of an array. Raises InputError where they are damaged."""
        try:
            with self._zip.open(f'{name}.npy') as member:
                return np.lib.format.read_array(member, allow_pickle=False)
        except Exception as error:
            raise damaged(f'{self._path}: {name}', reason(error)) from None
