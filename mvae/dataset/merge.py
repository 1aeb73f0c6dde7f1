"""The parts of a build become one store: songs, splits, duplicates, offsets.

Tokens are appended part by part and never held together. Of the windows, one form and length at a
time is in memory, about 40 bytes each. Duplicates are found by sorting. So tens of millions of
windows need a few GB.
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from mvae.dataset.funnel import make_funnel
from mvae.dataset.links import content_links
from mvae.dataset.parts import Part
from mvae.dataset.splits import Songs, assign_splits
from mvae.dataset.store import (
    FORMAT,
    META_FILE,
    SPLITS,
    VERSION,
    songs_file,
    windows_file,
    write_header,
)
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
        _, hashes, files = _windows(parts, _first_files(parts), form, bars)
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
    file_splits = corpus.songs.splits[corpus.songs.of_file]
    rejected = np.array([bool(file['reason']) for file in corpus.info])
    first_file = _first_files(parts)
    kept: dict[tuple[str, int], np.ndarray] = {}
    counts: dict[tuple[str, int], dict[str, Any]] = {}
    needed = np.zeros(len(corpus.info), bool)
    for form, bars in forms:
        offsets, hashes, files = _windows(parts, first_file, form, bars)
        alive = ~rejected[files]
        offsets, hashes, files = offsets[alive], hashes[alive], files[alive]
        splits = file_splits[files]
        keep = first_occurrences(hashes, splits)
        counts[form, bars] = {
            'found': len(keep),
            'kept': np.bincount(splits[keep], minlength=len(SPLITS)).tolist(),
        }
        # Only the row numbers stay in memory until the tokens' places are known.
        kept[form, bars] = np.flatnonzero(alive)[keep]
        used_files = np.unique(files[keep])
        needed[used_files] = True
        counts[form, bars]['files'] = len(used_files)
        progress(1)
    base = np.cumsum(np.where(needed, corpus.lengths, 0)) - np.where(needed, corpus.lengths, 0)
    total = int(corpus.lengths[needed].sum())
    _write_tokens(folder / 'tokens.npy', parts, corpus.lengths, needed, total)
    progress(1)
    song_numbers, titles = _used_songs(corpus.songs, needed)
    for form, bars in forms:
        offsets, _, files = _windows(parts, first_file, form, bars)
        offsets, files = offsets[kept[form, bars]], files[kept[form, bars]]
        counts[form, bars]['songs'] = []
        for number, split in enumerate(SPLITS):
            mine = file_splits[files] == number
            own = song_numbers[files[mine]].astype(np.uint32)
            counts[form, bars]['songs'].append(len(np.unique(own)))
            np.save(
                folder / windows_file(form, bars, split), offsets[mine] + base[files[mine], None]
            )
            np.save(folder / songs_file(form, bars, split), own)
        progress(1)
    funnel = make_funnel(corpus.info, needed, counts, meta.get('ignored', {}))
    _write_lists(folder, corpus, needed, song_numbers, titles)
    meta = {
        'format': FORMAT,
        'version': VERSION,
        **meta,
        'tokens': total,
        'windows': {
            f'{k}-{b}': dict(zip(SPLITS, counts[k, b]['kept'], strict=True)) for k, b in forms
        },
        'funnel': funnel,
    }
    (folder / META_FILE).write_text(json.dumps(meta, indent=1) + '\n', encoding='utf-8')
    return meta


def _first_files(parts: Sequence[Path]) -> np.ndarray:
    """Number of the first file of each part, int64 [parts + 1]."""
    counts = [0]
    for path in parts:
        with Part(path) as part:
            counts.append(len(part.lengths()))
    return np.cumsum(counts)


def _windows(
    parts: Sequence[Path], first_file: np.ndarray, form: str, bars: int
) -> tuple[np.ndarray, ...]:
    """All windows of one form, in the order of the files: offsets [N, K], hashes [N], files [N].

    files: numbers, counted over the corpus.
    """
    offsets = [np.zeros((0, len(FORMS[form])), np.int64)]
    hashes, files = [np.zeros(0, np.uint64)], [np.zeros(0, np.int32)]
    for path, first in zip(parts, first_file[:-1], strict=True):
        with Part(path) as part:
            own, own_hashes, own_files = part.windows(form, bars)
        if len(own):
            offsets.append(own)
            hashes.append(own_hashes)
            files.append(own_files + np.int32(first))
    return np.concatenate(offsets), np.concatenate(hashes), np.concatenate(files)


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
