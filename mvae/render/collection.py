"""Files that belong together: a new collection takes the place of the one before, whole."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from mvae.errors import InputError
from mvae.files import Missing, read, write_atomically

_LIST = '.collection'  # names of the files that the last call wrote, a line each
_KINDS = ('.mid', '.wav', '.png', '.json')


@contextlib.contextmanager
def collection(folder: str | Path) -> Iterator[Path]:
    """A folder to write files into that end up in `folder`, in place of the last ones.

    The last ones go only when all new ones are written, and with them what was rendered of them
    since: files of their names with another ending of ours. Files of other names stay. Where the
    block fails, `folder` stays as it was. Raises InputError where it cannot be written.
    """
    folder = Path(folder)
    beside = folder / '.partial'
    made = [path for path in (folder, *folder.parents) if not os.path.exists(path)]
    try:
        with _said(folder):
            shutil.rmtree(beside, ignore_errors=True)  # of a call that was killed
            beside.mkdir(parents=True)
        yield beside
        with _said(folder):
            _replace(folder, beside)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        for path in made:
            with contextlib.suppress(OSError):  # not empty: the collection is there
                path.rmdir()


def is_whole(folder: str | Path) -> bool:
    """Whether a collection was written there to its end, and all its files are there."""
    folder = Path(folder)
    names = _listed(folder)
    there = all((folder / name).exists() for name in names)
    return bool(names) and there and not (folder / '.partial').exists()


def _replace(folder: Path, beside: Path) -> None:
    new = sorted(path.name for path in beside.iterdir())
    names = {Path(name).stem for name in (*_listed(folder), *new)}
    listed = sorted({*_listed(folder), *new})  # killed between the moves, the next call finds both
    write_atomically(folder / _LIST, _lines(listed))
    for path in folder.iterdir():
        if path.suffix in _KINDS and path.stem in names and not path.is_dir():
            path.unlink()
    for name in new:
        os.replace(beside / name, folder / name)
    write_atomically(folder / _LIST, _lines(new))


def _listed(folder: Path) -> list[str]:
    try:
        return os.fsdecode(read(folder / _LIST)).splitlines()
    except Missing:
        return []


def _lines(names: list[str]) -> bytes:
    return os.fsencode(''.join(f'{name}\n' for name in names))


@contextlib.contextmanager
def _said(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f'cannot write {folder}: {error.strerror}') from None
