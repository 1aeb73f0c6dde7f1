"""A TensorFlow.js folder: weights_manifest.json with names and shapes, and shards of bytes.

The bytes are plain or quantised (docs/magenta.md, "TensorFlow.js folders").
"""

import math
import os
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from mvae.errors import InputError
from mvae.files import damaged, read_json
from mvae.interop.files import Stretch
from mvae.interop.tensors import MOST_NAME, MOST_TENSORS, Spec, Tensors, check_shape

MANIFEST = 'weights_manifest.json'
_MOST_FILE_NAME = 255
_DTYPES = {
    **{'float32': '<f4', 'float16': '<f2', 'int32': '<i4'},
    **{'uint8': 'u1', 'uint16': '<u2', 'bool': 'u1'},
}


class _Quantisation(msgspec.Struct):
    """Of float16 there is no more to say; integers have both numbers."""

    dtype: Literal['uint8', 'uint16', 'float16']
    scale: float = math.nan
    min: float = math.nan


class _Listed(msgspec.Struct):
    """A weight as the manifest has it."""

    name: str
    shape: tuple[Annotated[int, Meta(ge=0, lt=2**31)], ...]
    dtype: Literal['float32', 'int32', 'uint8', 'uint16', 'bool']
    quantization: _Quantisation | None = None


class _Group(msgspec.Struct):
    paths: list[str]
    weights: list[_Listed]


class _Weight(NamedTuple):
    listed: _Listed
    spec: Spec
    stored: np.dtype
    shards: list[Stretch]
    offset: int  # in the shards of its group, one after the other


class TfjsTensors(Tensors):
    """Weights of one manifest."""

    def __init__(self, folder: Path):
        """Reads the manifest.

        Raises InputError where it is damaged, or names files that are not there or not in the
        folder.
        """
        self._folder = folder
        self._weights: dict[str, _Weight] = {}
        for group in read_json(folder / MANIFEST, list[_Group]):
            self._add_group(group)
        self.specs = {name: weight.spec for name, weight in self._weights.items()}

    def _add_group(self, group: _Group) -> None:
        shards = [Stretch.of_file(self._inside(name)) for name in group.paths]
        offset, total = 0, sum(shard.size for shard in shards)
        for listed in group.weights:
            if listed.name in self._weights or len(self._weights) >= MOST_TENSORS:
                raise self._damaged(f'the name {listed.name[:MOST_NAME]!r} twice, or too many')
            self._weights[listed.name] = self._weight(listed, shards, offset)
            offset += _stored_bytes(self._weights[listed.name])
        if offset > total:
            names = ', '.join(group.paths)[:MOST_NAME]
            raise InputError(
                f'{self._folder}: the shards {names} have {total} bytes, '
                f'the manifest wants {offset}'
            )

    def _weight(self, listed: _Listed, shards: list[Stretch], offset: int) -> _Weight:
        dtype = stored = np.dtype(_DTYPES[listed.dtype])
        if quantised := listed.quantization:
            stored = np.dtype(_DTYPES[quantised.dtype])
            sound = math.isfinite(quantised.scale) and math.isfinite(quantised.min)
            if stored.kind == 'u' and not sound:
                raise self._damaged(f'quantisation of {listed.name[:MOST_NAME]}')
        spec = Spec(listed.shape, dtype)
        check_shape(str(self._folder / MANIFEST), listed.name, spec)
        return _Weight(listed, spec, stored, shards, offset)

    def _damaged(self, why: str) -> InputError:
        return damaged(self._folder / MANIFEST, why)

    def _inside(self, name: str) -> Path:
        """A shard's path; only a plain name of a file in the folder."""
        if not _is_plain(name):
            raise InputError(
                f'{self._folder / MANIFEST} names the shard {name[:MOST_NAME]!r}, '
                'which is no file of its folder'
            )
        path = self._folder / name
        inside, true = os.path.realpath(self._folder), os.path.realpath(path)
        if os.path.commonpath([inside, true]) != inside:
            raise InputError(f'{path} is a link to a file outside of its folder')
        return path

    def read(self, name: str) -> np.ndarray:
        weight = self._weights[name]
        start, size = weight.offset, _stored_bytes(weight)
        parts = []
        for shard in weight.shards:
            inside = min(size, shard.size - start) if start < shard.size else 0
            if inside > 0:
                parts.append(shard.read(start, inside))
                start, size = start + inside, size - inside
            start -= shard.size
        values = np.frombuffer(b''.join(parts), weight.stored).reshape(weight.spec.shape)
        if (quantised := weight.listed.quantization) and weight.stored.kind == 'u':
            values = values * np.float32(quantised.scale) + np.float32(quantised.min)
        return values.astype(weight.spec.dtype)


def _stored_bytes(weight: _Weight) -> int:
    return math.prod(weight.spec.shape) * weight.stored.itemsize


def _is_plain(name: str) -> bool:
    """Whether it is a file's name without a path."""
    return (
        0 < len(name) <= 255 and name == Path(name).name and '\x00' not in name and '\\' not in name
    )
