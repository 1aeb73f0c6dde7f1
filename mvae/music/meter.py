"""Meters: how many beats of what length a bar has."""

import functools
import re
from typing import NamedTuple

from mvae.errors import InputError

_MOST = 64


class Meter(NamedTuple):
    """As a time signature says it: 3/4 is three quarters.

    Of numerators such as 6, 9 and 12 three make a beat (compound meters): 6/8 has two beats of
    three eighths, 3/4 three beats of two, in bars as long.
    """

    numerator: int
    denominator: int

    @classmethod
    @functools.lru_cache
    def parse(cls, text: str) -> 'Meter':
        """'6/8' -> Meter(6, 8). Raises InputError."""
        found = re.fullmatch(r'(\d{1,2})/(\d{1,2})', text.strip(), re.ASCII)
        numbers = tuple(map(int, found.groups())) if found else (0, 0)
        if not (1 <= numbers[0] <= _MOST and _is_length(numbers[1])):
            raise InputError(f'{text!r} is no meter such as 4/4, 3/4 or 6/8')
        return cls(*numbers)

    @property
    def compound(self) -> bool:
        """Whether three of its notes make a beat."""
        return self.numerator > 3 and self.numerator % 3 == 0

    def bar(self, steps_per_quarter: int) -> int:
        """Steps of a bar. Raises InputError where they are not whole."""
        return self._steps(self.numerator, steps_per_quarter)

    def beat(self, steps_per_quarter: int) -> int:
        """Steps of a beat. Raises InputError where they are not whole."""
        return self._steps(3 if self.compound else 1, steps_per_quarter)

    def _steps(self, notes: int, steps_per_quarter: int) -> int:
        steps, rest = divmod(4 * notes * steps_per_quarter, self.denominator)
        if rest:
            raise InputError(
                f'{self} has no whole number of steps with {steps_per_quarter} for a quarter'
            )
        return steps

    def takes(self, numerator: int, denominator: int) -> bool:
        """Whether music in a meter has such bars, with such beats: 4/4 takes 2/2, 3/4 no 6/8."""
        if numerator < 1 or not _is_length(denominator):
            return False
        alike = numerator * self.denominator == self.numerator * denominator
        return alike and Meter(numerator, denominator).compound == self.compound

    def __str__(self) -> str:
        return f'{self.numerator}/{self.denominator}'


FOUR_FOUR = Meter(4, 4)


def _is_length(denominator: int) -> bool:
    """Whether notes of 1/denominator are written: a power of two."""
    return 1 <= denominator <= _MOST and denominator & (denominator - 1) == 0
