"""Pieces to notes: Magenta's cases 7, 11, 14 and 26 (one step per quarter: half a second at 120);
what a form checks, and what it must share.
"""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvae.errors import InputError
from mvae.music.form import differences
from mvae.music.forms import FORMS, GRIDS, make_form
from mvae.music.notation import Notation

MAGENTA = Notation(21, 108)
QUARTERS = Notation(21, 108, steps_per_quarter=1)
TRIO = make_form('trio', 2)
# Others write bars as events: test_music_band.
ON_STEPS = [name for name in FORMS if name not in GRIDS]


def rows(notes, *names):
    return list(zip(*(getattr(notes, name).tolist() for name in names), strict=True))


def write(tokens, name, **options):
    piece = np.array(tokens).T if name == 'trio' else np.array(tokens)[:, None]
    return make_form(name, 2, QUARTERS).write(piece, **options)


def test_case_7_melody():
    notes = write([0, 0, 13, 0, 1, 0, 14, 0, 0, 0, 0, 15, 0, 1, 0, 0], 'melody')
    assert rows(notes, 'pitch', 'start', 'end') == [(32, 1.0, 2.0), (33, 3.0, 5.5), (34, 5.5, 6.5)]
    assert rows(notes, 'velocity', 'program', 'is_drum', 'track') == [(80, 0, False, 0)] * 3


def test_case_11_drums():
    notes = write([0, 2, 0, 0, 160, 0, 0, 256], 'drums')
    assert rows(notes, 'pitch', 'start', 'end') == [
        (38, 0.5, 1.0),
        (48, 2.0, 2.5),
        (49, 2.0, 2.5),
        (51, 3.5, 4.0),
    ]
    assert rows(notes, 'velocity', 'is_drum', 'track') == [(80, True, 9)] * 4


def test_case_14_trio():
    tokens = [[0, 0, 0, 0, 33, 0, 0, 0], [0, 0, 31, 0, 0, 1, 0, 0], [1, 0, 0, 0, 2, 0, 0, 0]]
    notes = write(tokens, 'trio')
    assert rows(notes, 'pitch', 'track', 'program', 'is_drum', 'start', 'end') == [
        (52, 0, 0, False, 2.0, 4.0),
        (50, 1, 33, False, 1.0, 2.5),
        (36, 9, 0, True, 0.0, 0.5),
        (38, 9, 0, True, 2.0, 2.5),
    ]
    assert rows(notes, 'velocity') == [(80,)] * 4


def test_case_26_leading_note_off_and_all_drums():
    notes = write([0, 1, 41, 0, 41, 0, 1, 0], 'melody')
    assert rows(notes, 'pitch', 'start', 'end') == [(60, 1.0, 2.0), (60, 2.0, 3.0)]
    assert write([511], 'drums').pitch.tolist() == [36, 38, 42, 46, 45, 48, 50, 49, 51]


def test_bass_is_on_a_track_of_its_own():
    notes = make_form('bass', 2).write(np.array([[2], [0], [1], [0]]), qpm=60.0)
    assert rows(notes, 'pitch', 'start', 'end', 'program', 'track') == [(0, 0.0, 0.5, 33, 1)]


def test_nothing_gives_no_notes():
    assert len(TRIO.write(np.zeros((0, 3), int))) == len(TRIO.write(np.zeros((32, 3), int))) == 0


@pytest.mark.parametrize('steps_per_quarter, qpm, seconds', [(1, 60, 1.0), (4, 120, 0.125)])
def test_steps_in_seconds(steps_per_quarter, qpm, seconds):
    form = make_form('melody', 2, Notation(steps_per_quarter=steps_per_quarter))
    assert form.seconds(1, qpm) == seconds and form.seconds(form.steps, qpm) == seconds * form.steps


@pytest.mark.parametrize(
    'piece, name, message',
    [
        (np.zeros((4, 2), int), 'trio', r'integers of shape \[B, 4, 3\], these are int64'),
        (np.zeros((4, 1)), 'melody', 'float64'),
        (np.zeros(4, int), 'melody', r'a piece of melody is of shape \[T, 1\]'),
        (np.zeros((1, 4, 1), int), 'melody', r'\[T, 1\]'),
        (np.array([[0], [130]]), 'melody', r'melody tokens lie in 0\.\.129, these in 0\.\.130'),
        (np.array([[-1], [5]]), 'drums', r'drums tokens lie in 0\.\.511, these in -1\.\.5'),
    ],
)
def test_foreign_pieces_are_not_written(piece, name, message):
    with pytest.raises(InputError, match=message):
        make_form(name, 2).write(piece)


def test_check_takes_integers_of_the_right_shape_and_range():
    pieces = np.zeros((5, 32, 3), np.uint16)
    pieces[4, 31] = 129, 129, 511
    checked = TRIO.check(pieces)
    assert checked.dtype == np.int32
    np.testing.assert_array_equal(checked, pieces)
    assert TRIO.check(pieces.tolist()).shape == (5, 32, 3)
    assert TRIO.check(pieces[:, :7], 7).shape == (5, 7, 3)


