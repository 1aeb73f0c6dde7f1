"""Lines: Magenta's worked extractions and case 26, events by hand, round trips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvae.music.codec import GridNotes
from mvae.music.events import EVENTS
from mvae.music.line import HOLD, NOTE_OFF, LineCodec, is_monophonic

PAPER, MAGENTA = LineCodec(), LineCodec(21, 108)


def columns(tokens, dtype=int):
    return np.array(tokens, dtype)[..., None]


def encode(notes, length):
    start, end, pitch = zip(*notes, strict=True)
    kept = MAGENTA.voice(GridNotes.make(start, end, pitch))
    return MAGENTA.encode(kept, length)[:, 0].tolist()


def events(tokens):
    return [EVENTS[n] for n in PAPER.events(columns(tokens))]


def test_sizes_are_the_papers_and_magentas():
    assert PAPER.sizes == (130,) and MAGENTA.sizes == (90,)


def test_magentas_worked_melodies():
    overlap = [41, 0, 45, 0, 0, 0, 1, 0]  # an overlap cuts the earlier note
    assert encode([(0, 4, 60), (2, 6, 64)], 8) == overlap
    chord = [48, 1, 0, 0]  # the highest of a chord
    assert encode([(0, 4, 60), (0, 1, 67), (0, 4, 64)], 4) == chord
    assert encode([(0, 1, 60), (4, 6, 62)], 8) == [41, 1, 0, 0, 43, 0, 1, 0]
    assert encode([(0, 1, 60), (1, 2, 62)], 4) == [41, 43, 1, 0]


def test_what_begins_or_ends_behind_the_length_is_left_out():
    assert encode([(0, 4, 60), (5, 6, 64)], 4) == [41, 0, 0, 0]
    assert encode([(9, 10, 60)], 4) == [0, 0, 0, 0]


def test_of_notes_that_start_together_the_highest_is_kept_as_far_as_the_next():
    notes = GridNotes.make([4, 0, 0, 4], [6, 9, 2, 5], [50, 60, 64, 50], [1, 2, 3, 4])
    kept = PAPER.voice(notes)
    assert [c.tolist() for c in kept] == [[0, 4], [2, 6], [64, 50], [3, 1], [0, 0], [0, 0]]
    overlap = PAPER.voice(GridNotes.make([0, 3], [9, 5], [60, 62]))
    assert overlap.start.tolist() == [0, 3] and overlap.end.tolist() == [3, 5]


def test_it_expresses_its_range():
    assert MAGENTA.expresses(np.array([20, 21, 108, 109])).tolist() == [False, True, True, False]


def test_decoding_ignores_a_note_off_without_a_note():
    line = MAGENTA.decode(columns([0, 1, 41, 0, 41, 0, 1, 0]))
    rows = list(zip(line.start, line.end, line.pitch, strict=True))
    assert rows == [(2, 4, 60), (4, 6, 60)]


def test_monophony():
    assert is_monophonic(np.array([4, 0]), np.array([6, 4]))
    assert not is_monophonic(np.array([0, 3]), np.array([4, 6]))


@st.composite
def expressible(draw):
    """Token sequences that notes can express: a note-off only while a note sounds."""
    tokens, sounding = [], False
    for token in draw(st.lists(st.integers(0, 129), min_size=16, max_size=64)):
        token = HOLD if token == NOTE_OFF and not sounding else token
        sounding = token >= 2 or (sounding and token != NOTE_OFF)
        tokens.append(token)
    return columns(tokens)


@given(expressible())
def test_decode_then_encode_gives_the_same(tokens):
    encoded = PAPER.encode(PAPER.decode(tokens), len(tokens))
    assert encoded.dtype == np.uint16
    np.testing.assert_array_equal(encoded, tokens)


@pytest.mark.parametrize(
    'tokens, expected',
    [
        ([1, 0, 1, 50, 0, 1], [0, 0, 0, 50, 0, 1]),
        ([50, 1, 1, 0, 1, 51], [50, 1, 0, 0, 0, 51]),
        ([50, 51, 0, 1], [50, 51, 0, 1]),
        ([0, 0], [0, 0]),
    ],
)
def test_canonical_drops_note_offs_that_end_nothing(tokens, expected):
    given_tokens = columns(tokens, np.int32)
    result = PAPER.canonical(given_tokens)
    assert result[:, 0].tolist() == expected and result.dtype == np.int32
    assert given_tokens[:, 0].tolist() == tokens


def test_only_note_offs_before_the_first_note_become_holds():
    tokens = [[1, 0, 62, 0, 1, 0], [0, 1, 1, 0, 0, 0], [60, 1, 0, 1, 0, 0]]
    windows = columns(tokens, np.uint16)
    expected = [[0, 0, 62, 0, 1, 0], [0, 0, 0, 0, 0, 0], [60, 1, 0, 1, 0, 0]]
    cleaned = PAPER.clean(windows)
    np.testing.assert_array_equal(cleaned[..., 0], expected)
    assert cleaned.dtype == np.uint16 and windows[0, 0, 0] == NOTE_OFF


@given(st.lists(st.integers(0, 6), min_size=1, max_size=20))
def test_cleaning_equals_a_walk_along_the_window(tokens):
    expected, sounded = [], False
    for token in tokens:
        sounded |= token >= 2
        expected.append(HOLD if token == NOTE_OFF and not sounded else token)
    np.testing.assert_array_equal(PAPER.clean(columns([tokens]))[0, :, 0], expected)


def test_a_hold_sounds_and_a_rest_does_not():
    expected = ['rest', 'onset', 'hold', 'note_off', 'rest', 'onset', 'onset']
    assert events([0, 60, 0, 1, 0, 62, 63]) == expected


def test_a_note_off_without_a_note_leaves_a_rest():
    assert events([1, 0, 1, 0]) == ['note_off', 'rest', 'note_off', 'rest']


def test_events_of_every_row_are_its_own():
    both = PAPER.events(columns([[60, 0], [0, 0]]))
    assert [[EVENTS[n] for n in row] for row in both] == [['onset', 'hold'], ['rest', 'rest']]


def test_room_and_transposition_by_hand():
    tokens = [[0, 2, 1, 12], [0, 1, 0, 0], [91, 50, 1, 0], [89, 50, 1, 0]]
    windows = columns(tokens, np.uint16)
    down, up = PAPER.room(windows)
    assert down.tolist() == [0, 127, 48, 48] and up.tolist() == [117, 127, 38, 40]
    assert down.dtype == up.dtype == np.int64
    moved = PAPER.transpose(windows, np.array([117, 5, 38, -48]))
    expected = [[0, 119, 1, 129], [0, 1, 0, 0], [129, 88, 1, 0], [41, 2, 1, 0]]
    assert moved[..., 0].tolist() == expected and moved.dtype == np.uint16


@given(st.lists(st.integers(0, 89), min_size=4, max_size=12), st.floats(0, 1))
def test_a_transposed_line_stays_in_its_range_and_can_go_back(tokens, share):
    windows = columns([tokens], np.uint16)
    (down,), (up,) = MAGENTA.room(windows)
    shift = np.array([round(-down + share * (down + up))])
    moved = MAGENTA.transpose(windows, shift)
    assert moved.max() < MAGENTA.sizes[0]
    np.testing.assert_array_equal(moved < 2, windows < 2)
    np.testing.assert_array_equal(MAGENTA.transpose(moved, -shift), windows)
