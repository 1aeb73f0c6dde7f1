"""Files written whole or not at all."""

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mvae.errors import InputError


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
