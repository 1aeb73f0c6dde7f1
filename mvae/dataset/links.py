"""Near-duplicates: files of any name that share so many windows that they must be one song."""

import numpy as np

SHARE = 0.5
MINIMUM = 4


def content_links(
    hashes: np.ndarray, files: np.ndarray, share: float = SHARE, minimum: int = MINIMUM
) -> np.ndarray:
    """Pairs of files with many windows in common.

    These are at least `minimum` windows, and at least `share` of the smaller file's. A window that
    stands in many files links each of them to the first one only. Copies of one song still find
    each other, since all their windows point to the same first copy. So time and memory are linear
    in the number of windows.

    Args:
        hashes: uint64 [N], of one kind and length, each once per file. files: int [N], rising.

    Returns:
        int64 [P, 2], each pair once, the smaller number first.
    """
    if not len(hashes):
        return np.zeros((0, 2), np.int64)
    order = np.argsort(hashes, kind='stable')
    ordered = hashes[order]
    begins = np.append(True, ordered[1:] != ordered[:-1])
    place = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    first = files[order[place]].astype(np.int64)
    other = files[order].astype(np.int64)[~begins]
    total = int(files.max()) + 1
    pairs, common = np.unique(first[~begins] * total + other, return_counts=True)
    sizes = np.bincount(files, minlength=total)
    pairs = np.stack(np.divmod(pairs, total), 1)
    return pairs[(common >= minimum) & (common >= share * sizes[pairs].min(1))]
