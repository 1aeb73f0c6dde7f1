"""The worker's side of the build: a chunk of MIDI files becomes one part file.

Runs in worker processes that may be killed at any moment, so that it imports little (never jax),
keeps nothing between tasks, and writes a part under its name only when it is whole.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mvae.music import chord_files
from mvae.music.extract import Extraction, ExtractSettings, extract
from mvae.music.notes import Score
from mvae.music.reasons import Reason, Rejected

Reader = Callable[[bytes], Score]
TOO_MUCH = str(Reason.TOO_LARGE), 'needs more memory than the limit'


@dataclass
class FileResult:
    """What one file gives: an extraction, or the reason why it gives nothing.

    Attributes:
        digest: SHA-256 of the file's bytes, '' if it could not be read.
        title: the title in the file; single_track: whether all its notes lie in one track.
        reason: '' or the Reason why the whole file was rejected; detail: in words.
        rejections: [form, reason, count] for what was lost inside the file.
        chosen: [form, stream, by what, tracks] for what was taken.
    """

    digest: str = ''
    title: str = ''
    single_track: bool = False
    reason: str = ''
    detail: str = ''
    rejections: list[tuple[str, str, int]] = field(default_factory=list)
    chosen: list[tuple[str, str, str, int]] = field(default_factory=list)
    extraction: Extraction | None = None


@dataclass(frozen=True)
class PartTask:
    """One chunk: the files `paths`, relative to root, are read by reader into the part `target`."""

    root: str
    paths: tuple[str, ...]
    target: str
    settings: ExtractSettings
    reader: Reader


def limit_memory(extra_bytes: int) -> None:
    """Lets this process take extra_bytes more than it has now, where the system can limit that.

    Runs as a worker starts.
    """
    try:
        import resource
    except ImportError:  # not on Windows
        return
    try:
        used = int(Path('/proc/self/statm').read_text().split()[0]) * os.sysconf('SC_PAGE_SIZE')
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (used + extra_bytes, hard))
    except (OSError, ValueError):  # no /proc, or a stricter limit stands already
        return


def extract_file(task: PartTask, path: str) -> FileResult:
    """Reads one file.

    Whatever is wrong with it becomes a reason; only a killed process gives no result.
    """
    result = FileResult()
    try:
        file = Path(task.root) / path
        data = file.read_bytes()
        result.digest = hashlib.sha256(data).hexdigest()
        score = chord_files.with_chords(task.reader(data), file)
        result.title = score.title
        result.single_track = not np.any(score.notes.track[1:] != score.notes.track[:-1])
        extraction = extract(score, task.settings)
    except Rejected as error:
        result.reason, result.detail = str(error.reason), error.detail
    except MemoryError:
        result.reason, result.detail = TOO_MUCH
    except OSError as error:
        result.reason, result.detail = str(Reason.UNREADABLE), error.strerror or str(error)
    # one odd file never ends a build of a hundred thousand; it is listed with what happened
    except Exception as error:
        result.reason, result.detail = str(Reason.CRASHED), f'{type(error).__name__}: {error}'
    else:
        result.extraction = extraction
        result.rejections = sorted(
            (form, str(reason), n) for (form, reason), n in extraction.rejections.items()
        )
        result.chosen = [(*key, n) for key, n in extraction.chosen.items()]
    return result


def build_part(task: PartTask) -> None:
    """Extracts all files of a task and writes their part.

    Raises OSError if it cannot be written.
    """
    write_part(task.target, [extract_file(task, path) for path in task.paths])


def write_part(target: str, results: list[FileResult]) -> None:
    """Writes one part, whole or not at all.

    The file is an .npz with
        info                   JSON: per file the fields of FileResult but the extraction
        lengths                int64 [files], tokens of each file
        tokens                 uint16 [sum of lengths]
        windows-<form>-<bars>  int64 [N, K], offsets into the tokens of the window's file
        hashes-<form>-<bars>   uint64 [N]
        files-<form>-<bars>    int32 [N], the window's file, counted from the part's first
    """
    info = [
        {key: value for key, value in vars(result).items() if key != 'extraction'}
        for result in results
    ]
    found = [
        (number, result.extraction)
        for number, result in enumerate(results)
        if result.extraction is not None
    ]
    lengths = np.zeros(len(results), np.int64)
    for number, extraction in found:
        lengths[number] = len(extraction.tokens)
    arrays: dict[str, Any] = {
        'info': np.frombuffer(json.dumps(info).encode(), np.uint8),
        'lengths': lengths,
        'tokens': np.concatenate(
            [extraction.tokens for _, extraction in found] or [np.zeros(0, np.uint16)]
        ),
    }
    keys = sorted({key for _, extraction in found for key in extraction.windows})
    for form, bars in keys:
        own = [
            (number, e.windows[form, bars], e.hashes[form, bars])
            for number, e in found
            if (form, bars) in e.windows
        ]
        arrays[f'windows-{form}-{bars}'] = np.concatenate([windows for _, windows, _ in own])
        arrays[f'hashes-{form}-{bars}'] = np.concatenate([hashes for _, _, hashes in own])
        arrays[f'files-{form}-{bars}'] = np.concatenate(
            [np.full(len(w), number, np.int32) for number, w, _ in own]
        )
    half = target + '.half'
    try:
        with open(half, 'wb') as file:
            np.savez(file, **arrays)
        os.replace(half, target)
    except BaseException:
        Path(half).unlink(missing_ok=True)
        raise


class Part:
    """A part file, read member by member."""

    def __init__(self, path: str | Path):
        self._file = np.load(path)

    def info(self) -> list[dict[str, Any]]:
        """Of each file the fields of `FileResult` but its extraction."""
        return json.loads(self._file['info'].tobytes())

    def lengths(self) -> np.ndarray:
        """Tokens of each file: int64 [F]."""
        return self._file['lengths']

    def tokens(self) -> np.ndarray:
        """The tokens of all files, one after the other: uint16 [total]."""
        return self._file['tokens']

    def offsets(self, form: str, bars: int) -> np.ndarray:
        """Of each window, into the tokens of its file: int64 [N, K], [0, 1] without windows."""
        return self._of_windows('windows', form, bars, np.zeros((0, 1), np.int64))

    def hashes(self, form: str, bars: int) -> np.ndarray:
        """Of what each window holds: uint64 [N]."""
        return self._of_windows('hashes', form, bars, np.zeros(0, np.uint64))

    def files(self, form: str, bars: int) -> np.ndarray:
        """The file of each window, counted from the part's first: int32 [N], rising."""
        return self._of_windows('files', form, bars, np.zeros(0, np.int32))

    def _of_windows(self, what: str, form: str, bars: int, none: np.ndarray) -> np.ndarray:
        name = f'{what}-{form}-{bars}'
        return self._file[name] if name in self._file else none

    def __enter__(self) -> 'Part':
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def is_whole(path: str | Path) -> bool:
    """Whether a part of an earlier run can be used again."""
    try:
        with Part(path) as part:
            return len(part.info()) == len(part.lengths())
    except Exception:  # a zip can be broken in many ways, and each of them means: build it again
        return False
