"""All files of a build, as its parts tell of them: their songs, and their windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mvae.dataset.links import content_links
from mvae.dataset.parts import Part
from mvae.dataset.splits import Songs, assign_splits
from mvae.dataset.titles import song_keys
from mvae.music.forms import FORMS, parts_of
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


def read_corpus(
    paths: Sequence[str],
    parts: Sequence[Path],
    official: dict[str, int],
    fractions: tuple[float, float, float],
    forms: Sequence[tuple[str, int]],
) -> Corpus:
    """Reads the head of every part and finds the songs, by name, by title and by shared windows.

    A copy of an earlier file, byte for byte, is rejected here.
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
    for form, bars in _linking(forms):
        _, hashes, files = read_windows(parts, first_files(parts), form, bars)
        for one, other in content_links(hashes, files).tolist():
            keys[one].append(f'link:{form}:{one}:{other}')
            keys[other].append(f'link:{form}:{one}:{other}')
    songs = assign_splits(keys, [official.get(path) for path in paths], fractions)
    return Corpus(paths, info, np.concatenate(lengths), songs)


def _linking(forms: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
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


def read_windows(
    parts: Sequence[Path], first_file: np.ndarray, form: str, bars: int
) -> tuple[np.ndarray, ...]:
    """All windows of one form, in the order of the files: offsets [N, K], hashes [N], files [N].

    files: numbers, counted over the corpus.
    """
    offsets = [np.zeros((0, len(parts_of(form))), np.int64)]
    hashes, files = [np.zeros(0, np.uint64)], [np.zeros(0, np.int32)]
    for path, first in zip(parts, first_file[:-1], strict=True):
        with Part(path) as part:
            own, own_hashes, own_files = part.windows(form, bars)
        if len(own):
            offsets.append(own)
            hashes.append(own_hashes)
            files.append(own_files + np.int32(first))
    return np.concatenate(offsets), np.concatenate(hashes), np.concatenate(files)
