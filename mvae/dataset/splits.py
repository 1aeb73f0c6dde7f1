"""Train, validation and test by song: a stable hash of the title, or an official split file.

A song is a set of files that share a key (title, contents); it lies in exactly one split. The hash
depends on nothing but the song's key, so that adding files to a folder leaves the other songs where
they were.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mvae.dataset.store import SPLITS
from mvae.errors import InputError
from mvae.files import read

OFFICIAL_FILE = 'info.csv'
_NAMES = {
    'train': 0,
    'training': 0,
    'validation': 1,
    'valid': 1,
    'val': 1,
    'dev': 1,
    'eval': 1,
    'test': 2,
}


@dataclass(frozen=True)
class Songs:
    """The songs of a corpus.

    Attributes:
        of_file: int64 [F], the song of each file.
        titles: one key per song, sorted.
        splits: int8 [songs], index into SPLITS.
    """

    of_file: np.ndarray
    titles: list[str]
    splits: np.ndarray


def split_fraction(title: str) -> float:
    """A title's fixed place in [0, 1): the first 8 bytes of its SHA-256."""
    hashed = hashlib.sha256(title.encode('utf-8', 'surrogateescape')).digest()
    return int.from_bytes(hashed[:8], 'big') / 2.0**64


def read_official_splits(folder: str | Path) -> dict[str, int]:
    """Splits of every `info.csv` in or below the corpus folder, as in the Groove MIDI Dataset.

    It has columns midi_filename, relative to the folder of the info.csv, and split.

    Returns:
        {relative path: index into SPLITS}; empty without such a file or such columns.

    Raises:
        InputError: for a split name that is not known.
    """
    splits: dict[str, int] = {}
    for path in sorted(Path(folder).rglob(OFFICIAL_FILE)):
        below = path.parent.relative_to(folder)
        splits |= {
            (below / name).as_posix(): split for name, split in _read_official_file(path).items()
        }
    return splits


def _read_official_file(path: Path) -> dict[str, int]:
    splits = {}
    text = read(path).decode('utf-8-sig', errors='replace')
    rows = csv.DictReader(io.StringIO(text, newline=''))
    try:
        if not {'midi_filename', 'split'} <= set(rows.fieldnames or ()):
            return {}
        for row in rows:
            name = (row['split'] or '').strip().lower()
            if name not in _NAMES:
                raise InputError(
                    f'{path}, line {rows.line_num}: split {row["split"]!r} is none of train, '
                    'validation, test; correct it or take the file away'
                )
            splits[(row['midi_filename'] or '').replace('\\', '/').strip()] = _NAMES[name]
    except csv.Error as error:
        raise InputError(f'{path}, line {rows.line_num}: {error}') from None
    return splits


def group_songs(keys: Sequence[Sequence[str]]) -> tuple[np.ndarray, list[str]]:
    """Files that share any key, directly or through others, are one song.

    Args:
        keys: per file its keys, the main one first.

    Returns:
        int64 [F] song of each file, and each song's title: the smallest of its files' main keys.
    """
    ids: dict[str, int] = {}
    rows, columns = [], []
    for file, file_keys in enumerate(keys):
        for key in file_keys:
            rows.append(file)
            columns.append(ids.setdefault(key, len(ids)))
    count = len(keys)
    places = np.array(rows, np.int64), np.array(columns, np.int64) + count
    edges = coo_array((np.ones(len(rows), bool), places), shape=(count + len(ids),) * 2)
    _, label = connected_components(edges, directed=False)
    titles: dict[int, str] = {}
    for component, file_keys in zip(label[:count].tolist(), keys, strict=True):
        titles[component] = min(titles.get(component, file_keys[0]), file_keys[0])
    order = sorted(titles, key=lambda component: titles[component])
    rank = np.full(int(label.max(initial=-1)) + 1, -1, np.int64)
    rank[order] = np.arange(len(order))
    return rank[label[:count]], [titles[component] for component in order]


def assign_splits(
    keys: Sequence[Sequence[str]],
    official: Sequence[int | None] | None = None,
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
) -> Songs:
    """Songs and their splits.

    Args:
        keys: per file its keys; see `group_songs`.
        official: per file the index into SPLITS that an official file gives, or None. It goes
            before the title. Such a file is a song of its own, for the authors of an official split
            decided what may stand on both sides.
        fractions: of train, validation and test. With three songs or more no split with a fraction
            above 0 stays empty.
    """
    fixed = list(official) if official is not None else [None] * len(keys)
    keys = [
        [f'{SPLITS[split]}/{number}/{names[0]}'] if split is not None else list(names)
        for number, (names, split) in enumerate(zip(keys, fixed, strict=True))
    ]
    of_file, titles = group_songs(keys)
    places = np.array([split_fraction(title) for title in titles])
    bounds = np.cumsum(fractions)
    splits = np.searchsorted(bounds[:2] / bounds[2], places, side='right').astype(np.int8)
    free = np.ones(len(titles), bool)
    for file, split in enumerate(fixed):
        if split is not None:
            splits[of_file[file]], free[of_file[file]] = split, False
    if free.all() and len(titles) >= len(SPLITS):
        _fill_empty(splits, places, fractions)
    return Songs(of_file, titles, splits)


def _fill_empty(splits: np.ndarray, places: np.ndarray, fractions: tuple[float, ...]) -> None:
    """Gives an empty split the song whose place is nearest above or below it.

    So a small corpus can be evaluated.
    """
    bounds = np.concatenate([[0.0], np.cumsum(fractions)]) / sum(fractions)
    for split, fraction in enumerate(fractions):
        if fraction > 0 and not (splits == split).any():
            middle = (bounds[split] + bounds[split + 1]) / 2
            spare = np.bincount(splits, minlength=len(fractions))[splits] > 1
            distance = np.where(spare, np.abs(places - middle), np.inf)
            splits[int(distance.argmin())] = split
