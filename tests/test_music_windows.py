import numpy as np

from mvae.music.windows import (
    combine_hashes,
    content_hash,
    find_segments,
    slice_windows,
    window_bars,
)


def test_hashes_tell_windows_apart_and_know_equals():
    windows = [[1, 2, 3], [1, 2, 4], [1, 2, 3]]
    hashes = content_hash(np.array(windows))
    assert hashes.dtype == np.uint64 and hashes[0] == hashes[2] != hashes[1]
    np.testing.assert_array_equal(hashes, content_hash(np.array(windows, np.uint16)))
    # One column is no other content than none.
    np.testing.assert_array_equal(hashes, content_hash(np.array(windows)[..., None]))
    assert len(content_hash(np.zeros((0, 4, 1), int))) == 0


def test_hashes_see_every_column():
    hashes = content_hash(np.array([[[1, 5], [0, 0]], [[1, 6], [0, 0]], [[5, 1], [0, 0]]]))
    assert len(set(hashes.tolist())) == 3


def test_hashes_of_streams_combine_in_order():
    a, b = np.array([1, 1], np.uint64), np.array([2, 1], np.uint64)
    one, other = combine_hashes(np.stack([a, b])), combine_hashes(np.stack([b, a]))
    assert one.dtype == np.uint64 and one[0] != other[0] and one[1] == other[1]


def test_segments_end_at_a_bar_of_rest_and_widen_to_bar_lines():
    start, end = np.array([5, 20, 52, 90]), np.array([20, 30, 60, 91])  # 22 steps of rest, then 30
    segments, segment_of = find_segments(start, end, rest=16, steps_per_bar=16)
    assert segments.tolist() == [[0, 2], [3, 4], [5, 6]] and segment_of.tolist() == [0, 0, 1, 2]
    longer, _ = find_segments(start, end, rest=23, steps_per_bar=16)
    assert longer.tolist() == [[0, 4], [5, 6]]


def test_a_long_note_under_short_ones_is_no_rest():
    start, end = np.array([0, 4, 60, 61]), np.array([64, 5, 62, 130])
    segments, segment_of = find_segments(start, end, rest=16, steps_per_bar=16)
    assert segments.tolist() == [[0, 9]] and segment_of.tolist() == [0, 0, 0, 0]


def test_windows_slide_by_one_bar_inside_segments():
    first = window_bars(np.array([[0, 3], [5, 6], [8, 10]]), 2)
    assert first.tolist() == [0, 1, 8]
    columns = np.stack([np.arange(40), -np.arange(40)], 1)
    windows = slice_windows(columns, np.array([0, 2]), 2, 4)
    assert windows[..., 0].tolist() == [list(range(8)), list(range(8, 16))]
    np.testing.assert_array_equal(windows[..., 1], -windows[..., 0])
    assert len(window_bars(np.zeros((0, 2), int), 2)) == 0
