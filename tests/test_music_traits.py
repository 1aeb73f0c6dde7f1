"""Traits of pieces, and the keys that they lie in."""

import numpy as np
import pytest

from mvae.errors import InputError
from mvae.music import traits
from mvae.music.forms import make_form
from mvae.music.line import FIRST_NOTE_ON
from mvae.music.notation import Notation

C_MAJOR = [0, 2, 4, 5, 7, 9, 11]


def _sounding(row):
    return np.flatnonzero(row > 0).tolist()


def _scale(classes):
    return np.isin(np.arange(12), classes)


def test_traits_are_pitch_classes_onsets_of_both_halves_and_mean_pitches():
    form = make_form('trio', 2, Notation())
    pieces = np.zeros((2, form.steps, 3), np.int64)
    low = Notation().min_pitch
    pieces[0, 0, 0] = FIRST_NOTE_ON + 60 - low  # melody: C
    pieces[0, 9, 0] = FIRST_NOTE_ON + 74 - low  # D
    pieces[0, 20, 0] = FIRST_NOTE_ON + 64 - low  # E, in the second bar
    pieces[0, 3, 1] = FIRST_NOTE_ON + 43 - low  # bass: G
    pieces[1, 16:, 2] = 5  # drums: two together in the second bar, 16 times
    found = traits.traits(pieces, form)
    assert found.dtype == np.float32 and found.shape == (2, traits.count(form)) == (2, 20)
    assert [_sounding(row[:12]) for row in found] == [[0, 2, 4, 7], []]
    assert set(np.unique(found[:, :12])) == {-1, 1}
    two, one, no, many = np.log2([3, 2, 1, 17]) - 2
    melody, bass = [two, one, 0.5], [one, no, -17 / 12]
    np.testing.assert_allclose(found[0, 12:], [*melody, *bass, no, no], rtol=1e-6)
    np.testing.assert_allclose(found[1, 12:], [no, no, 0, no, no, 0, no, many], rtol=1e-6)


def test_music_without_pitches_has_onsets_alone():
    form = make_form('drums', 2, Notation())
    assert (traits.classes(form), traits.count(form)) == (0, 2)
    assert traits.traits(np.ones((4, form.steps, 1), np.int64), form).shape == (4, 2)


@pytest.mark.parametrize(
    'key, classes',
    [
        ('C', C_MAJOR),
        ('C major', C_MAJOR),
        ('A minor', C_MAJOR),
        ('Am', C_MAJOR),
        ('G', [0, 2, 4, 6, 7, 9, 11]),
        ('Bb minor', [0, 1, 3, 5, 6, 8, 10]),
        ('F#', [1, 3, 5, 6, 8, 10, 11]),
        ('B minor', [1, 2, 4, 6, 7, 9, 11]),
    ],
)
def test_a_key_has_the_notes_of_its_scale(key, classes):
    up = traits.key_number(key)
    assert sorted((pitch + up) % 12 for pitch in C_MAJOR) == classes


@pytest.mark.parametrize('key', ['', 'H', 'D dorian', '7', 'C G'])
def test_what_is_no_key_is_said(key):
    with pytest.raises(InputError, match='is no key; give one such as'):
        traits.key_number(key)


def test_what_sounds_is_moved_into_c_major_or_it_is_said_that_nothing_does_it():
    rows = [[0, 4, 7], [1, 5, 8], [0, 1, 2], [], [0, 2, 4, 5, 7, 9, 11], [11, 1, 3, 4, 6, 8, 10]]
    told = np.where([_scale(row) for row in rows], 1.0, -1.0)
    told = np.concatenate([told, np.arange(6)[:, None]], 1)
    found, up = traits.into_c(told)
    assert up.tolist() == [0, 4, -1, 0, 0, 1]
    np.testing.assert_array_equal(found[:, 12:], told[:, 12:])
    for row, own, n in zip(rows, found, up.tolist(), strict=True):
        moved = sorted((pitch + n) % 12 for pitch in row)
        assert n < 0 or (moved == _sounding(own[:12]) and set(moved) <= set(C_MAJOR))
    again = traits.move(found, (12 - up) % 12 * (up >= 0))
    np.testing.assert_array_equal(again[up >= 0], told[up >= 0])


@pytest.mark.parametrize(
    'chords, key',
    [
        ('C G Am F', 0),
        ('Eb', 3),  # which is in B flat and A flat major too
        ('D A Bm G', 2),
        ('Am E Am E', 0),  # most of A harmonic minor
        ('N.C.', -1),
    ],
)
def test_chords_have_a_key(chords, key):
    form = make_form('lead', 2, Notation())
    found = traits.keys_of(form, [form.tell({'chords': chords})[0][None]])
    assert found.tolist() == [key]


def test_music_that_is_told_nothing_with_pitches_has_no_keys():
    form = make_form('groove_of_hits', 2, Notation())
    hits = np.ones((3, form.steps, 9), np.int64)
    assert traits.keys_of(form, [hits]) is None
    assert traits.keys_of(make_form('melody', 2, Notation()), []) is None
