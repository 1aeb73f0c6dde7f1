"""Checks of single values that users give."""

import math
import operator
from typing import Any

import numpy as np

from mvae.errors import InputError


def check_qpm(qpm: float) -> None:
    """Raises InputError for what is no tempo in quarters per minute."""
    if not (is_number(qpm) and math.isfinite(qpm) and 1 <= qpm <= 1000):
        raise InputError(f'the tempo lies in 1..1000 quarters per minute, not at {qpm}')


def check_integer(what: str, value: Any, least: int, most: int | None = None) -> int:
    """The value as an int. Raises InputError if it is none, or not within least..most."""
    try:
        number = operator.index(value)
    except TypeError:
        raise InputError(f'{what} is a whole number, not {value!r}') from None
    if number < least or (most is not None and number > most):
        within = f'at least {least}' if most is None else f'within {least}..{most}'
        raise InputError(f'{what} is {within}, not {number}')
    return number


def check_seed(seed: Any) -> int:
    """Raises InputError for what is no seed."""
    return check_integer('a seed', seed, 0, 2**32 - 1)


def is_number(value: Any) -> bool:
    """Whether a value is a number, of Python's or numpy's; truth values are none."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def natural(text: str) -> int | None:
    """'12' as 12; None for anything but at most 18 digits from 0 to 9."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None
