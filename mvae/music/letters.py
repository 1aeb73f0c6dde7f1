"""The form of a piece in letters, as musicians write it: AABA."""

import numpy as np

from mvae.errors import InputError


def sections_of(letters: str, bars: int) -> np.ndarray:
    """Of each bar the letter of its section, as a number, and its place there: int [U, 2].

    letters: one for each of equally long sections, such as 'AABA', which of 16 bars have four each.
    Raises InputError for other texts, and where the bars cannot be shared out so.
    """
    names = letters.strip().upper()
    if not names.isalpha():
        raise InputError(f'{letters!r} is no form in letters, such as AABA')
    length, rest = divmod(bars, len(names))
    if rest or not length:
        raise InputError(f'{bars} bars are not {len(names)} equal sections, as {letters} asks')
    numbers = np.repeat([names.index(name) for name in names], length)
    return np.stack([numbers, np.arange(bars) % length], 1)
