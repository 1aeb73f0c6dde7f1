"""The one exception that means 'your input, not our bug'."""


class InputError(Exception):
    """What a user can mend: says in one line what was wrong, where, and what to do.

    Programs print it without a traceback and exit with code 2 (`experiments/command.py`); a
    traceback is for bugs only.
    """


class Interrupted(Exception):
    """Work was stopped by a signal, its state saved."""
