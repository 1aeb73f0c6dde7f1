import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mvae.music.vocabulary import HOLD, NOTE_OFF
from mvae.music.windows import clean_leading_note_offs, content_hashes


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
    hashes = content_hashes(np.array([[1, 2, 3], [1, 2, 4], [1, 2, 3]]))
    assert hashes.dtype == np.uint64 and hashes[0] == hashes[2] != hashes[1]
    np.testing.assert_array_equal(hashes, content_hashes(np.array([[1, 2, 3], [1, 2, 4], [1, 2, 3]], np.uint16)))
    assert len(content_hashes(np.zeros((0, 4), int))) == 0
