"""The parts of a build become one store: songs, splits, duplicates, offsets.

Tokens and windows are appended part by part and never held together; a `Runner` says which windows
are kept, part by part too. What grows in memory is what files need, not windows.
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np

from mvae.dataset.corpus import Corpus, first_files
from mvae.dataset.funnel import make_funnel
from mvae.dataset.parts import Part
from mvae.dataset.runner import Kept, Runner
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
from mvae.music.forms import parts_of
from mvae.music.reasons import Reason


def merge(
    folder: Path,
    corpus: Corpus,
    parts: Sequence[Path],
    forms: Sequence[tuple[str, int]],
    meta: dict[str, Any],
    runner: Runner,
    scratch: Path,
    progress: Callable[[int], object] = lambda _: None,
) -> dict[str, Any]:
    """Writes a whole store into folder (which exists and is empty).

    Args:
        folder: where to. corpus, parts: what from. forms: the (form, bars) to store.
        meta: goes into store.json, completed by format, counts and funnel.
        runner: where the work is done. scratch: an existing folder for what memory does not hold.
        progress: called with 1 after each file form.

    Returns:
        the content of store.json.
    """
    merger = _Merger(folder, corpus, parts, runner.kept(corpus, parts, forms, scratch))
    counts: dict[tuple[str, int], dict[str, Any]] = {}
    for key in forms:
        counts[key] = merger.count(*key)
        progress(1)
    shards = runner.write_tokens(folder, parts, corpus.lengths, merger.needed)
    progress(1)
    numbers, titles = _used_songs(corpus.songs, merger.needed)
    for key in forms:
        counts[key]['songs'] = merger.write_windows(*key, counts[key]['kept'], numbers)
        progress(1)
    _write_lists(folder, corpus, merger.needed, numbers, titles)
    windows = {
        f'{form}-{bars}': dict(zip(SPLITS, counts[form, bars]['kept'], strict=True))
        for form, bars in forms
    }
    tokens = {'tokens': sum(shards)} | ({'shards': shards} if len(shards) > 1 else {})
    about = {'format': FORMAT, 'version': VERSION, **meta, **tokens, 'windows': windows}
    about['funnel'] = make_funnel(corpus.info, merger.needed, counts, meta.get('ignored', {}))
    (folder / META_FILE).write_text(json.dumps(about, indent=1) + '\n', encoding='utf-8')
    return about


class _Merger:
    """The parts of a build on their way into a folder.

    needed: bool [F], the files that windows are kept of.
    """

    def __init__(self, folder: Path, corpus: Corpus, parts: Sequence[Path], kept: Kept):
        self.folder, self.corpus, self.parts, self.kept = folder, corpus, parts, kept
        self.first_file = first_files(parts)
        self.rejected, self.splits = corpus.rejected, corpus.splits
        self.needed = np.zeros(len(corpus.info), bool)

    def count(self, form: str, bars: int) -> dict[str, Any]:
        """What the funnel counts of the windows of one form; marks the needed files."""
        used = np.zeros_like(self.needed)
        found, kept = 0, np.zeros(len(SPLITS), np.int64)
        for number, (path, first) in enumerate(zip(self.parts, self.first_file, strict=False)):
            with Part(path) as part:
                files = part.files(form, bars) + first
            found += int((~self.rejected[files]).sum())
            files = files[self.kept(number, form, bars)]
            used[files] = True
            kept += np.bincount(self.splits[files], minlength=len(SPLITS))
        self.needed |= used
        return {'found': found, 'kept': kept.tolist(), 'files': int(used.sum())}

    def write_windows(
        self, form: str, bars: int, counts: Sequence[int], numbers: np.ndarray
    ) -> list[int]:
        """The kept windows of each split and their songs. Returns how many songs there are.

        counts: windows of each split. numbers: the song of each file.
        """
        used = np.zeros((len(SPLITS), len(numbers)), bool)
        with ExitStack() as stack:
            files = [
                self._open(stack, form, bars, split, count)
                for split, count in zip(SPLITS, counts, strict=True)
            ]
            for places, of_file in self._places(form, bars):
                songs, splits = numbers[of_file], self.splits[of_file]
                for split, (windows_file, songs_file) in enumerate(files):
                    mine = splits == split
                    windows_file.write(places[mine].tobytes())
                    songs_file.write(songs[mine].astype(np.uint32).tobytes())
                    used[split, songs[mine]] = True
        return used.sum(1).tolist()

    def _open(
        self, stack: ExitStack, form: str, bars: int, split: str, count: int
    ) -> tuple[BinaryIO, BinaryIO]:
        """Files for so many windows and their songs, with headers."""
        windows = stack.enter_context(open(self.folder / windows_file(form, bars, split), 'wb'))
        songs = stack.enter_context(open(self.folder / songs_file(form, bars, split), 'wb'))
        write_header(windows, (count, len(parts_of(form))), np.int64)
        write_header(songs, (count,), np.uint32)
        return windows, songs

    def _places(self, form: str, bars: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Of the kept windows of each part: offsets in the store [N, K], and files [N]."""
        lengths = np.where(self.needed, self.corpus.lengths, 0)
        begins = np.cumsum(lengths) - lengths
        for number, (path, first) in enumerate(zip(self.parts, self.first_file, strict=False)):
            rows = self.kept(number, form, bars)
            if len(rows):
                with Part(path) as part:
                    files = part.files(form, bars)[rows] + first
                    yield part.offsets(form, bars)[rows] + begins[files, None], files


def write_tokens(path: Path, parts: Sequence[Path], lengths: np.ndarray, needed: np.ndarray) -> int:
    """Writes the tokens of the needed files one after the other. Returns how many there are.

    lengths: int64 [F], tokens of each file of the parts. needed: bool [F].
    """
    total, first = int(lengths[needed].sum()), 0
    with open(path, 'wb') as file:
        write_header(file, (total,), np.uint16)
        for name in parts:
            with Part(name) as part:
                own = slice(first, first + len(part.lengths()))
                mask = np.repeat(needed[own], lengths[own])
                file.write(part.tokens()[mask].tobytes())
                first = own.stop
    return total


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
