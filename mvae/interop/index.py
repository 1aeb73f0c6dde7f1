"""The index of a TensorFlow V2 checkpoint: a table of names and places.

It has sorted, prefix-compressed entries in blocks, each with a checksum, and every entry is a
protocol buffer (docs/magenta.md, "Checkpoint files").
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import ml_dtypes
import numpy as np

from mvae.interop.crc32c import masked_crc32c
from mvae.interop.files import Stretch
from mvae.interop.tensors import MOST_TENSORS, Spec

_MAGIC = 0xDB4775248B80FB57
_FOOTER, _TRAILER = 48, 5
_MOST_INDEX = 2**26  # bytes
# TensorFlow's numbers for its types, as far as weights use them.
_DTYPES: dict[int, np.dtype] = {
    1: np.dtype('<f4'),
    2: np.dtype('<f8'),
    3: np.dtype('<i4'),
    4: np.dtype('u1'),
    5: np.dtype('<i2'),
    6: np.dtype('i1'),
    9: np.dtype('<i8'),
    14: np.dtype(ml_dtypes.bfloat16),
    19: np.dtype('<f2'),
}


class Damaged(Exception):
    """The bytes cannot be what they should be; whoever reads the whole file says where."""


class Entry(NamedTuple):
    """A tensor and where it lies; offset and size in bytes."""

    spec: Spec
    shard: int
    offset: int
    size: int
    crc: int


def read_index(index: Stretch) -> dict[str, Entry]:
    """{name: entry}. Raises Damaged, struct.error, IndexError or UnicodeDecodeError."""
    if not _FOOTER <= index.size <= _MOST_INDEX:
        raise Damaged(f'{index.size} bytes')
    data = index.read(0, index.size)
    footer = data[-_FOOTER:]
    if struct.unpack('<Q', footer[-8:])[0] != _MAGIC:
        raise Damaged('no magic number at its end')
    position = 0
    for _ in range(2):  # the metaindex, which bundles leave empty
        _, position = _varint(footer, position)
    offset, position = _varint(footer, position)
    size, _ = _varint(footer, position)
    entries: dict[str, Entry] = {}
    for _, place in _block(data, offset, size):
        start, position = _varint(place, 0)
        length, _ = _varint(place, position)
        for key, value in _block(data, start, length):
            name = key.decode()
            if not name:
                _check_header(value)
            elif name in entries or len(entries) >= MOST_TENSORS:
                raise Damaged(f'{name[:80]!r} twice, or too many names')
            else:
                entries[name] = _entry(value)
    return entries


def _block(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) pairs of one block; shared beginnings of keys are put back."""
    if offset + size + _TRAILER > len(data):
        raise Damaged('a block behind its end')
    block, kind = data[offset : offset + size], data[offset + size]
    if kind != 0:
        raise Damaged(f'a block compressed by method {kind}, which checkpoints do not use')
    (checksum,) = struct.unpack_from('<I', data, offset + size + 1)
    if masked_crc32c(data[offset : offset + size + 1]) != checksum:
        raise Damaged('checksum of a block')
    (restarts,) = struct.unpack_from('<I', block, size - 4)
    end = size - 4 * (restarts + 1)
    if end < 0:
        raise Damaged('a block without room for its entries')
    position, key = 0, b''
    while position < end:
        shared, position = _varint(block, position)
        own, position = _varint(block, position)
        length, position = _varint(block, position)
        if shared > len(key) or position + own + length > end:
            raise Damaged('an entry behind the end of its block')
        key = key[:shared] + block[position : position + own]
        yield key, block[position + own : position + own + length]
        position += own + length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise Damaged('a number of more than 64 bits')


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of a protocol buffer's fields."""
    position = 0
    value: int | bytes
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == 0:
            value, position = _varint(message, position)
        elif kind in (1, 5):
            width = 8 if kind == 1 else 4
            if position + width > len(message):
                raise Damaged('a cut message')
            value = int.from_bytes(message[position : position + width], 'little')
            position += width
        elif kind == 2:
            size, position = _varint(message, position)
            if position + size > len(message):
                raise Damaged('a cut message')
            value = message[position : position + size]
            position += size
        else:
            raise Damaged(f'a field of kind {kind}')
        yield tag >> 3, value


def _number(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise Damaged('text in place of a number')
    return value


def _check_header(message: bytes) -> None:
    for number, value in _fields(message):
        if number == 2 and _number(value) != 0:
            raise Damaged('big-endian data, which we do not read')


def _entry(message: bytes) -> Entry:
    numbers = {1: 0, 3: 0, 4: 0, 5: 0, 6: 0}
    shape: tuple[int, ...] = ()
    for number, value in _fields(message):
        if number == 2:
            shape = _shape(value)
        elif number in numbers:
            numbers[number] = _number(value)
    spec = Spec(shape, _DTYPES.get(numbers[1]))
    return Entry(spec, numbers[3], numbers[4], numbers[5], numbers[6])


def _shape(message: int | bytes) -> tuple[int, ...]:
    if not isinstance(message, bytes):
        raise Damaged('a number in place of a shape')
    shape = []
    for number, dimension in _fields(message):
        if number == 2:
            if not isinstance(dimension, bytes):
                raise Damaged('a number in place of a dimension')
            sizes = (_number(size) for field, size in _fields(dimension) if field == 1)
            shape.append(next(sizes, 0))
    return tuple(shape)
