"""A build on this machine, in worker processes."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mvae.dataset import workers
from mvae.dataset.corpus import Corpus, find_links
from mvae.dataset.duplicates import Chosen
from mvae.dataset.merge import write_tokens
from mvae.dataset.parts import PartTask
from mvae.dataset.runner import Kept
from mvae.dataset.store import token_files


class Local:
    """A `Runner`. workers: processes; None takes all cores."""

    def __init__(self, workers: int | None = None):
        self._workers = workers or _cores()

    def extract(
        self,
        tasks: Sequence[PartTask],
        time_limit: float,
        memory_limit: int,
        done: Callable[[int], object],
    ) -> None:
        count = min(self._workers, len(tasks))
        workers.extract(tasks, time_limit, memory_limit, count, done)

    def links(
        self, parts: Sequence[Path], forms: Sequence[tuple[str, int]], scratch: Path
    ) -> np.ndarray:
        return find_links(parts, forms, scratch)

    def kept(
        self,
        corpus: Corpus,
        parts: Sequence[Path],
        forms: Sequence[tuple[str, int]],
        scratch: Path,
    ) -> Kept:
        return Chosen(corpus, parts, scratch)

    def write_tokens(
        self, folder: Path, parts: Sequence[Path], lengths: np.ndarray, needed: np.ndarray
    ) -> list[int]:
        (name,) = token_files(1)
        return [write_tokens(folder / name, parts, lengths, needed)]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
