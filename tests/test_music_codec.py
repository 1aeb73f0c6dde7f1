"""What every codec of the registry promises; those that write bars as events: test_music_band."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvae.music.codec import GridNotes
from mvae.music.events import REST
from mvae.music.forms import STREAMS
from mvae.music.notation import Notation

CODECS = list(
    dict.fromkeys(
        make(notation).codec
        for make in STREAMS.values()
        for notation in (Notation(), Notation(21, 108, 'old'), Notation(drum_map='roland'))
        if not make(notation).codec.ensemble
    )
)
every_codec = pytest.mark.parametrize('codec', CODECS, ids=str)


def test_columns_of_notes_have_one_length_and_dtype():
    notes = GridNotes.make([3, 1], np.array([4, 2], np.int16), 60)
    assert [c.tolist() for c in notes] == [
        *[[3, 1], [4, 2], [60, 60], [80, 80]],
        [0.0, 0.0],
        [0, 0],
    ]
    assert [c.dtype for c in notes] == [np.int64] * 4 + [np.float64, np.int64]
    chosen = notes.select(np.array([False, True]))
    assert [c.tolist() for c in chosen] == [[1], [2], [60], [80], [0.0], [0]]
    assert [len(c) for c in GridNotes.make([], [], [])] == [0] * 6


@every_codec
def test_zeros_say_that_nothing_happens(codec):
    columns = np.zeros((16, len(codec.sizes)), np.uint16)
    assert (codec.events(columns) == REST).all() and codec.events(columns).dtype == np.int8
    assert len(codec.decode(columns).start) == 0
    np.testing.assert_array_equal(codec.encode(GridNotes.make([], [], []), 16), columns)
    np.testing.assert_array_equal(codec.clean(columns[None])[0], columns)


@every_codec
def test_a_codec_is_a_value_that_json_can_tell(codec):
    assert hash(codec) == hash(dataclasses.replace(codec))
    assert type(codec)(**dataclasses.asdict(codec)) == codec


@st.composite
def music(draw):
    """A codec, and notes in any order that it expresses."""
    codec = draw(st.sampled_from(CODECS))
    pitches = np.flatnonzero(codec.expresses(np.arange(128))).tolist()
    note = st.tuples(
        *(st.integers(0, 40), st.integers(1, 20), st.sampled_from(pitches), st.integers(1, 127)),
        st.floats(-0.5, 0.499),
    )
    notes = draw(st.lists(note, min_size=1, max_size=30))
    start, length, pitch, velocity, late = (np.array(own) for own in zip(*notes, strict=True))
    late = np.maximum(late, -start)  # music begins at 0
    return codec, GridNotes.make(start, start + length, pitch, velocity, late)


@given(music(), st.sampled_from([1, 17, 32, 64]))
def test_encoded_notes_are_canonical_columns_of_the_right_sizes(case, length):
    codec, notes = case
    kept = codec.voice(notes)
    assert (np.diff(kept.start) >= 0).all() and (kept.end > kept.start).all()
    columns = codec.encode(kept, length)
    assert columns.shape == (length, len(codec.sizes)) and columns.dtype == np.uint16
    assert (columns < np.array(codec.sizes)).all()
    np.testing.assert_array_equal(codec.canonical(columns), columns)
    np.testing.assert_array_equal(codec.encode(codec.decode(columns), length), columns)
    # What is encoded in a longer row is the same music, cut.
    np.testing.assert_array_equal(codec.encode(kept, length + 8)[:length], columns)
    if not codec.polyphonic:
        assert (kept.end[:-1] <= kept.start[1:]).all()


@given(music(), st.integers(0, 3))
def test_clean_windows_stay_clean_and_keep_their_notes(case, bar):
    codec, notes = case
    window = codec.encode(codec.voice(notes), 64)[16 * bar :][None]
    cleaned = codec.clean(window)
    assert cleaned.dtype == window.dtype
    np.testing.assert_array_equal(codec.clean(cleaned), cleaned)
    for a, b in zip(codec.decode(cleaned[0]), codec.decode(window[0]), strict=True):
        np.testing.assert_array_equal(a, b)


@given(music(), st.floats(0, 1), st.data())
def test_transposition_and_dropping_stay_inside(case, share, data):
    codec, notes = case
    windows = codec.encode(codec.voice(notes), 64)[None]
    down, up = codec.room(windows)
    assert down.dtype == up.dtype == np.int64 and (down >= 0).all() and (up >= 0).all()
    moved = codec.transpose(windows, np.floor(-down + share * (down + up)).astype(np.int64))
    assert moved.dtype == np.uint16 and (moved < np.array(codec.sizes)).all()
    np.testing.assert_array_equal(codec.events(moved), codec.events(windows))
    kept = data.draw(st.lists(st.booleans(), min_size=codec.droppable, max_size=codec.droppable))
    left = codec.drop(windows, np.array([kept], bool))
    assert left.any() == windows.any() and left.dtype == np.uint16
    mixed = codec.mix(windows, moved, ~np.array([kept], bool))
    assert mixed.any() == windows.any() and (mixed < np.array(codec.sizes)).all()
