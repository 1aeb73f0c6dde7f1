import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from mvae.music.vocabulary import HOLD, NOTE_OFF

from mvae.music.windows import (
    clean_leading_note_offs,
    combine_hashes,
    content_hash,
    find_segments,
    slice_windows,
    window_bars,
)


def test_only_note_offs_before_the_first_note_become_holds():
    tokens = np.array([[1, 0, 62, 0, 1, 0], [0, 1, 1, 0, 0, 0], [60, 1, 0, 1, 0, 0]], np.uint16)
    expected = [[0, 0, 62, 0, 1, 0], [0, 0, 0, 0, 0, 0], [60, 1, 0, 1, 0, 0]]
    cleaned = clean_leading_note_offs(tokens)
    np.testing.assert_array_equal(cleaned, expected)
    assert cleaned.dtype == np.uint16 and tokens[0, 0] == NOTE_OFF


@given(st.lists(st.integers(0, 6), min_size=1, max_size=20))
def test_cleaning_equals_a_walk_along_the_window(tokens):
    expected, sounded = [], False
    for token in tokens:
        sounded |= token >= 2
        expected.append(HOLD if token == NOTE_OFF and not sounded else token)
    np.testing.assert_array_equal(clean_leading_note_offs(np.array([tokens]))[0], expected)


def test_hashes_tell_windows_apart_and_know_equals():
    hashes = content_hash(np.array([[1, 2, 3], [1, 2, 4], [1, 2, 3]]))
    assert hashes.dtype == np.uint64 and hashes[0] == hashes[2] != hashes[1]
    np.testing.assert_array_equal(
        hashes, content_hash(np.array([[1, 2, 3], [1, 2, 4], [1, 2, 3]], np.uint16))
    )
    assert len(content_hash(np.zeros((0, 4), int))) == 0


def test_hashes_of_streams_combine_in_order():
    a, b = np.array([1, 1], np.uint64), np.array([2, 1], np.uint64)
    assert (
        combine_hashes(a, b)[0] != combine_hashes(b, a)[0]
        and combine_hashes(a, b)[1] == combine_hashes(b, a)[1]
    )


def test_segments_end_at_a_bar_of_rest_and_widen_to_bar_lines():
    start, end = np.array([5, 20, 52, 90]), np.array([20, 30, 60, 91])  # 22 steps of rest, then 30
    segments, segment_of = find_segments(start, end, rest=16, steps_per_bar=16)
    assert segments.tolist() == [[0, 2], [3, 4], [5, 6]] and segment_of.tolist() == [0, 0, 1, 2]
    longer, _ = find_segments(start, end, rest=23, steps_per_bar=16)
    assert longer.tolist() == [[0, 4], [5, 6]]


def test_windows_slide_by_one_bar_inside_segments():
    first = window_bars(np.array([[0, 3], [5, 6], [8, 10]]), 2)
    assert first.tolist() == [0, 1, 8]
    assert slice_windows(np.arange(40), np.array([0, 2]), 2, 4).tolist() == [
        list(range(8)),
        list(range(8, 16)),
    ]
    assert len(window_bars(np.zeros((0, 2), int), 2)) == 0
