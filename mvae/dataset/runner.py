"""Where a build does its work: the steps that grow with the music."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from mvae.dataset.corpus import Corpus
from mvae.dataset.parts import PartTask

# Of the part of this number, for a form and its bars: its windows that are kept, int64 [N], rising.
Kept = Callable[[int, str, int], np.ndarray]


class Runner(Protocol):
    """What a machine, or many, does in a build.

    parts: the files of the parts, in order. scratch: an existing folder that is deleted later.
    """

    def extract(
        self,
        tasks: Sequence[PartTask],
        time_limit: float,
        memory_limit: int,
        done: Callable[[int], object],
    ) -> None:
        """Writes the parts of tasks; see `workers.extract`. done: called with numbers of files."""

    def links(
        self, parts: Sequence[Path], forms: Sequence[tuple[str, int]], scratch: Path
    ) -> np.ndarray:
        """The files that share many windows; see `corpus.find_links`."""

    def kept(
        self,
        corpus: Corpus,
        parts: Sequence[Path],
        forms: Sequence[tuple[str, int]],
        scratch: Path,
    ) -> Kept:
        """Which windows are kept; see `duplicates.first_occurrences`."""

    def write_tokens(
        self, folder: Path, parts: Sequence[Path], lengths: np.ndarray, needed: np.ndarray
    ) -> list[int]:
        """Writes the token files of a store. Returns how many tokens each of them holds.

        lengths: int64 [F], tokens of each file of music. needed: bool [F], which are taken.
        """
