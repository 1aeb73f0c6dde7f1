"""All files of a build, as its parts tell of them: their songs, and their windows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mvae.dataset.links import content_links
from mvae.dataset.parts import Part
from mvae.dataset.splits import Songs, assign_splits
from mvae.dataset.titles import song_keys
from mvae.music.forms import FORMS
from mvae.music.reasons import Reason


@dataclass
class Corpus:
    """All files of a build.

    Attributes:
        paths: relative to the corpus folder. info: what the parts say of each file.
        lengths: int64 [F], tokens of each file. songs: those of the files.
    """

    paths: Sequence[str]
    info: list[dict[str, Any]]
    lengths: np.ndarray
    songs: Songs

    @cached_property
    def splits(self) -> np.ndarray:
        """Of each file the index into SPLITS: int8 [F]."""
        return self.songs.splits[self.songs.of_file]

    @cached_property
    def rejected(self) -> np.ndarray:
        """Whether each file is rejected as a whole: bool [F]."""
        return np.array([bool(file['reason']) for file in self.info])


WINDOW = np.dtype([('key', np.uint64), ('row', np.int64), ('file', np.int64)])


def read_corpus(
    paths: Sequence[str],
    parts: Sequence[Path],
    official: dict[str, int],
    fractions: tuple[float, float, float],
    links: np.ndarray,
) -> Corpus:
    """Reads the head of every part and finds the songs, by name, by title and by shared windows.

    A copy of an earlier file, byte for byte, is rejected here. links: int64 [P, 2], the files that
    share many windows.
    """
    info: list[dict[str, Any]] = []
    lengths = []
    for part_path in parts:
        with Part(part_path) as part:
            info += part.info()
            lengths.append(part.lengths())
    keys = []
    first: dict[tuple[str, int | None], str] = {}  # by digest and official split
    for path, file in zip(paths, info, strict=True):
        names = song_keys(path, file['title'], file['single_track'])
        if file['digest']:
            names.append('sha256:' + file['digest'])
            original = first.setdefault((file['digest'], official.get(path)), path)
            if original != path and not file['reason']:
                reason, detail = str(Reason.DUPLICATE_FILE), f'same bytes as {original}'
                file.update(reason=reason, detail=detail, rejections=[])
        keys.append(names)
    for one, other in links.tolist():
        keys[one].append(f'link:{one}:{other}')
        keys[other].append(f'link:{one}:{other}')
    songs = assign_splits(keys, [official.get(path) for path in paths], fractions)
    return Corpus(paths, info, np.concatenate(lengths), songs)


def find_links(
    parts: Sequence[Path], forms: Sequence[tuple[str, int]], scratch: Path
) -> np.ndarray:
    """The files of parts that share many windows of any form that links: int64 [P, 2].

    scratch: an existing folder for what memory does not hold.
    """
    total = int(first_files(parts)[-1])
    found = [content_links(read_windows(parts, *key), total, scratch) for key in linking(forms)]
    return np.concatenate([np.zeros((0, 2), np.int64), *found])


def linking(forms: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The forms whose windows say that two files are one song.

    These are the forms of one stream, at the shortest length built.
    """
    shortest: dict[str, int] = {}
    for form, bars in forms:
        shortest[form] = min(bars, shortest.get(form, bars))
    return [(form, bars) for form, bars in shortest.items() if len(FORMS[form]) == 1]


def first_files(parts: Sequence[Path]) -> np.ndarray:
    """Number of the first file of each part, int64 [parts + 1]."""
    counts = [0]
    for path in parts:
        with Part(path) as part:
            counts.append(len(part.lengths()))
    return np.cumsum(counts)


def read_windows(parts: Sequence[Path], form: str, bars: int) -> Iterator[np.ndarray]:
    """The windows of one form, part by part in the order of the files.

    Structured arrays [N] with the fields of `WINDOW`: the hash, the number of the window and the
    number of its file, counted over all parts.
    """
    row = file = 0
    for path in parts:
        with Part(path) as part:
            hashes, count = part.hashes(form, bars), len(part.lengths())
            windows = np.empty(len(hashes), WINDOW)
            windows['key'] = hashes
            windows['row'] = np.arange(row, row + len(hashes))
            windows['file'] = part.files(form, bars).astype(np.int64) + file
        yield windows
        row, file = row + len(hashes), file + count
