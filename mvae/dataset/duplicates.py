"""Which windows a store keeps: of equal ones the first."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mvae.dataset.corpus import Corpus, read_windows
from mvae.dataset.grouped import grouped
from mvae.dataset.parts import Part
from mvae.dataset.store import SPLITS


def first_occurrences(hashes: np.ndarray, splits: np.ndarray) -> np.ndarray:
    """Which windows to keep: of equal ones the first.

    They come in the order train, validation, test, and in a split in the order of the files.

    Args:
        hashes: uint64 [N]. splits: int8 [N], index into SPLITS.

    Returns:
        bool [N].
    """
    keep = np.zeros(len(hashes), bool)
    seen = np.zeros(0, np.uint64)
    for split in range(len(SPLITS)):
        rows = np.flatnonzero(splits == split)
        own, first = np.unique(hashes[rows], return_index=True)  # the first: the sort is stable
        if len(seen):
            known = seen[np.minimum(np.searchsorted(seen, own), len(seen) - 1)] == own
            own, first = own[~known], first[~known]
        keep[rows[first]] = True
        seen = np.union1d(seen, own) if len(seen) else own
    return keep


class Chosen:
    """The windows to keep, as `runner.Kept` tells them: a byte for each, in a file for each form.

    They are chosen when a form is first asked for. scratch: an existing folder for these files and
    for what memory does not hold.
    """

    def __init__(self, corpus: Corpus, parts: Sequence[Path], scratch: Path):
        self._corpus, self._parts, self._scratch = corpus, parts, scratch
        self._chosen: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = {}

    def __call__(self, part: int, form: str, bars: int) -> np.ndarray:
        if (form, bars) not in self._chosen:
            self._chosen[form, bars] = self._choose(form, bars)
        kept, first = self._chosen[form, bars]
        return np.flatnonzero(kept[first[part] : first[part + 1]])

    def _choose(self, form: str, bars: int) -> tuple[np.ndarray, np.ndarray]:
        """bool [N] for all windows, and the number of the first one of each part."""
        first = self._first_windows(form, bars)
        if not first[-1]:
            return np.zeros(0, bool), first
        path = self._scratch / f'kept-{form}-{bars}'
        kept = np.memmap(path, bool, 'w+', shape=(int(first[-1]),))
        for group in grouped(self._alive(form, bars), self._scratch):
            splits = self._corpus.splits[group['file']]
            kept[group['row'][first_occurrences(group['key'], splits)]] = True
        return kept, first

    def _alive(self, form: str, bars: int) -> Iterator[np.ndarray]:
        """The windows of files that are not rejected."""
        rejected = self._corpus.rejected
        for windows in read_windows(self._parts, form, bars):
            yield windows[~rejected[windows['file']]]

    def _first_windows(self, form: str, bars: int) -> np.ndarray:
        counts = [0]
        for path in self._parts:
            with Part(path) as part:
                counts.append(len(part.files(form, bars)))
        return np.cumsum(counts)
