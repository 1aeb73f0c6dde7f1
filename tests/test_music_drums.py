"""Drums: Magenta's cases, the drum maps, round trips."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mvae.music.codec import GridNotes
from mvae.music.drums import DRUM_NAMES, DrumCodec, drum_classes
from mvae.music.events import EVENTS

DRUMS = DrumCodec()


def test_all_classes_sound_as_magentas_exemplars():
    assert DRUMS.decode(np.array([[511]])).pitch.tolist() == [36, 38, 42, 46, 45, 48, 50, 49, 51]
    assert len(DRUM_NAMES) == DRUMS.droppable == 9 and DRUMS.sizes == (512,)


def test_magentas_drum_fixture():
    """Case 8, first track: steps of a quarter, 8 steps."""
    notes = GridNotes.make([0, 1, 4, 1], [10, 2, 5, 2], [35, 44, 40, 35])
    tokens = DRUMS.encode(DRUMS.voice(notes), 8)
    assert tokens[:, 0].tolist() == [1, 5, 0, 0, 2, 0, 0, 0] and tokens.dtype == np.uint16


def test_hits_are_one_step_long_and_in_order_of_time():
    kept = DRUMS.voice(GridNotes.make([5, 0, 5], [9, 9, 6], [38, 36, 42]))
    assert [c.tolist() for c in kept[:3]] == [[0, 5, 5], [1, 6, 6], [36, 38, 42]]
    assert DRUMS.encode(kept, 5)[:, 0].tolist() == [1, 0, 0, 0, 0]


@given(
    st.lists(st.integers(0, 511), min_size=1, max_size=64),
    st.sampled_from(['current', 'old', 'roland']),
)
def test_decode_then_encode_gives_the_same(tokens, drum_map):
    codec, columns = DrumCodec(drum_map), np.array(tokens)[:, None]
    notes = codec.decode(columns)
    np.testing.assert_array_equal(codec.encode(notes, len(tokens)), columns)
    assert codec.expresses(notes.pitch).all()
    np.testing.assert_array_equal(codec.canonical(columns), columns)  # a 1 is a kick


def test_the_maps_differ_where_magenta_changed_them():
    new, old = drum_classes(), drum_classes('old')
    assert np.flatnonzero(new != old).tolist() == [22, 26, 43, 52]
    assert old[[22, 26, 43, 52]].tolist() == [-1, -1, 6, 8]
    assert (new >= 0).sum() == 63 and (old >= 0).sum() == 61
    both = np.array([22, 36, 13])
    assert DRUMS.expresses(both).tolist() == [True, True, False]
    assert DrumCodec('old').expresses(both).tolist() == [False, True, False]


def test_drums_do_not_sound_on():
    names = [EVENTS[n] for n in DRUMS.events(np.array([[0], [1], [0], [511]]))]
    assert names == ['rest', 'onset', 'rest', 'onset']


def test_classes_that_are_not_kept_go_unless_nothing_would_remain():
    windows = np.array([[[5], [3]], [[4], [0]], [[0], [0]]], np.uint16)
    kept = np.ones((3, 9), bool)
    kept[:, [0, 2]] = False
    left = DRUMS.drop(windows, kept)
    assert left[..., 0].tolist() == [[0, 2], [4, 0], [0, 0]] and left.dtype == np.uint16


def test_classes_that_are_taken_come_from_the_other_window_unless_nothing_would_remain():
    windows = np.array([[[5], [3]], [[4], [0]], [[4], [0]]], np.uint16)
    others = np.array([[[8], [4]], [[1], [5]], [[8], [2]]], np.uint16)
    taken = np.zeros((3, 9), bool)
    taken[:, [0, 2]] = True
    mixed = DRUMS.mix(windows, others, taken)
    assert mixed[..., 0].tolist() == [[0, 6], [1, 5], [4, 0]] and mixed.dtype == np.uint16


def test_drums_have_no_room_and_stay():
    windows = np.full((2, 4, 1), 7, np.uint16)
    assert [room.tolist() for room in DRUMS.room(windows)] == [[0, 0], [0, 0]]
    np.testing.assert_array_equal(DRUMS.transpose(windows, np.zeros(2, np.int64)), windows)
