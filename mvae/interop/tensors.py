"""What all readers give: names with shapes, and a tensor's values when they are asked for."""

import math
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from mvae.errors import InputError

MOST_TENSORS = 100_000
MOST_BYTES = 2**36  # of one tensor
MOST_DIMENSIONS = 8


@dataclass(frozen=True)
class Spec:
    """Shape and kind of number of a tensor, as its file says them.

    dtype is None where we cannot read it (strings, say).
    """

    shape: tuple[int, ...]
    dtype: np.dtype | None

    @property
    def bytes(self) -> int:
        """How many the values take; 0 where we cannot read them."""
        return 0 if self.dtype is None else math.prod(self.shape) * self.dtype.itemsize


class Tensors(ABC):
    """A file of named tensors. specs: what is there; `read` takes one from the disk."""

    specs: Mapping[str, Spec]

    @abstractmethod
    def read(self, name: str) -> np.ndarray:
        """The values of one tensor. Raises InputError where they are damaged."""


class NpzTensors(Tensors):
    """A numpy archive, as `mvae export` writes it."""

    def __init__(self, path: Path):
        """Raises InputError where the file is no archive of arrays, or damaged."""
        try:
            self._file = np.load(path, allow_pickle=False)
            self.specs = {name: _npy_spec(self._file, name) for name in self._file.files}
        except Exception as error:  # a zip can be broken in many ways
            raise InputError(
                f'{path} is not an archive of numpy arrays, or damaged ({type(error).__name__})'
            ) from None
        self._path = path

    def read(self, name: str) -> np.ndarray:
        try:
            return self._file[name]
        except Exception as error:
            raise InputError(f'{self._path}: {name} is damaged ({type(error).__name__})') from None


def _npy_spec(file: np.lib.npyio.NpzFile, name: str) -> Spec:
    """From the header alone."""
    with cast(zipfile.ZipFile, file.zip).open(f'{name}.npy') as member:
        if np.lib.format.read_magic(member) == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(member)
    return Spec(shape, dtype if dtype.kind in 'fiu' else None)


def check_shape(where: str, name: str, shape: tuple[int, ...], itemsize: int) -> None:
    """Raises InputError for a shape that no checkpoint has, before anything is allocated."""
    possible = len(shape) <= MOST_DIMENSIONS and all(n >= 0 for n in shape)
    if not possible or math.prod(shape) * itemsize > MOST_BYTES:
        raise InputError(
            f'{where}: {name} has the impossible shape {list(shape)[:MOST_DIMENSIONS]}; '
            'the file is damaged'
        )
