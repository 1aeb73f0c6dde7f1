"""Records of one key brought together, more of them than memory holds.

They go into files by their keys, and one file at a time is read.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

_HELD = 2**20  # records that are kept until they are written
_FILES = 256
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd: what differs in any bit differs in the first ones


def grouped(chunks: Iterable[np.ndarray], scratch: Path) -> Iterator[np.ndarray]:
    """The records of all chunks, each time some of them and all that share a key with them.

    All chunks are taken before the first group comes. Memory holds a chunk beside a million
    records, and then 1/256 of all. Where there are less than a million all of them are one group.

    Args:
        chunks: structured arrays [N] of one dtype, with a field `key` (uint64).
        scratch: an existing folder, in which one is made for as long as it takes.

    Returns:
        structured arrays [N], none of them empty, in each of which records come in their order.
    """
    with TemporaryDirectory(dir=scratch) as folder:
        files = [Path(folder, str(number)) for number in range(_FILES)]
        held: list[np.ndarray] = []
        count, spilled = 0, False
        for chunk in chunks:
            if len(chunk):
                held.append(chunk)
                count += len(chunk)
            if count > _HELD:
                _spill(held, files)
                held, count, spilled = [], 0, True
        if not spilled:
            if held:
                yield np.concatenate(held)
            return
        dtype = chunk.dtype
        _spill(held, files)
        held.clear()
        for file in filter(Path.exists, files):
            yield np.fromfile(file, dtype)
            file.unlink()


def _spill(held: list[np.ndarray], files: list[Path]) -> None:
    """Appends each record to the file of its key."""
    if not held:
        return
    records = np.concatenate(held)
    number = ((records['key'] * _MIX) >> np.uint64(56)).astype(np.uint8)
    ends = np.cumsum(np.bincount(number, minlength=len(files)))[:-1]
    ordered = records[np.argsort(number, kind='stable')]
    for path, own in zip(files, np.split(ordered, ends), strict=True):
        if len(own):
            with open(path, 'ab') as file:
                file.write(own.tobytes())
