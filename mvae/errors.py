"""The exceptions that programs say in one line: the user's input is wrong, or work was stopped."""

import signal


class InputError(Exception):
    """What a user can mend: says in one line what was wrong, where, and what to do.

    Programs print it without a traceback and exit with code 2 (`mvae/commands/program.py`); a
    traceback is for bugs only.
    """


class Interrupted(Exception):
    """Work was stopped by a signal, its state saved. Programs exit with 128 + the signal's number.

    Attributes:
        number: of the signal, SIGINT (Ctrl-C) or SIGTERM.
    """

    def __init__(self, message: str = '', number: int = signal.SIGINT):
        super().__init__(message)
        self.number = number