@pytest.mark.parametrize(
    'pieces, message',
    [
        (np.zeros((0, 32, 3), int), r'of shape \[B, 32, 3\], these are int64 \[0, 32, 3\]'),
        (np.zeros((2, 16, 3), int), r'these are int64 \[2, 16, 3\]'),
        (np.zeros((2, 32, 1), int), r'these are int64 \[2, 32, 1\]'),
        (np.zeros((32, 3), int), r'these are int64 \[32, 3\]'),
        (5, r'these are int64 \[\]'),
        (np.zeros((2, 32, 3), bool), 'these are bool'),
        (np.full((2, 32, 3), 130), r'melody tokens lie in 0\.\.129, these in 130\.\.130'),
        (np.tile([0, 130, 0], (2, 32, 1)), r'bass tokens lie in 0\.\.129'),
        (np.tile([0, 0, 512], (2, 32, 1)), r'drums tokens lie in 0\.\.511, these in 512\.\.512'),
        ([[[1], [2, 3]]], 'tokens of trio lie in rows of unequal length'),
        ('music', 'tokens of trio'),
    ],
)
def test_check_says_what_is_wrong(pieces, message):
    with pytest.raises(InputError, match=message) as error:
        TRIO.check(pieces)
    assert '\n' not in str(error.value)


@given(st.lists(st.integers(0, 4), min_size=0, max_size=3), st.sampled_from(list(FORMS)))
def test_split_and_join_are_inverse(lead, name):
    form = make_form(name, 1)
    shape = (*lead, len(form.sizes))
    pieces = np.arange(np.prod(shape, dtype=int), dtype=np.int32).reshape(shape)
    parts = form.split_parts(pieces)
    assert len(parts) == len(form.parts)
    for own, part in zip(parts, form.parts, strict=True):
        assert own.shape == (*lead, len(part.codec.sizes))
    joined = form.join(parts)
    assert joined.dtype == np.int32
    np.testing.assert_array_equal(joined, pieces)
    streams, told = form.split(joined), form.told(joined)
    assert (len(streams), len(told)) == (len(form.streams), len(form.conditions))
    for own, again in zip(parts, streams + told, strict=True):
        np.testing.assert_array_equal(own, again)


def test_layout_is_what_a_model_needs():
    assert TRIO.layout == (
        ('categorical', (130,)),
        ('categorical', (130,)),
        ('drum_roll', (512,)),
    )


def test_clean_drops_leading_note_offs_of_lines_alone():
    window = np.array([[[1, 0, 1], [1, 1, 1], [60, 0, 0], [1, 1, 2]]], np.int32)
    expected = [[0, 0, 1], [0, 0, 1], [60, 0, 0], [1, 0, 2]]
    cleaned = TRIO.clean(window)
    assert cleaned[0].tolist() == expected and cleaned.dtype == np.int32


def test_canonical_knows_drums_from_lines():
    tokens = np.array([1, 0, 1, 50, 0, 1], np.int32)[:, None]
    assert make_form('melody', 2).canonical(tokens)[:, 0].tolist() == [0, 0, 0, 50, 0, 1]
    np.testing.assert_array_equal(make_form('drums', 2).canonical(tokens), tokens)


@st.composite
def pieces(draw):
    """A form, and any piece [T, K] of it, where events are as frequent as holds."""
    notation = draw(st.sampled_from([Notation(), MAGENTA, Notation(drum_map='old')]))
    form = make_form(draw(st.sampled_from(ON_STEPS)), 1, notation)
    steps = draw(st.integers(1, 40))
    columns = [
        draw(
            st.lists(
                st.one_of(st.integers(0, 1), st.integers(0, size - 1)),
                min_size=steps,
                max_size=steps,
            )
        )
        for size in form.sizes
    ]
    return form, np.array(columns).T


@given(pieces())
def test_canonical_sounds_the_same_and_is_its_own_canonical(case):
    form, piece = case
    once = form.canonical(piece)
    assert once.dtype == piece.dtype
    np.testing.assert_array_equal(form.canonical(once), once)
    names = ('start', 'end', 'pitch', 'track')
    # A note-off that ends nothing may still stand between two notes; it moves neither.
    assert rows(form.write(piece), *names) == rows(form.write(once), *names)


def test_the_fingerprint_is_json_and_leaves_the_length_out():
    mark = TRIO.fingerprint()
    assert mark == json.loads(json.dumps(mark)) == make_form('trio', 7).fingerprint()
    assert mark['form'] == 'trio' and mark['steps_per_bar'] == 16 and mark['conditions'] == []
    line = {'codec': 'LineCodec', 'min_pitch': 0, 'max_pitch': 127}
    drums = {'codec': 'DrumCodec', 'drum_map': 'current'}
    assert mark['streams'] == {'melody': line, 'bass': line, 'drums': drums}


def fingerprint(name='trio', **notation):
    return make_form(name, 2, Notation(**notation)).fingerprint()


def test_what_a_form_does_not_use_is_no_difference():
    assert fingerprint('melody') == fingerprint('melody', drum_map='old')
    assert fingerprint('drums') == fingerprint('drums', min_pitch=21, max_pitch=108)


@pytest.mark.parametrize(
    'mine, other, words',
    [
        (fingerprint(), fingerprint(), ''),
        (fingerprint(), fingerprint(steps_per_quarter=2), 'steps_per_bar 16 instead of 8'),
        (
            fingerprint(),
            fingerprint(min_pitch=21, drum_map='old'),
            'streams: melody: min_pitch 0 instead of 21, bass: min_pitch 0 instead of 21, '
            'drums: drum_map current instead of old',
        ),
        ({'a': 1}, {'b': 2}, 'a 1 instead of None, b None instead of 2'),
    ],
)
def test_differences_in_words(mine, other, words):
    assert differences(mine, other) == words


def test_forms_of_other_streams_differ():
    assert 'form melody instead of bass' in differences(fingerprint('melody'), fingerprint('bass'))
