"""Kept notes: counted by hand, and in words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvae.music.forms import make_form
from mvae.music.kept import Kept, count_kept, describe
from mvae.music.line import FIRST_NOTE_ON, HOLD, NOTE_OFF

C, D, E = (FIRST_NOTE_ON + pitch for pitch in (60, 62, 64))
MELODY, TRIO = make_form('melody', 1), make_form('trio', 1)


def _line(*tokens):
    return np.array([*tokens, *[HOLD] * (16 - len(tokens))], np.int32)[:, None]


def test_a_note_is_kept_where_it_begins_at_the_same_step_and_pitch():
    tune = _line(C, HOLD, D, HOLD, E, HOLD, C)
    other = _line(C, NOTE_OFF, E, HOLD, E, C, HOLD)  # shorter C, another D, the same E, an early C
    assert count_kept(tune, other, MELODY) == {'melody': Kept(2, 4)}
    assert count_kept(other, tune, MELODY) == {'melody': Kept(2, 4)}


def test_hits_of_drums_count_each():
    drums = make_form('drums', 1)
    assert count_kept(_line(0b101, 0, 0b1), _line(0b100, 0, 0b11), drums) == {'drums': Kept(2, 3)}


def test_parts_are_counted_by_themselves_and_silent_ones_left_out():
    silent = _line()
    piece = np.concatenate([_line(C, D), silent, _line(1, 1)], 1)
    other = np.concatenate([_line(C, E), _line(C), _line(1)], 1)
    assert count_kept(piece, other, TRIO) == {'melody': Kept(1, 2), 'drums': Kept(1, 2)}
    assert count_kept(np.concatenate([silent] * 3, 1), other, TRIO) == {}


@given(st.lists(st.integers(0, 129), min_size=32, max_size=32))
def test_a_piece_keeps_all_of_itself_and_nothing_of_silence(tokens):
    piece = np.array(tokens, np.int32).reshape(2, 16, 1)
    for kept, total in count_kept(piece[0], piece[0], MELODY).values():
        assert kept == total > 0
    assert all(k.kept == 0 for k in count_kept(piece[0], _line(), MELODY).values())
    between = count_kept(*piece, MELODY)
    assert all(0 <= kept <= total for kept, total in between.values())


@pytest.mark.parametrize(
    'counts, said',
    [
        ({'melody': Kept(22, 22)}, 'a.mid note for note (22 of 22 notes kept)'),
        ({'melody': Kept(18, 22)}, 'close to a.mid (18 of 22 notes kept)'),
        ({'melody': Kept(14, 22)}, 'only loosely a.mid (14 of 22 notes kept)'),
        ({'melody': Kept(0, 22)}, 'hardly a.mid (0 of 22 notes kept)'),
        (
            {'melody': Kept(9, 10), 'bass': Kept(0, 10)},
            'only loosely a.mid (melody 9 of 10, bass 0 of 10 notes kept)',
        ),
    ],
)
def test_words(counts, said):
    assert describe(counts, 'a.mid') == said
