"""Chord symbols, the column of triads, and chords that notes imply."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvae.errors import InputError
from mvae.music.chords import ChordCodec
from mvae.music.forms import make_form
from mvae.music.harmony import infer
from mvae.music.midi import from_note_sequence, read_midi, to_note_sequence, write_midi
from mvae.music.notes import Notes, Score
from mvae.music.symbols import TRIADS, are_symbols, name_of, parse_progression, triad_of

CODEC, LEAD = ChordCodec(), make_form('lead', 2)


@pytest.mark.parametrize(
    'symbol, triad',
    [
        *[('C', 1), ('Cmaj7', 1), ('G7', 8), ('F', 6), ('Bb7', 11), ('Am', 22), ('Caug', 25)],
        *[('F#m7b5', 43), ('Bdim', 48), ('N.C.', 0), ('Am7/G', 22), ('E♭', 4), ('C-7', 13)],
        *[('CΔ', 1), ('C#°7', 38), ('Cm(maj7)', 13), ('Csus4', 0), ('C5', 0), ('Eb+', 28)],
        *[('Verse', None), ('A Tempo', None), ('Fine', None), ('c', None), ('', None), ('H', None)],
    ],
)
def test_symbols_are_triads(symbol, triad):
    assert triad_of(symbol) == triad


def test_note_seq_reads_symbols_alike():
    """On roots and kinds that both know; sus and power chords are no triad to either."""
    from note_seq import chord_symbols_lib as theirs

    kinds = ' m 7 m7 maj7 6 m6 9 dim dim7 aug aug7 m7b5 sus sus4 5 add9 m9 13 7(b9)'.split(' ')
    for root in ('C', 'C#', 'Db', 'D', 'Eb', 'E', 'F', 'F#', 'Gb', 'G', 'Ab', 'A', 'Bb', 'B', 'Cb'):
        for kind in kinds:
            for bass in ('', '/E', '/Bb'):
                figure = root + kind + bass
                quality = theirs.chord_symbol_quality(figure)
                known = 1 + 12 * quality + theirs.chord_symbol_root(figure)
                assert triad_of(figure) == (0 if quality == 4 else known), figure


def test_names_are_read_as_what_they_name():
    assert [triad_of(name_of(triad)) for triad in range(TRIADS)] == list(range(TRIADS))
    with pytest.raises(InputError, match='triads are numbered 0 to 48'):
        name_of(TRIADS)


@pytest.mark.parametrize(
    'texts, are',
    [
        (['C', 'Am', 'F', 'G7'], True),
        (['Intro', 'C', 'Am', 'F', 'G7'], True),
        (['A', 'B', 'C'], False),  # rehearsal marks
        (['A', 'B', 'A', 'B'], True),  # nobody marks two places alike
        (['Verse', 'Chorus', 'A', 'Bridge'], False),
        (['C'], False),
        ([], False),
    ],
)
def test_which_texts_are_chords(texts, are):
    assert are_symbols(texts) is are


def test_a_progression_has_a_chord_for_each_bar_or_several():
    assert parse_progression('C G Am F') == [[1], [8], [22], [6]]
    assert parse_progression('C G | Am . F . |') == [[1, 8], [22, 22, 6, 6]]
    assert CODEC.parse('C | F G', 4, 12)[:, 0].tolist() == [1, 1, 1, 1, 6, 6, 8, 8, 1, 1, 1, 1]
    for text, words in (('C Q', "'Q' is no chord"), ('  ', 'no chords'), ('C F G | C', 'share')):
        with pytest.raises(InputError, match=words):
            CODEC.parse(text, 16, 32)


columns = st.lists(st.integers(0, TRIADS - 1), min_size=1, max_size=12).map(
    lambda chords: np.repeat(np.array(chords, np.int32), 3)[:, None]
)


@given(columns)
def test_columns_and_their_notes_say_the_same(column):
    notes = CODEC.decode(column)
    np.testing.assert_array_equal(CODEC.encode(CODEC.voice(notes), len(column)), column)
    assert CODEC.canonical(column) is column


@given(columns, st.integers(-12, 12))
def test_chords_move_with_the_music(column, shift):
    windows = column[None].astype(np.uint16)
    moved = CODEC.transpose(windows, np.array([shift]))
    before, after = (CODEC.decode(x[0]) for x in (windows, moved))
    assert ((before.pitch + shift) % 12).tolist() == (after.pitch % 12).tolist()
    np.testing.assert_array_equal(CODEC.transpose(moved, np.array([-shift])), windows)


def test_chords_are_heard_in_what_sounds():
    """I, IV, V, I of C, as blocks of a bar, and a melody over them; half a bar at a time."""
    chords = [(60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67)]
    pitch = np.array(chords).ravel()
    start = np.repeat(np.arange(4) * 16, 3)
    found = infer(start, start + 16, pitch, 8)
    assert [name_of(triad) for triad in found] == ['C', 'C', 'F', 'F', 'G', 'G', 'C', 'C']
    up = infer(start, start + 16, pitch + 3, 8)
    assert [name_of(triad) for triad in up[::2]] == ['Eb', 'Ab', 'Bb', 'Eb']


def _score(symbols):
    notes = Notes.make([0, 1, 2, 3], [1, 2, 3, 4], [60, 64, 65, 67], 80, 0, False, 0)
    return read_midi(write_midi(notes, symbols=symbols))


def test_symbols_of_a_file_come_before_what_its_notes_imply():
    named, note = LEAD.read(_score([(0.5, 'Am'), (2.0, 'F'), (3.0, 'F#')]))
    assert 'chords by symbols in the file' in note
    # Nothing is said before the first of them. Two bars at 120: 8 steps a second.
    assert LEAD.symbols(named) == [(4, 'Am'), (16, 'F'), (24, 'F#')]
    implied, note = LEAD.read(_score([]))
    assert 'chords by what sounds' in note and implied[:, 1].all()
    np.testing.assert_array_equal(named[:, 0], implied[:, 0])


def test_chords_are_written_and_read_again():
    melody, told = LEAD.split(LEAD.read(_score([]))[0]), LEAD.tell({'chords': 'C . Bdim . | Eb'})
    piece = LEAD.join(melody + told)
    notes, symbols = LEAD.write(piece, 90.0), LEAD.timed_symbols(piece, 90.0)
    for score in (
        read_midi(write_midi(notes, 90.0, symbols=symbols)),
        from_note_sequence(to_note_sequence(notes, 90.0, symbols=symbols)),
    ):
        np.testing.assert_array_equal(LEAD.read(score)[0], piece)


def test_symbols_hold_over_a_change_of_meter():
    """A section begins with the chord that holds there, whatever bar it began in."""
    from mvae.music.sections import split_sections

    notes = Notes.make([0, 1.9, 2.1, 5], [1, 2, 3, 6], 60, 80, 0, False, 0)
    score = Score(
        notes, [], [], [0, 2.0, 3.5], [4, 3, 4], [4, 4, 4],
        chord_times=[0.0, 1.75, 4.0], triads=[1, 6, 8],
    )  # fmt: skip
    first, last = split_sections(score)[0]
    assert first.chord_start.tolist() == [0, 14] and first.triads.tolist() == [1, 6]
    assert last.chord_start.tolist() == [0, 4] and last.triads.tolist() == [6, 8]


def test_what_a_form_is_told_is_checked():
    assert [x.shape for x in LEAD.tell({})] == [(32, 1)] and not LEAD.tell({})[0].any()
    with pytest.raises(InputError, match='not told keys; it is told chords'):
        LEAD.tell({'keys': 'C'})
    with pytest.raises(InputError, match='melody is not told chords; it is told nothing'):
        make_form('melody', 2).tell({'chords': 'C'})
    for wrong in (np.full((32, 1), 49), np.full((32, 1), -1), np.zeros((31, 1), int), [[0.5]]):
        with pytest.raises(InputError, match='chords are integers from 0'):
            LEAD.tell({'chords': wrong})
