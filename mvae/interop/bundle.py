"""TensorFlow's V2 checkpoint (a "bundle"): an index of names and places, and data files.

docs/magenta.md, "Checkpoint files", describes the format; `index` reads the index. Nothing in it is
executed, no file outside the checkpoint's own is opened, and every number is checked against the
sizes of the files before it is used.
"""

import itertools
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from mvae.checks import natural
from mvae.errors import InputError
from mvae.interop.crc32c import masked_crc32c
from mvae.interop.files import Stretch
from mvae.interop.index import Damaged, Entry, read_index
from mvae.interop.tensors import Tensors, check_shape


class Bundle(Tensors):
    """A V2 checkpoint."""

    def __init__(self, name: str, index: Stretch, shards: dict[int, Stretch]):
        """Reads the index.

        name: for messages.
        index: the .index file.
        shards: by number the .data-NNNNN-of-MMMMM files that are there.

        Raises InputError where the index is damaged, or speaks of data that are not there.
        """
        self._name, self._shards = name, shards
        try:
            self._entries = read_index(index)
        except (Damaged, struct.error, IndexError, UnicodeDecodeError) as error:
            raise InputError(
                f'{name}: the index is damaged or not one of TensorFlow ({error})'
            ) from None
        self.specs = {key: entry.spec for key, entry in self._entries.items()}
        self._check_places()

    def _check_places(self) -> None:
        by_shard: dict[int, list[tuple[int, int, str]]] = {}
        for key, entry in self._entries.items():
            if entry.spec.dtype is None:
                continue
            self._check_place(key, entry)
            place = entry.offset, entry.offset + entry.size, key
            by_shard.setdefault(entry.shard, []).append(place)
        for places in by_shard.values():
            for (_, end, one), (start, _, other) in itertools.pairwise(sorted(places)):
                if start < end:
                    raise InputError(
                        f'{self._name}: {one} and {other} overlap; the index is damaged'
                    )

    def _check_place(self, key: str, entry: Entry) -> None:
        """Of one tensor. Raises InputError where it cannot lie where the index says."""
        spec = entry.spec
        check_shape(self._name, key, spec)
        if entry.size != spec.bytes:
            raise InputError(
                f'{self._name}: {key} of shape {list(spec.shape)} should have {spec.bytes} bytes, '
                f'not {entry.size}'
            )
        if entry.shard not in self._shards:
            raise InputError(
                f'{self._name}: the data file number {entry.shard} is missing, which holds {key}'
            )
        if entry.offset + entry.size > self._shards[entry.shard].size:
            raise InputError(
                f'{self._name}: {key} ends behind the end of its data file, which is truncated'
            )

    def read(self, name: str) -> np.ndarray:
        entry = self._entries[name]
        if entry.spec.dtype is None:
            raise InputError(f'{self._name}: {name} holds no numbers that we can read')
        data = self._shards[entry.shard].read(entry.offset, entry.size)
        if masked_crc32c(data) != entry.crc:
            raise InputError(f'{self._name}: the values of {name} are damaged (checksum)')
        return np.frombuffer(data, entry.spec.dtype).reshape(entry.spec.shape)


def open_prefix(prefix: Path) -> Bundle:
    """The checkpoint `<prefix>.index` with its data files beside it."""
    index = prefix.with_name(prefix.name + '.index')
    names = {path.name: path for path in prefix.parent.glob(glob_escape(prefix.name) + '.data-*')}
    shards = {n: Stretch.of_file(names[name]) for n, name in shard_names(prefix.name, names)}
    return Bundle(str(prefix), Stretch.of_file(index), shards)


def shard_names(prefix: str, names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """(number, name) of those among names that are data files of the prefix."""
    for name in names:
        tail = name.removeprefix(prefix + '.data-')
        number, _, total = tail.partition('-of-')
        place = natural(number)
        if tail != name and place is not None and natural(total) is not None:
            yield place, name


def glob_escape(name: str) -> str:
    """A pattern of glob that fits this name alone."""
    return ''.join(f'[{char}]' if char in '*?[' else char for char in name)
