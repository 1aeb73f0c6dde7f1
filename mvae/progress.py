"""Progress bars: moving ones in a terminal, a plain line now and then in a log file."""

import sys
import time
from typing import Any

from tqdm import tqdm

EVERY = 30.0  # seconds between lines


def progress(*arguments: Any, **options: Any) -> 'tqdm[Any]':
    """A tqdm bar, with its arguments.

    Where stderr is no terminal it writes a line every `EVERY` seconds and one at the end.
    """
    if sys.stderr.isatty():
        return tqdm(*arguments, **{'dynamic_ncols': True} | options)
    plain = {'ncols': 0, 'dynamic_ncols': False, 'leave': True, 'file': _Lines()}
    return _Plain(*arguments, **options | plain)


class _Plain(tqdm):  # type: ignore[type-arg]  # it takes none at run time
    """Shows itself seldom: tqdm asks for it at every change of the words after the bar."""

    def __init__(self, *arguments: Any, **options: Any):
        self._said = time.monotonic()
        super().__init__(*arguments, **options)

    def refresh(self, *arguments: Any, **options: Any) -> None:
        if time.monotonic() - self._said >= EVERY:
            self._said = time.monotonic()
            super().refresh(*arguments, **options)


class _Lines:
    """stderr as a file that takes each text as a line, without what moves a cursor."""

    def write(self, text: str) -> None:
        if text := text.replace('\x1b[A', '').strip():
            sys.stderr.write(text + '\n')

    def flush(self) -> None:
        sys.stderr.flush()
