"""Near-duplicates: files of any name that share so many windows that they must be one song."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from mvae.dataset.grouped import grouped

SHARE = 0.5
MINIMUM = 4
_PAIRS = np.dtype([('key', np.uint64), ('common', np.int64)])


def content_links(
    windows: Iterable[np.ndarray],
    total: int,
    scratch: Path,
    share: float = SHARE,
    minimum: int = MINIMUM,
) -> np.ndarray:
    """Pairs of files with many windows in common.

    These are at least `minimum` windows, and at least `share` of the smaller file's. A window that
    stands in many files links each of them to the first one only. Copies of one song still find
    each other, since all their windows point to the same first copy. So time is linear in the
    number of windows.

    Args:
        windows: structured arrays [N] of one kind and length, with the fields key (their hash,
            uint64, each once per file) and file (rising).
        total: number of files. scratch: an existing folder for what memory does not hold.

    Returns:
        int64 [P, 2], each pair once, the smaller number first.
    """
    sizes = np.zeros(total, np.int64)

    def counted() -> Iterator[np.ndarray]:
        for chunk in windows:
            np.add.at(sizes, chunk['file'], 1)
            yield chunk

    shared = (_pairs(group, total) for group in grouped(counted(), scratch))
    found = [np.zeros((0, 2), np.int64)]
    for group in grouped(shared, scratch):
        keys, place = np.unique(group['key'], return_inverse=True)
        common = np.bincount(place, group['common'])
        pairs = np.stack(np.divmod(keys.astype(np.int64), total), 1)
        found.append(pairs[linked(common, sizes[pairs].min(1), share, minimum)])
    return np.concatenate(found)


def linked(
    common: np.ndarray, smaller: np.ndarray, share: float = SHARE, minimum: int = MINIMUM
) -> np.ndarray:
    """Whether so many common windows make files one song; smaller: windows of the smaller file."""
    return (common >= minimum) & (common >= share * smaller)


def _pairs(windows: np.ndarray, total: int) -> np.ndarray:
    """Of windows with all that equal them: how many each file shares with the first that has them.

    A pair's key is first * total + other.
    """
    order = np.argsort(windows['key'], kind='stable')
    hashes, files = windows['key'][order], windows['file'][order].astype(np.uint64)
    begins = np.append(True, hashes[1:] != hashes[:-1])
    place = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    keys, common = np.unique((files[place] * np.uint64(total) + files)[~begins], return_counts=True)
    pairs = np.empty(len(keys), _PAIRS)
    pairs['key'], pairs['common'] = keys, common
    return pairs
