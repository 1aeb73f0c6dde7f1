"""Which MIDI files lie in a folder, and whether they are the ones that a store was built from."""

import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mvae.dataset.splits import OFFICIAL_FILE
from mvae.errors import InputError
from mvae.music import chord_files

_SUFFIXES = ('.mid', '.midi', '.kar', '.rmi', '.smf')
_SKIPPED_FOLDERS = {'__MACOSX'}


@dataclass(frozen=True, order=True)
class MidiFile:
    """One file.

    path: relative to the corpus folder, with '/'. size: in bytes, with the file of its chords.
    changed: last, in nanoseconds.
    """

    path: str
    size: int
    changed: int


def find_files(folder: str | Path) -> tuple[list[MidiFile], dict[str, int]]:
    """All MIDI files below a folder, sorted by relative path, and how many others of each suffix.

    Suffixes count in any case. Hidden files and folders are skipped (the '._' twins that macOS
    leaves, too); links are followed, each folder once, so that a circle of links ends.

    Raises:
        InputError: if the folder does not exist, cannot be read or holds no MIDI file.
    """
    folder = Path(folder)
    if not os.path.isdir(folder):
        there = os.path.exists(folder)
        what = 'is a file; name the folder that it lies in' if there else 'does not exist'
        raise InputError(f'the MIDI folder {folder} {what}')
    try:
        os.listdir(folder)
    except OSError as error:
        raise InputError(f'cannot read the MIDI folder {folder}: {error.strerror}') from None
    found: list[MidiFile] = []
    visited: set[tuple[int, int]] = set()
    others: Counter[str] = Counter()
    for place, folders, names in os.walk(folder, followlinks=True):
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in visited:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders[:] = sorted(
            name for name in folders if not name.startswith('.') and name not in _SKIPPED_FOLDERS
        )
        for name in names:
            if name.startswith('.') or name == OFFICIAL_FILE:
                continue
            if not name.lower().endswith(_SUFFIXES):
                if name == chord_files.POP909 or name.endswith(chord_files.SUFFIX):
                    continue
                others[Path(name).suffix.lower() or 'without suffix'] += 1
                continue
            path = Path(place, name)
            try:
                status = path.stat()
            except OSError:  # a broken link: let the reader say so
                found.append(MidiFile(path.relative_to(folder).as_posix(), -1, 0))
                continue
            if stat.S_ISREG(status.st_mode):
                name = path.relative_to(folder).as_posix()
                size = status.st_size + _chord_bytes(path)
                found.append(MidiFile(name, size, status.st_mtime_ns))
    if not found:
        known = ', '.join(f'*{suffix}' for suffix in _SUFFIXES)
        besides = f'; there is {words(others)}' if others else ''
        raise InputError(f'no MIDI files ({known}) in {folder} or the folders below it{besides}')
    return sorted(found), by_count(others)


def _chord_bytes(path: Path) -> int:
    file = chord_files.beside(path)
    return file.stat().st_size if file else 0


def find_midi(folder: str | Path) -> list[MidiFile]:
    """The MIDI files of `find_files`."""
    return find_files(folder)[0]


def by_count(counts: Mapping[str, int]) -> dict[str, int]:
    """The most first, equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def words(ignored: Mapping[str, int]) -> str:
    """How many files of each suffix, such as '3 .abc, 1 .zip'."""
    return ', '.join(f'{count:,} {suffix}' for suffix, count in by_count(ignored).items())


def listing_digest(files: Iterable[MidiFile]) -> str:
    """SHA-256 of paths and sizes.

    Times of change are left out: copying a corpus does not change what is built from it.
    """
    return digest([[file.path, file.size] for file in files])


def code_digest() -> str:
    """SHA-256 of the source that turns MIDI into a store.

    With it nothing that other code built is taken for current.
    """
    package = Path(__file__).parents[1]
    sources = sorted(
        path for name in ('music', 'dataset', 'demo') for path in (package / name).rglob('*.py')
    )
    return digest(
        [
            [path.relative_to(package).as_posix(), path.read_text(encoding='utf-8')]
            for path in sources
        ]
    )


def digest(value: object) -> str:
    """SHA-256 of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
