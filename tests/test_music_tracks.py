"""Lines and drums: Magenta's worked extractions (magenta.md 4.3, 4.4, case 26), the drum maps,
round trips, quantisation and cuts.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvae.music import drums, melody
from mvae.music.notes import Notes, Score
from mvae.music.pieces import split_pieces
from mvae.music.reasons import Reason
from mvae.music.vocabulary import HOLD, NOTE_OFF, Vocabulary

MAGENTA = Vocabulary(21, 108)


def _encode(notes, length):
    start, end, pitch = (np.array(c) for c in zip(*notes, strict=True))
    return melody.encode_line(melody.take_line(start, end, pitch), length, MAGENTA).tolist()


def test_magentas_worked_melodies():
    assert _encode([(0, 4, 60), (2, 6, 64)], 8) == [
        41,
        0,
        45,
        0,
        0,
        0,
        1,
        0,
    ]  # an overlap cuts the earlier note
    assert _encode([(0, 4, 60), (0, 1, 67), (0, 4, 64)], 4) == [
        48,
        1,
        0,
        0,
    ]  # the highest of a chord
    assert _encode([(0, 1, 60), (4, 6, 62)], 8) == [41, 1, 0, 0, 43, 0, 1, 0]
    assert _encode([(0, 1, 60), (1, 2, 62)], 4) == [41, 43, 1, 0]


def test_decoding_a_line_ignores_a_note_off_without_a_note():
    line = melody.decode_line(np.array([0, 1, 41, 0, 41, 0, 1, 0]), MAGENTA)
    assert list(zip(line.start, line.end, line.pitch, strict=True)) == [(2, 4, 60), (4, 6, 60)]


def test_monophony():
    assert melody.is_monophonic(np.array([4, 0]), np.array([6, 4]))
    assert not melody.is_monophonic(np.array([0, 3]), np.array([4, 6]))


@st.composite
def expressible(draw):
    """Token sequences that notes can express: a note-off only while a note sounds."""
    tokens, sounding = [], False
    for token in draw(st.lists(st.integers(0, 129), min_size=16, max_size=64)):
        token = HOLD if token == NOTE_OFF and not sounding else token
        sounding = token >= 2 or (sounding and token != NOTE_OFF)
        tokens.append(token)
    return np.array(tokens)


@given(expressible())
def test_decode_then_encode_gives_the_same_melody(tokens):
    vocabulary = Vocabulary()
    np.testing.assert_array_equal(
        melody.encode_line(melody.decode_line(tokens, vocabulary), len(tokens), vocabulary), tokens
    )


@given(st.lists(st.integers(0, 511), min_size=1, max_size=64), st.sampled_from(['current', 'old']))
def test_decode_then_encode_gives_the_same_drums(tokens, drum_map):
    tokens = np.array(tokens)
    steps, pitches = drums.decode_drums(tokens)
    np.testing.assert_array_equal(
        drums.encode_drums(steps, pitches, len(tokens), Vocabulary(drum_map=drum_map)), tokens
    )


def test_all_classes_sound_as_magentas_exemplars():
    assert drums.decode_drums(np.array([511]))[1].tolist() == [36, 38, 42, 46, 45, 48, 50, 49, 51]


def test_magentas_drum_fixture():
    """Case 8 of magenta.md 6.A, first track: steps of a quarter, 8 steps."""
    start, pitch = np.array([0, 1, 4, 1]), np.array([35, 44, 40, 35])
    assert drums.encode_drums(start, pitch, 8, Vocabulary()).tolist() == [1, 5, 0, 0, 2, 0, 0, 0]


def test_the_maps_differ_where_magenta_changed_them():
    new, old = Vocabulary().drum_classes(), Vocabulary(drum_map='old').drum_classes()
    assert np.flatnonzero(new != old).tolist() == [22, 26, 43, 52]
    assert old[[22, 26, 43, 52]].tolist() == [-1, -1, 6, 8]
    assert (new >= 0).sum() == 63 and (old >= 0).sum() == 61


def _score(starts, ends, tempos=((0.0, 120.0),), meters=((0.0, 4, 4),)):
    n = len(starts)
    same = lambda value, dtype: np.full(n, value, dtype)  # noqa: E731
    notes = Notes(np.array(starts, float), np.array(ends, float), same(60, np.int16), same(80, np.int16), same(0, np.int16),
                  same(False, bool), same(0, np.int32))  # fmt: skip
    return Score(
        notes,
        *(np.array(c) for c in zip(*tempos, strict=True)),
        *(np.array(c) for c in zip(*meters, strict=True)),
    )


def test_quantisation_rounds_ties_up():
    pieces, _ = split_pieces(_score([0.0624, 0.0625, 0.1874, 0.1875, 0.3125], [2.0] * 5))
    assert pieces[0].start.tolist() == [0, 1, 1, 2, 3]  # magenta.md 4.2
    short, _ = split_pieces(_score([0.0], [0.01]))
    assert short[0].end.tolist() == [1]


def test_cuts_at_tempo_and_meter_changes():
    score = _score([0.0, 1.9, 2.5], [0.5, 3.0, 3.0], tempos=((0.0, 120.0), (2.0, 60.0)))
    (first, second), reasons = split_pieces(score)
    assert first.start.tolist() == [0, 15] and first.end.tolist() == [
        4,
        16,
    ]  # the held note ends with its piece
    assert second.start.tolist() == [2] and second.qpm == 60 and reasons == []
    repeated, _ = split_pieces(_score([0.0, 2.5], [1.0, 3.0], tempos=((0.0, 120.0), (2.0, 120.0))))
    assert len(repeated) == 1


@pytest.mark.parametrize(
    'meter, passes',
    [
        ((4, 4), True),
        ((2, 2), True),
        ((8, 8), True),
        ((3, 4), False),
        ((6, 8), False),
        ((2, 4), False),
    ],
)
def test_bars_of_four_quarters_pass(meter, passes):
    pieces, reasons = split_pieces(_score([0.0], [1.0], meters=((0.0, *meter),)))
    assert (len(pieces), reasons) == ((1, []) if passes else (0, [Reason.WRONG_METER]))
