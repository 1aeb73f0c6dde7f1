"""Files: those that users hand in, opened with care, and ours, written whole or not at all.

What is handed in may be anything: a device, a pipe, a link to one of them, a file of terabytes,
JSON of another kind. Here, and only here, it is opened and looked at.
"""

import contextlib
import json
import os
import shutil
import socket
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from mvae.errors import InputError

MOST_BYTES = 2**28  # of a file that is read whole
_MOST_JSON = 2**26
_MOST_LEVELS = 32  # of lists and objects inside each other
_WHY = 200  # characters of a reason


class Missing(InputError):
    """Nothing lies at the path."""


def open_regular(path: str | Path) -> BinaryIO:
    """Opens a regular file to read; links are followed.

    Raises Missing, or InputError for folders, devices and pipes, and for what cannot be read.
    """
    try:
        file = open(path, 'rb', opener=_open_without_waiting)
    except (FileNotFoundError, NotADirectoryError):
        raise Missing(f'{path} does not exist') from None
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        raise InputError(f'cannot read {path}: {reason(error)}') from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise InputError(f'{path} is no regular file, but a device or a pipe')
    return file


def _open_without_waiting(path: str, flags: int) -> int:
    """As a pipe would, until somebody writes to it."""
    return os.open(path, flags | getattr(os, 'O_NONBLOCK', 0) | getattr(os, 'O_NOCTTY', 0))


def read(path: str | Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a regular file.

    Raises Missing, or InputError where it is none, has more than `most` bytes or cannot be read.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise InputError(f'{path} is too large: {size:,} bytes, where {most:,} are the most')
        try:
            data = file.read(size + 1)
        except OSError as error:
            raise InputError(f'cannot read {path}: {reason(error)}') from None
    if len(data) != size:
        raise InputError(f'{path} changes while it is read')
    return data


def read_json(path: str | Path, kind: Any = Any, remedy: str = '') -> Any:
    """What a JSON file holds, as the type `kind`.

    remedy: what to do where it is damaged. Raises as `read` and `parse_json` do.
    """
    return parse_json(read(path, _MOST_JSON), kind, path, remedy)


def parse_json(data: bytes | str, kind: Any, where: object, remedy: str = '') -> Any:
    """JSON as the type `kind`: a dataclass, a NamedTuple, dict[str, int] ...; see `conform`.

    where: what is damaged, for the message. Raises InputError for what is no JSON, or another.
    """
    try:
        value = json.loads(data)
        if _is_nested(value, _MOST_LEVELS):
            raise ValueError(f'nested in more than {_MOST_LEVELS} levels')
    except (ValueError, RecursionError, MemoryError) as error:
        raise damaged(where, reason(error), remedy) from None
    return conform(value, kind, where, remedy)


def _is_nested(value: Any, levels: int) -> bool:
    """Whether there are more levels. It looks no deeper."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return levels == 0 or any(_is_nested(inside, levels - 1) for inside in value)


def conform(value: Any, kind: Any, where: object, remedy: str = '') -> Any:
    """A value of JSON as the type `kind`, whose annotations are the schema (see msgspec).

    Raises InputError that names the place inside which does not fit.
    """
    try:
        return msgspec.convert(value, kind)
    except (ValueError, OverflowError) as error:
        raise damaged(where, str(error), remedy) from None


def damaged(where: object, why: str, remedy: str = '') -> InputError:
    """The one line for what is not what it should be."""
    return InputError(f'{where} is damaged ({why[:_WHY]})' + f'; {remedy}' * bool(remedy))


def reason(error: Exception) -> str:
    """Why, in a few words."""
    return getattr(error, 'strerror', None) or str(error) or type(error).__name__


def check_name(path: str | Path) -> None:
    """Raises InputError for names of bytes that are no text: tensorstore opens none of them."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise InputError(f'{path} is no UTF-8; a run folder needs another name') from None


def check_tree(folder: str | Path, most: int) -> int:
    """How many bytes the files below a folder have.

    Raises InputError unless all below it are folders and regular files, and for more bytes than
    `most`. Links to files are followed, links to folders are refused.
    """
    total = 0
    try:
        for place, folders, names in os.walk(folder, onerror=_raise):
            for name in folders:
                if os.path.islink(os.path.join(place, name)):
                    raise InputError(f'{place}/{name} is a link to a folder; put the folder there')
            for name in names:
                status = os.stat(os.path.join(place, name))
                if not stat.S_ISREG(status.st_mode):
                    raise InputError(f'{place}/{name} is no regular file, but a device or a pipe')
                total += status.st_size
    except OSError as error:
        raise InputError(f'cannot read {error.filename}: {reason(error)}') from None
    if total > most:
        raise InputError(f'{folder} is too large: {total:,} bytes, where {most:,} are the most')
    return total


def _raise(error: OSError) -> None:
    raise error


def write_atomically(path: str | Path, data: bytes) -> None:
    """Writes data beside the path, then renames. Raises InputError with the path and the reason."""
    path = Path(path)
    beside = path.with_name(path.name + '.partial')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        os.replace(beside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise InputError(f'cannot write {path}: {error.strerror}') from None


def write_folder(folder: str | Path, files: Mapping[str, bytes]) -> None:
    """Writes files by name into a new folder: all of them beside it, then it is renamed.

    Raises InputError where the folder is there and not empty, or cannot be written.
    """
    folder = Path(folder)
    beside = folder.parent / f'.{folder.name}.partial'
    try:
        if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f'{folder} exists and is not empty; name another folder')
        shutil.rmtree(beside, ignore_errors=True)  # of a call that was killed
        beside.mkdir(parents=True)
        for name, data in files.items():
            (beside / name).write_bytes(data)
        os.replace(beside, folder)  # an empty folder gives way
    except OSError as error:
        raise InputError(f'cannot write {folder}: {error.strerror}') from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_json(path: str | Path, value: Any) -> None:
    """Writes anything that JSON can hold, as `write_atomically` does."""
    write_atomically(path, (json.dumps(value, indent=1) + '\n').encode())


@contextlib.contextmanager
def locked(path: str | Path, waiting: str) -> Iterator[None]:
    """Lets in one process at a time, where the system can lock files.

    The others wait, and say `waiting` on stderr. The file stays. Raises InputError where it cannot
    be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open('w')
    except OSError as error:
        raise InputError(f'cannot write {path}: {error.strerror}') from None
    with file:
        try:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(waiting, file=sys.stderr, flush=True)
                fcntl.flock(file, fcntl.LOCK_EX)
        except (ImportError, OSError):  # Windows, or a disk without locks: as if alone
            pass
        yield


@contextlib.contextmanager
def owned(folder: str | Path, what: str) -> Iterator[None]:
    """Keeps other processes that ask the same out of a folder, where the system can lock files.

    The lock goes with the process, however it ends. what: what the process does there, such as
    'trains'. Raises InputError that names the process that is in, or where the folder cannot be
    written.
    """
    path = Path(folder) / '.lock'
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open('a+b', buffering=0)
    except OSError as error:
        raise InputError(f'cannot write {path}: {error.strerror}') from None
    with file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = file.read(200).decode(errors='replace').strip() or 'another process'
            raise InputError(
                f'{who} {what} in {folder}; wait for it or stop it, or name another folder'
            ) from None
        except (ImportError, OSError):  # Windows, or a disk without locks: as if alone
            pass
        with contextlib.suppress(OSError):  # a full disk: locked, but without a name
            file.truncate(0)
            file.write(f'process {os.getpid()} on {socket.gethostname()}\n'.encode())
        yield
