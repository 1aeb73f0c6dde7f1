"""Forms in letters: what is alike."""

import pytest

from mvae.errors import InputError
from mvae.music.letters import sections_of


@pytest.mark.parametrize(
    'letters, bars, found',
    [
        ('AABA', 8, [(0, 0), (0, 1), (0, 0), (0, 1), (2, 0), (2, 1), (0, 0), (0, 1)]),
        (' ab ', 4, [(0, 0), (0, 1), (1, 0), (1, 1)]),
        ('A', 3, [(0, 0), (0, 1), (0, 2)]),
        ('CBC', 3, [(0, 0), (1, 0), (0, 0)]),
    ],
)
def test_sections_of_a_letter_are_the_same_bar_by_bar(letters, bars, found):
    assert sections_of(letters, bars).tolist() == [list(bar) for bar in found]


@pytest.mark.parametrize('letters', ['', ' ', 'A1', 'A-A', 'A A'])
def test_what_is_no_form_is_said(letters):
    with pytest.raises(InputError, match='is no form in letters, such as AABA'):
        sections_of(letters, 4)


@pytest.mark.parametrize('letters', ['ABA', 'ABABA'])
def test_sections_are_equally_long(letters):
    with pytest.raises(InputError, match=f'4 bars are not {len(letters)} equal sections'):
        sections_of(letters, 4)
