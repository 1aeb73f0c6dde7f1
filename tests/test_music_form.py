"""Tokens to notes: Magenta's cases 7, 11, 14 and 26 (one step per quarter: half a second at 120),
and what notes can express.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvae.errors import InputError
from mvae.music.codec import canonical, decode
from mvae.music.vocabulary import KINDS, Vocabulary

MAGENTA = Vocabulary(21, 108)


def rows(notes, *names):
    return list(zip(*(getattr(notes, name).tolist() for name in names), strict=True))


def test_case_7_melody():
    tokens = [0, 0, 13, 0, 1, 0, 14, 0, 0, 0, 0, 15, 0, 1, 0, 0]
    notes = decode(np.array(tokens), 'melody', MAGENTA, steps_per_quarter=1)
    assert rows(notes, 'pitch', 'start', 'end') == [(32, 1.0, 2.0), (33, 3.0, 5.5), (34, 5.5, 6.5)]
    assert rows(notes, 'velocity', 'program', 'is_drum', 'track') == [(80, 0, False, 0)] * 3


def test_case_11_drums():
    notes = decode(np.array([0, 2, 0, 0, 160, 0, 0, 256]), 'drums', MAGENTA, steps_per_quarter=1)
    assert rows(notes, 'pitch', 'start', 'end') == [
        (38, 0.5, 1.0),
        (48, 2.0, 2.5),
        (49, 2.0, 2.5),
        (51, 3.5, 4.0),
    ]
    assert rows(notes, 'velocity', 'is_drum', 'track') == [(80, True, 9)] * 4


def test_case_14_trio():
    tokens = np.array(
        [[0, 0, 0, 0, 33, 0, 0, 0], [0, 0, 31, 0, 0, 1, 0, 0], [1, 0, 0, 0, 2, 0, 0, 0]]
    ).T
    notes = decode(tokens, 'trio', MAGENTA, steps_per_quarter=1)
    assert rows(notes, 'pitch', 'track', 'program', 'is_drum', 'start', 'end') == [
        (52, 0, 0, False, 2.0, 4.0),
        (50, 1, 33, False, 1.0, 2.5),
        (36, 9, 0, True, 0.0, 0.5),
        (38, 9, 0, True, 2.0, 2.5),
    ]
    assert rows(notes, 'velocity') == [(80,)] * 4


def test_case_26_leading_note_off_and_all_drums():
    notes = decode(np.array([0, 1, 41, 0, 41, 0, 1, 0]), 'melody', MAGENTA, steps_per_quarter=1)
    assert rows(notes, 'pitch', 'start', 'end') == [(60, 1.0, 2.0), (60, 2.0, 3.0)]
    assert decode(np.array([511]), 'drums', MAGENTA).pitch.tolist() == [
        36,
        38,
        42,
        46,
        45,
        48,
        50,
        49,
        51,
    ]


def test_bass_is_on_a_track_of_its_own():
    notes = decode(np.array([[2], [0], [1], [0]]), 'bass', Vocabulary(), qpm=60.0)
    assert rows(notes, 'pitch', 'start', 'end', 'program', 'track') == [(0, 0.0, 0.5, 33, 1)]


@pytest.mark.parametrize(
    'tokens, kind, message',
    [
        (np.zeros((4, 2), int), 'trio', r'\[T, 3\]'),
        (np.zeros((4, 1)), 'melody', 'float64'),
        (np.array([0, 130]), 'melody', r'0\.\.129'),
        (np.array([-1, 5]), 'drums', r'-1\.\.5'),
    ],
)
def test_foreign_tokens_are_refused(tokens, kind, message):
    with pytest.raises(InputError, match=message):
        decode(tokens, kind, Vocabulary())


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
    given_tokens = np.array(tokens, np.int32)
    result = canonical(given_tokens, 'melody')
    assert (
        result.tolist() == expected and result.dtype == np.int32 and given_tokens.tolist() == tokens
    )
    assert canonical(given_tokens, 'drums').tolist() == tokens  # there a 1 is a kick


@st.composite
def token_sequences(draw):
    """Kind, vocabulary and any tokens [T, K] of it, where events are as frequent as holds."""
    kind = draw(st.sampled_from(KINDS))
    vocabulary = draw(st.sampled_from([Vocabulary(), MAGENTA, Vocabulary(drum_map='old')]))
    steps = draw(st.integers(1, 40))
    columns = [
        draw(
            st.lists(
                st.one_of(st.integers(0, 1), st.integers(0, size - 1)),
                min_size=steps,
                max_size=steps,
            )
        )
        for size in vocabulary.sizes(kind)
    ]
    return kind, vocabulary, np.array(columns).T


@given(token_sequences())
def test_canonical_sounds_the_same_and_is_its_own_canonical(case):
    kind, vocabulary, tokens = case
    once = canonical(tokens, kind)
    np.testing.assert_array_equal(canonical(once, kind), once)
    before, after = decode(tokens, kind, vocabulary), decode(once, kind, vocabulary)
    names = ('start', 'end', 'pitch', 'track')
    # A note-off that ends nothing may still stand between two notes; it moves neither.
    assert rows(before, *names) == rows(after, *names)
