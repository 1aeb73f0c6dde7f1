"""`mvae` in the process of the tests, which spares each call a start of its own."""

import contextlib
import io
from typing import NamedTuple

from mvae.commands import main


class Done(NamedTuple):
    """How a command ended and what it said, by the names of `subprocess.CompletedProcess`."""

    returncode: int
    stdout: str
    stderr: str


def mvae(*arguments: object) -> Done:
    """Runs a command, such as `mvae('sample', run, '--n', 2)`. What it does not catch is raised."""
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        code = main([str(x) for x in arguments])
    return Done(code, said.getvalue(), complained.getvalue())
