"""Folders on object storage that a command is given: it works on copies, which are sent back."""

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mvae import remote
from mvae.errors import InputError

_BY_ITSELF = {'data'}  # what opens a dataset fetches it, and a config keeps its address


@contextlib.contextmanager
def of(options: argparse.Namespace) -> Iterator[None]:
    """Inside, options that name folders on a storage name their copies here instead.

    What is new in them is sent at the end, also that of a command that was interrupted.
    """
    folders: list[Path] = []
    for name, value in vars(options).items():
        if name not in _BY_ITSELF:
            setattr(options, name, _fetched(value, folders))
    try:
        yield
    except BaseException:
        _push(folders)
        raise
    if not _push(folders):
        raise InputError('what was made is here, but not all of it could be sent')


def _fetched(value: Any, folders: list[Path]) -> Any:
    if isinstance(value, list):
        return [_fetched(one, folders) for one in value]
    if not isinstance(value, str | Path) or not remote.is_address(value):
        return value
    folders.append(folder := remote.local(value))
    print(f'{remote.address_of(value)}: its copy here is {folder}', flush=True)
    return folder if isinstance(value, Path) else str(folder)


def _push(folders: list[Path]) -> bool:
    """Whether all could be sent; says why not."""
    sent = True
    for folder in folders:
        try:
            remote.push(folder)
        except InputError as error:
            print(f'error: {error}', file=sys.stderr)
            sent = False
    return sent
