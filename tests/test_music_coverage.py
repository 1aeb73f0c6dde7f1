"""Where several parts play together (bars of 4 steps)."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mvae.music.coverage import cover_together, covered_bars, find_common_windows


def flags(text):
    return np.array([c == 'x' for c in text])


def text(row):
    return ''.join('x' if value else '.' for value in row)


def test_bars_with_notes_and_the_gap_around_them():
    start, end = np.array([4, 33]), np.array([8, 41])  # bar 1 alone, and bars 8 to 10
    assert text(covered_bars(start, end, 13, 0, 4)) == '.x......xxx..'
    assert text(covered_bars(start, end, 13, 2, 4)) == 'xxxx..xxxxxxx'


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=8),
    st.integers(1, 16),
    st.integers(0, 3),
)
def test_coverage_equals_a_look_at_every_bar(notes, total, gap):
    spans = [(s, s + length) for s, length in notes]
    plain = [any(s < 4 * bar + 4 and e > 4 * bar for s, e in spans) for bar in range(32)]
    expected = [any(plain[max(0, bar - gap) : bar + gap + 1]) for bar in range(total)]
    start, end = np.array(spans, int).reshape(-1, 2).T
    assert covered_bars(start, end, total, gap, 4).tolist() == expected


MELODIES = np.stack([flags('..xxxx..'), flags('xxxxxxxx')])
BASSES = flags('.xxxxxx.')[None]
DRUMS = flags('..xxxx..')[None]


def test_all_must_cover_except_at_the_ends():
    parts = [MELODIES, BASSES, DRUMS]
    together = cover_together(parts, 0)
    assert together.shape == (2, 1, 1, 8)
    assert [text(row) for row in together[:, 0, 0]] == ['..xxxx..', '..xxxx..']
    # With a gap of one bar the first and last bar ask for any of the three.
    assert [text(row) for row in cover_together(parts, 1)[:, 0, 0]] == ['..xxxx..', 'x.xxxx.x']


def test_any_number_of_parts():
    assert [text(row) for row in cover_together([MELODIES], 0)] == ['..xxxx..', 'xxxxxxxx']
    four = cover_together([MELODIES, BASSES, DRUMS, MELODIES], 0)
    assert four.shape == (2, 1, 1, 2, 8) and four.any(-1).all()
    tracks, first = find_common_windows(four, 4)
    assert tracks.tolist() == [[0, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0], [1, 0, 0, 1]]
    assert first.tolist() == [2, 2, 2, 2]


def test_windows_come_track_by_track():
    together = np.stack([[flags('xxx.xx')], [flags('...xxx')]])
    tracks, first = find_common_windows(together, 2)
    assert [(*row, bar) for row, bar in zip(tracks.tolist(), first.tolist(), strict=True)] == [
        (0, 0, 0),
        (0, 0, 1),
        (0, 0, 4),
        (1, 0, 3),
        (1, 0, 4),
    ]
    none, nowhere = find_common_windows(together, 7)
    assert none.shape == (0, 2) and nowhere.shape == (0,)
