import numpy as np
import pytest

from mvae.demo.abc_text import Source
from mvae.demo.drops import Drop, DroppedError
from mvae.demo.tunes import read_tune

EIGHT = '|'.join(['A2B2c2d2'] * 8)


def tune(body, meter='C', unit='1/8', title='Test', key='C'):
    return read_tune(Source('book', 1, f'X:1\nT:{title}\nM:{meter}\nL:{unit}\nK:{key}\n{body}\n'))


def reason(*args, **kwargs):
    with pytest.raises(DroppedError) as err:
        tune(*args, **kwargs)
    return err.value.reason


def test_two_parts_are_played_a_a_b_b():
    got = tune(f'|:{EIGHT}:|\n|:{EIGHT.replace("A", "e")}:|')
    assert got.bars == 32
    assert got.sections == ((0, 'A'), (8, 'A'), (16, 'B'), (24, 'B'))
    assert got.start.tolist() == list(range(0, 32 * 16, 4))
    np.testing.assert_array_equal(got.end, got.start + 4)
    np.testing.assert_array_equal(got.pitch[:32], got.pitch[32:64])
    assert got.pitch[64] == 76


def test_the_first_full_bar_of_a_tune_with_upbeat_starts_on_a_bar_line():
    got = tune(f'GF|{EIGHT[:-2]}:|{EIGHT}|')
    assert got.start[:3].tolist() == [12, 14, 16]
    assert got.pitch[:3].tolist() == [67, 65, 69]
    assert got.sections[0] == (1, 'A')


def test_a_short_tune_is_played_until_windows_of_16_bars_fit():
    got = tune(f'{EIGHT}|')
    assert got.bars == 32
    assert got.sections == ((0, 'A'), (8, 'A'), (16, 'A'), (24, 'A'))


def test_long_tunes_stay_below_128_bars():
    got = tune('\n'.join(f'|:{EIGHT}|{EIGHT}:|' for _ in range(9)))
    assert got.bars == 104
    assert got.end[-1] <= 104 * 16
    assert all(bar < 104 for bar, _ in got.sections)


def test_2_4_is_read_at_double_length():
    double = tune('|'.join(['A>BcdA2B2'] * 8) + '|', meter='2/4', unit='1/16')
    same = tune('|'.join(['A>BcdA2B2'] * 8) + '|', meter='C|', unit='1/8')
    np.testing.assert_array_equal(double.start, same.start)
    assert double.start[:4].tolist() == [0, 3, 4, 6]


def test_triplets_are_quantised_halves_up_and_never_two_notes_on_a_step():
    got = tune('|'.join(['(3ABc d2 e4'] * 8) + '|')
    assert got.start[:5].tolist() == [0, 1, 3, 4, 8]
    assert got.end[:5].tolist() == [1, 3, 4, 8, 16]
    with_sixteenths = tune(
        'A2A2A2e(3A/B/c/|' + EIGHT + '|'
    )  # 0, .67, 1.33 -> 0, 1 and a taken step
    assert np.all(np.diff(with_sixteenths.start) > 0)
    assert with_sixteenths.start[:6].tolist() == [0, 4, 8, 12, 14, 15]
    assert with_sixteenths.pitch[4:6].tolist() == [69, 71]


def test_ties_join_equal_pitches_only():
    got = tune('|'.join(['A4 B4-|B4 A4-'] * 4 + ['c8'] * 4) + '|')
    first = np.stack([got.start, got.end, got.pitch], 1)[:4]
    assert [tuple(note) for note in first.tolist()] == [
        (0, 8, 69), (8, 24, 71), (24, 40, 69), (40, 56, 71),
    ]  # fmt: skip


def test_reasons():
    assert reason(EIGHT, meter='6/8') is Drop.METER
    assert reason('A2B2c2d2|A2B2|A2B2c2d2|A2B2c2d2') is Drop.BARS
    assert reason('|'.join(['A/4B/4c/4d/4 B c2d2e2'] * 8)) is Drop.GRID
    assert reason('|'.join(['A2 A2 A2 e(3A/B/c/'] * 8)) is Drop.GRID
    assert reason('A8|B8|') is Drop.SHORT
    assert reason('|'.join(['z8'] * 8)) is Drop.SHORT
    assert reason('', title='Nothing') is Drop.UNREADABLE


def test_titles_are_tidied():
    assert tune(EIGHT, title='Kildare Fancy, The').title == 'The Kildare Fancy'
    assert tune(EIGHT, title='7th Regiment -- Reel').title == '7th Regiment'
    assert tune(EIGHT, title='').title == 'book 1'
