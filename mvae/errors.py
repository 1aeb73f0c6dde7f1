"""The one exception that means 'your input, not our bug'."""


class InputError(Exception):
    """What a user can mend: says in one line what was wrong, where, and what to do.

    Programs print it without a traceback and exit with code 2 (`experiments/cli.py`); a traceback is for bugs only.
    """
