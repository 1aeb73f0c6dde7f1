"""What all readers give: names with shapes, and a tensor's values when they are asked for."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mvae.arrays import Npz
from mvae.errors import InputError

MOST_TENSORS = 100_000
MOST_BYTES = 2**30  # of one tensor
MOST_DIMENSIONS = 8
MOST_NAME = 80  # characters of a name in a message


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
    """A numpy archive, as `mvae.interop.npz` writes it."""

    def __init__(self, path: Path):
        """Raises InputError where the file is no archive of arrays, or damaged."""
        self._file = Npz(path)
        self.specs = {
            name: Spec(shape, dtype if dtype.kind in 'fiu' else None)
            for name, (shape, dtype) in self._file.headers.items()
        }
        for name, spec in self.specs.items():
            check_shape(str(path), name, spec)

    def read(self, name: str) -> np.ndarray:
        return self._file.read(name)


def check_shape(where: str, name: str, spec: Spec) -> None:
    """Raises InputError for a shape that no checkpoint has, before anything is allocated."""
    shape = spec.shape
    possible = len(shape) <= MOST_DIMENSIONS and all(0 <= n < 2**31 for n in shape)
    if not possible or spec.bytes > MOST_BYTES:
        raise InputError(
            f'{where}: {name[:MOST_NAME]} has the impossible shape '
            f'{list(shape)[:MOST_DIMENSIONS]}; the file is damaged'
        )
