import pytest

from mvae.demo.abc_text import read_fragments
from mvae.demo.bars import assemble, mark_parts, play
from mvae.demo.drops import Drop, DroppedError


def played(body):
    fragments, marks, _ = read_fragments('X:1\nM:C\nL:1/8\nK:C\n' + body, 4)
    mark_parts(fragments, marks)
    return play(fragments, marks)


def names(body):
    """First note of each fragment, in playing order."""
    letters = {57: 'a', 69: 'A', 71: 'B', 72: 'c', 74: 'd', 76: 'e', 77: 'f', 79: 'g'}
    return ''.join(letters[fragment.notes[0].pitch] for fragment in played(body))


def test_repeats_give_a_a_b_b():
    assert names('A8|B8:|:c8|d8:|') == 'ABABcdcd'
    assert names('A8|B8:|\n|:c8|d8:|') == 'ABABcdcd'
    assert names('|:A8|B8:|c8|d8||') == 'ABABcd'


def test_a_repeat_without_start_goes_back_to_the_double_bar():
    assert names('A8|B8||c8|d8:|') == 'ABcdcd'


def test_first_and_second_endings():
    assert names('|:A8|1B8:|2c8||d8|') == 'ABAcd'
    assert names('A8|B8|1c8:|2d8:|\n|:e8|f8:|') == 'ABcABdefef'


def onsets(bars):
    return [[(float(note.onset), float(note.length)) for note in bar] for bar in bars]


def test_the_first_upbeat_is_padded_in_front():
    bars, sections = assemble(played('A2|B8|c8|'))
    assert onsets(bars) == [[(12, 4)], [(0, 16)], [(0, 16)]]
    assert sections == [(1, 0)]


def test_upbeats_at_repeats_fill_the_last_bar_of_the_part():
    bars, sections = assemble(played('A2|B8|c6:|d2|e8|f6||'))
    assert onsets(bars) == [
        [(12, 4)], [(0, 16)], [(0, 12), (12, 4)], [(0, 16)],
        [(0, 12), (12, 4)], [(0, 16)], [(0, 12)],
    ]  # fmt: skip
    assert sections == [(1, 0), (3, 0), (5, 1)]


def test_an_upbeat_after_a_full_bar_shortens_its_last_note():
    bars, sections = assemble(played('A2|B8|c8:|'))
    assert onsets(bars) == [[(12, 4)], [(0, 16)], [(0, 12), (12, 4)], [(0, 16)], [(0, 16)]]
    assert sections == [(1, 0), (3, 0)]


def test_a_short_last_bar_is_padded_at_its_end():
    bars, sections = assemble(played('A8|B4||c8|d8|'))
    assert onsets(bars) == [[(0, 16)], [(0, 8)], [(0, 16)], [(0, 16)]]
    assert sections == [(0, 0), (2, 1)]


def test_a_forgotten_bar_line_is_put_in():
    bars, _ = assemble(played('A8|B8c8|d8|'))
    assert onsets(bars) == [[(0, 16)]] * 4


@pytest.mark.parametrize('body', ['A8|B6|c8|d8|', 'A8|B8c2|d8|', 'A8|B6c6d4|e8|'])
def test_wrong_bars_inside_a_part_drop_the_tune(body):
    with pytest.raises(DroppedError) as err:
        assemble(played(body))
    assert err.value.reason is Drop.BARS
