"""What pieces are called, for people: 'two thirds of the way'."""

import re
from fractions import Fraction

_NUMBERS = 'one two three four five six seven eight nine ten eleven'.split()
_PARTS = {2: ('half', 'halves')} | {
    n: (word, word + 's')
    for n, word in enumerate(
        'third quarter fifth sixth seventh eighth ninth tenth eleventh twelfth'.split(), 3
    )
}


def of_step(number: int, steps: int) -> str:
    """Where step `number` of a way of so many steps lies: the first is 1, 'the start'."""
    share = Fraction(number - 1, max(steps - 1, 1))
    if share in (0, 1):
        return 'the end' if share else 'the start'
    if share == Fraction(1, 2):
        return 'half of the way'
    if share.denominator not in _PARTS:
        return f'{share} of the way'
    word = _PARTS[share.denominator][share.numerator > 1]
    return f'{_NUMBERS[share.numerator - 1]} {word} of the way'


def of_file(stem: str, steps: int) -> str:
    """What a file of ours is called, from its name without the ending.

    steps: how many files there are of an interpolation.
    """
    if (step := re.fullmatch(r'step_(\d{1,4})', stem)) and 1 <= int(step[1]) <= steps:
        return of_step(int(step[1]), steps)
    if stem == 'joined':
        return 'all steps in a row'
    if given := re.fullmatch(r'given_\d+_(.+)', stem, re.DOTALL):
        return f'given: {given[1].replace("_", " ")}'
    if moved := re.fullmatch(r'(.+)_([+-])([\d.]+)', stem, re.DOTALL):
        more = 'more' if moved[2] == '+' else 'less'
        return f'{moved[1].replace("_", " ")}, {more} ({moved[2]}{moved[3].removesuffix(".0")})'
    return stem.replace('_', ' ')
