import dataclasses
import json

import pytest

from mvae.errors import InputError
from mvae.music.notation import Notation


@pytest.mark.parametrize(
    'values, message',
    [
        ({'min_pitch': 60, 'max_pitch': 59}, r'60\.\.59'),
        ({'max_pitch': 128}, r'0\.\.128'),
        ({'min_pitch': -1}, r'-1\.\.127'),
        ({'drum_map': 'new'}, "'new'; known: current, old, roland"),
        ({'steps_per_quarter': 0}, 'not 0'),
        ({'steps_per_quarter': 97}, 'not 97'),
    ],
)
def test_impossible_notations_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        Notation(**values)


def test_dictionary_round_trip():
    notation = Notation(21, 108, 'old', 6)
    assert Notation(**json.loads(json.dumps(notation.to_dict()))) == notation


def test_it_is_the_papers_where_nothing_is_said():
    assert dataclasses.astuple(Notation()) == (0, 127, 'current', 4, '4/4')
    assert [Notation(steps_per_quarter=n).steps_per_bar for n in (1, 4, 6)] == [4, 16, 24]
