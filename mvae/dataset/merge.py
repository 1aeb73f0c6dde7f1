"""The parts of a build become one store: songs, splits, duplicates, offsets.

Tokens are appended part by part and never held together. Of the windows, one form and length at a
time is in memory, about 40 bytes each. Duplicates are found by sorting. So tens of millions of
windows need a few GB.
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from mvae.dataset.corpus import Corpus, first_files, read_windows
from mvae.dataset.funnel import make_funnel
from mvae.dataset.parts import Part
from mvae.dataset.splits import Songs
from mvae.dataset.store import (
    FORMAT,
    META_FILE,
    SPLITS,
    VERSION,
    songs_file,
    windows_file,
    write_header,
)
from mvae.music.reasons import Reason


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


def merge(
    folder: Path,
    corpus: Corpus,
    parts: Sequence[Path],
    forms: Sequence[tuple[str, int]],
    meta: dict[str, Any],
    progress: Callable[[int], object] = lambda _: None,
) -> dict[str, Any]:
    """Writes a whole store into folder (which exists and is empty).

    Args:
        folder: where to. corpus, parts: what from. forms: the (form, bars) to store.
        meta: goes into store.json, completed by format, counts and funnel. progress: called with 1
            after each file form.

    Returns:
        the content of store.json.
    """
    merger = _Merger(folder, corpus, parts)
    counts: dict[tuple[str, int], dict[str, Any]] = {}
    kept: dict[tuple[str, int], np.ndarray] = {}
    for key in forms:
        # Only the row numbers stay in memory until the tokens' places are known.
        kept[key], counts[key] = merger.choose(*key)
        progress(1)
    total = merger.write_tokens()
    progress(1)
    numbers, titles = _used_songs(corpus.songs, merger.needed)
    for key in forms:
        counts[key]['songs'] = merger.write_windows(*key, kept[key], numbers)
        progress(1)
    _write_lists(folder, corpus, merger.needed, numbers, titles)
    windows = {
        f'{form}-{bars}': dict(zip(SPLITS, counts[form, bars]['kept'], strict=True))
        for form, bars in forms
    }
    about = {'format': FORMAT, 'version': VERSION, **meta, 'tokens': total, 'windows': windows}
    about['funnel'] = make_funnel(corpus.info, merger.needed, counts)
    (folder / META_FILE).write_text(json.dumps(about, indent=1) + '\n', encoding='utf-8')
    return about


class _Merger:
    """The parts of a build on their way into a folder; one form and length is in memory at once.

    needed: bool [F], the files that windows are kept of.
    """

    def __init__(self, folder: Path, corpus: Corpus, parts: Sequence[Path]):
        self.folder, self.corpus, self.parts = folder, corpus, parts
        self.first_file = first_files(parts)
        self.splits = corpus.songs.splits[corpus.songs.of_file]
        self.rejected = np.array([bool(file['reason']) for file in corpus.info])
        self.needed = np.zeros(len(corpus.info), bool)

    def choose(self, form: str, bars: int) -> tuple[np.ndarray, dict[str, Any]]:
        """Rows of `read_windows` that are kept, int64 [N], and what the funnel counts of them."""
        _, hashes, files = read_windows(self.parts, self.first_file, form, bars)
        alive = np.flatnonzero(~self.rejected[files])
        splits = self.splits[files[alive]]
        keep = first_occurrences(hashes[alive], splits)
        used = np.unique(files[alive][keep])
        self.needed[used] = True
        kept = np.bincount(splits[keep], minlength=len(SPLITS)).tolist()
        return alive[keep], {'found': len(keep), 'kept': kept, 'files': len(used)}

    def write_tokens(self) -> int:
        """The tokens of all needed files. Returns how many there are."""
        total = int(self.corpus.lengths[self.needed].sum())
        path = self.folder / 'tokens.npy'
        _write_tokens(path, self.parts, self.corpus.lengths, self.needed, total)
        return total

    def write_windows(
        self, form: str, bars: int, rows: np.ndarray, numbers: np.ndarray
    ) -> list[int]:
        """The kept windows of each split and their songs. Returns how many songs there are."""
        offsets, _, files = read_windows(self.parts, self.first_file, form, bars)
        offsets, files = offsets[rows], files[rows]
        lengths = np.where(self.needed, self.corpus.lengths, 0)
        places = offsets + (np.cumsum(lengths) - lengths)[files, None]
        songs = []
        for number, split in enumerate(SPLITS):
            mine = self.splits[files] == number
            own = numbers[files[mine]].astype(np.uint32)
            np.save(self.folder / windows_file(form, bars, split), places[mine])
            np.save(self.folder / songs_file(form, bars, split), own)
            songs.append(len(np.unique(own)))
        return songs


def _write_tokens(
    path: Path, parts: Sequence[Path], lengths: np.ndarray, needed: np.ndarray, total: int
) -> None:
    """The tokens of the needed files one after the other."""
    first = 0
    with open(path, 'wb') as file:
        write_header(file, (total,), np.uint16)
        for name in parts:
            with Part(name) as part:
                own = slice(first, first + len(part.lengths()))
                mask = np.repeat(needed[own], lengths[own])
                file.write(part.tokens()[mask].tobytes())
                first = own.stop


def _used_songs(songs: Songs, needed: np.ndarray) -> tuple[np.ndarray, list[dict[str, str]]]:
    """Songs that have windows, numbered anew.

    Returns the number of each file's song, or -1, and {title, split} of each song.
    """
    used = np.unique(songs.of_file[needed])
    numbers = np.full(len(songs.titles), -1, np.int64)
    numbers[used] = np.arange(len(used))
    titles = [{'title': songs.titles[n], 'split': SPLITS[songs.splits[n]]} for n in used.tolist()]
    return numbers[songs.of_file], titles


def _write_lists(
    folder: Path,
    corpus: Corpus,
    needed: np.ndarray,
    song_numbers: np.ndarray,
    titles: list[dict[str, str]],
) -> None:
    """songs.json, files.csv and rejected.csv."""
    columns = {
        'titles': [song['title'] for song in titles],
        'splits': [song['split'] for song in titles],
    }
    (folder / 'songs.json').write_text(json.dumps(columns) + '\n', encoding='utf-8')
    with _open_list(folder / 'files.csv') as used, _open_list(folder / 'rejected.csv') as lost:
        used_rows, lost_rows = csv.writer(used), csv.writer(lost)
        used_rows.writerow(['path', 'song', 'title', 'split'])
        lost_rows.writerow(['path', 'reason', 'detail'])
        for path, file, use, song in zip(
            corpus.paths, corpus.info, needed.tolist(), song_numbers.tolist(), strict=True
        ):
            if use:
                used_rows.writerow([path, song, titles[song]['title'], titles[song]['split']])
            else:
                lost_rows.writerow([path, *reason_of(file)])


def _open_list(path: Path) -> TextIO:
    return path.open('w', newline='', encoding='utf-8', errors='surrogateescape')


def reason_of(file: dict[str, Any]) -> tuple[str, str]:
    """Why a file gave nothing: (reason, detail).

    Where only its sections and tracks were rejected, the commonest of theirs.
    """
    if file['reason']:
        return file['reason'], file['detail']
    counts: Counter[str] = Counter()
    for _, reason, count in file['rejections']:
        counts[reason] += count
    if not counts:
        return str(Reason.DUPLICATE), 'every window stands in another file already'
    details = [f'{form}: {reason} {count}' for form, reason, count in file['rejections']]
    return max(sorted(counts), key=lambda reason: counts[reason]), ', '.join(details)
