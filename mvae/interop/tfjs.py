"""A TensorFlow.js folder: weights_manifest.json with names and shapes, and shards of bytes.

The bytes are plain or quantised (docs/magenta.md, "TensorFlow.js folders").
"""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mvae.errors import InputError
from mvae.interop.files import Stretch
from mvae.interop.tensors import MOST_TENSORS, Spec, Tensors, check_shape

MANIFEST = 'weights_manifest.json'
_MOST_MANIFEST = 2**26  # bytes
_DTYPES = {'float32': '<f4', 'int32': '<i4', 'uint8': 'u1', 'uint16': '<u2', 'bool': 'u1'}
_QUANTISED = ('uint8', 'uint16')


class _Weight(NamedTuple):
    spec: Spec
    stored: np.dtype
    scale: float  # of quantised values; 0 for plain ones
    minimum: float
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
        file = Stretch.of_file(folder / MANIFEST)
        if file.size > _MOST_MANIFEST:
            raise self._damaged(f'{file.size} bytes')
        try:
            groups = json.loads(file.read(0, file.size))
            for group in groups:
                self._add_group(group)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise self._damaged(f'{type(error).__name__}: {error}') from None
        self.specs = {name: weight.spec for name, weight in self._weights.items()}

    def _damaged(self, why: str) -> InputError:
        return InputError(f'{self._folder / MANIFEST} is damaged ({why[:120]})')

    def _add_group(self, group: dict[str, Any]) -> None:
        shards = [Stretch.of_file(self._inside(name)) for name in group['paths']]
        offset, total = 0, sum(shard.size for shard in shards)
        for weight in group['weights']:
            name = weight['name']
            is_new = isinstance(name, str) and name not in self._weights
            if not is_new or len(self._weights) >= MOST_TENSORS:
                raise self._damaged(f'the name {str(name)[:80]!r} twice, or too many names')
            self._weights[name] = self._weight(name[:80], weight, shards, offset)
            offset += _stored_bytes(self._weights[name])
        if offset > total:
            names = ', '.join(map(str, group['paths']))[:80]
            raise InputError(
                f'{self._folder}: the shards {names} have {total} bytes, '
                f'the manifest wants {offset}'
            )

    def _weight(
        self, name: str, weight: dict[str, Any], shards: list[Stretch], offset: int
    ) -> _Weight:
        """name: for messages."""
        shape, quantised = tuple(weight['shape']), weight.get('quantization')
        if not all(type(n) is int for n in shape) or weight['dtype'] not in _DTYPES:
            raise self._damaged(f'shape or dtype of {name}')
        dtype = stored = np.dtype(_DTYPES[weight['dtype']])
        scale = minimum = 0.0
        if quantised:
            if quantised['dtype'] not in _QUANTISED:
                what = str(quantised['dtype'])[:20]
                raise self._damaged(f'{name} is quantised as {what}, which we do not read')
            stored = np.dtype(_DTYPES[quantised['dtype']])
            scale, minimum = float(quantised['scale']), float(quantised['min'])
            if not (math.isfinite(scale) and math.isfinite(minimum)):
                raise self._damaged(f'quantisation of {name}')
        check_shape(str(self._folder / MANIFEST), name, shape, stored.itemsize)
        return _Weight(Spec(shape, dtype), stored, scale, minimum, shards, offset)

    def _inside(self, name: Any) -> Path:
        """A shard's path; only a plain name of a file in the folder."""
        if not (isinstance(name, str) and _is_plain(name)):
            raise InputError(
                f'{self._folder / MANIFEST} names the shard {str(name)[:80]!r}, '
                'which is no file of its folder'
            )
        path = self._folder / name
        if path.is_symlink() and not path.resolve().is_relative_to(self._folder.resolve()):
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
        if weight.scale:
            values = values * np.float32(weight.scale) + np.float32(weight.minimum)
        return values.astype(weight.spec.dtype)


def _stored_bytes(weight: _Weight) -> int:
    return math.prod(weight.spec.shape) * weight.stored.itemsize


def _is_plain(name: str) -> bool:
    """Whether it is a file's name without a path."""
    return name != '' and name == Path(name).name and '\x00' not in name and '\\' not in name
