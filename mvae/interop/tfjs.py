"""A TensorFlow.js folder: weights_manifest.json with names and shapes, and shards of bytes, plain
or quantised (magenta.md 3.8).
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
    scale: float
    minimum: float
    shards: list[Stretch]
    offset: int  # in the shards of its group, one after the other


class TfjsTensors(Tensors):
    """Weights of one manifest."""

    def __init__(self, folder: Path):
        """Raises InputError where the manifest is damaged, or names files that are not there or not
        in the folder.
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
            name, shape = weight['name'], tuple(weight['shape'])
            if (
                not isinstance(name, str)
                or name in self._weights
                or len(self._weights) >= MOST_TENSORS
            ):
                raise self._damaged(f'the name {str(name)[:80]!r} twice, or too many names')
            if not all(type(n) is int for n in shape) or weight['dtype'] not in _DTYPES:
                raise self._damaged(f'shape or dtype of {name[:80]}')
            quantised = weight.get('quantization')
            if quantised and quantised['dtype'] not in _QUANTISED:
                raise self._damaged(
                    f'{name[:80]} is quantised as {str(quantised["dtype"])[:20]}, which we do not read'
                )
            dtype = np.dtype(_DTYPES[weight['dtype']])
            stored = np.dtype(_DTYPES[quantised['dtype']]) if quantised else dtype
            scale, minimum = (
                (float(quantised['scale']), float(quantised['min'])) if quantised else (1.0, 0.0)
            )
            if not (math.isfinite(scale) and math.isfinite(minimum)):
                raise self._damaged(f'quantisation of {name[:80]}')
            check_shape(str(self._folder / MANIFEST), name[:80], shape, stored.itemsize)
            self._weights[name] = _Weight(
                Spec(shape, dtype), stored, scale if quantised else 0.0, minimum, shards, offset
            )
            offset += math.prod(shape) * stored.itemsize
        if offset > total:
            raise InputError(
                f'{self._folder}: the shards {", ".join(map(str, group["paths"]))[:80]} have {total} bytes, the manifest wants {offset}'
            )

    def _inside(self, name: Any) -> Path:
        """A shard's path; only a plain name of a file in the folder."""
        if (
            not isinstance(name, str)
            or not name
            or name != Path(name).name
            or '\x00' in name
            or '\\' in name
        ):
            raise InputError(
                f'{self._folder / MANIFEST} names the shard {str(name)[:80]!r}, which is no file of its folder'
            )
        path = self._folder / name
        if path.is_symlink() and not path.resolve().is_relative_to(self._folder.resolve()):
            raise InputError(f'{path} is a link to a file outside of its folder')
        return path

    def read(self, name: str) -> np.ndarray:
        weight = self._weights[name]
        start, size = weight.offset, math.prod(weight.spec.shape) * weight.stored.itemsize
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
