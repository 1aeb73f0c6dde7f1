"""Where melody, bass and drums play together (bars of 4 steps)."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from mvae.music.trio import cover_together, covered_bars, find_trio_windows


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


def test_all_three_must_cover_except_at_the_ends():
    melodies = np.stack([flags('..xxxx..'), flags('xxxxxxxx')])
    basses = flags('.xxxxxx.')[None]
    drums = flags('..xxxx..')
    assert [text(row) for row in cover_together(melodies, basses, drums, 0)[:, 0]] == [
        '..xxxx..',
        '..xxxx..',
    ]
    # With a gap of one bar the first and last bar ask for any of the three.
    assert [text(row) for row in cover_together(melodies, basses, drums, 1)[:, 0]] == [
        '..xxxx..',
        'x.xxxx.x',
    ]


def test_windows_come_melody_by_melody():
    together = np.stack([[flags('xxx.xx')], [flags('...xxx')]])
    melody, bass, first = find_trio_windows(together, 2)
    assert list(zip(melody, bass, first, strict=True)) == [
        (0, 0, 0),
        (0, 0, 1),
        (0, 0, 4),
        (1, 0, 3),
        (1, 0, 4),
    ]
    assert [len(found) for found in find_trio_windows(together, 7)] == [0, 0, 0]
