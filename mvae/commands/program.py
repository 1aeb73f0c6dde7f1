"""How a program ends: its exit code, and one line where something was wrong."""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator

from mvae.errors import InputError, Interrupted

DONE, WRONG_INPUT, UNREAD = 0, 2, 141
SIGNALLED = 128  # plus the number of the signal, as shells count: 130 for Ctrl-C, 143 for SIGTERM


def guarded(program: Callable[[], None]) -> int:
    """Runs a program and returns its exit code.

    0 done, 2 wrong input (said in one line), 130 interrupted by Ctrl-C, 143 by SIGTERM, which is
    left as cleanly, 141 nobody reads (`| head`).
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of files need not be text
            stream.reconfigure(errors='backslashreplace')
    with _sigterm_interrupts() as seen:
        try:
            program()
            sys.stdout.flush()
        except InputError as error:
            print(f'error: {printable(str(error))}', file=sys.stderr)
            return WRONG_INPUT
        except (Interrupted, KeyboardInterrupt) as stop:
            print(str(stop) or 'interrupted', file=sys.stderr)
            return SIGNALLED + (seen or [getattr(stop, 'number', signal.SIGINT)])[0]
        except BrokenPipeError:
            # Or the interpreter complains when it flushes at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return UNREAD
        except SystemExit as end:  # argparse has shown its help
            return int(end.code or DONE)
    return DONE


def printable(text: str) -> str:
    """One line that no terminal takes for orders, whatever a file or its name holds."""
    return ''.join(char if char.isprintable() else repr(char)[1:-1] for char in text)


@contextlib.contextmanager
def _sigterm_interrupts() -> Iterator[list[int]]:
    """Inside, SIGTERM interrupts as Ctrl-C does; the list will hold its number."""
    seen: list[int] = []

    def stop(number: int, _: object) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGTERM, before)
