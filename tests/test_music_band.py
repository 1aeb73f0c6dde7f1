"""Bands: Magenta's cases 19 to 22, round trips, and chords beside events."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvae.errors import InputError
from mvae.music import instruments
from mvae.music.codec import GridNotes
from mvae.music.event_tokens import END, NOTE_OFF, SHIFT, SOUND, VELOCITY, notes_of
from mvae.music.events import HOLDING, NO_STEP, NOTE_OFF_EVENT, ONSET, REST
from mvae.music.extract import ExtractSettings, extract
from mvae.music.forms import make_form
from mvae.music.midi import from_note_sequence, read_midi, to_note_sequence, write_midi
from mvae.music.notation import Notation
from mvae.music.notes import Notes, Score
from mvae.music.reasons import Reason, Rejected

FORM = make_form('band', 1)
(BAND,) = (stream.codec for stream in FORM.streams)
# Fixture H of the cases: (pitch, start, end) in halves of a bar; drums are 6 steps long.
LINE = [(64, 0, 1), (60, 0, 2), (67, 1, 2), (62, 2, 3), (59, 2, 4), (67, 3, 4)]
HITS = [(40, 0), (50, 0), (50, 1), (40, 2), (50, 2), (50, 3)]


def notes(rows, program=0, is_drum=False, track=0, velocity=100):
    """rows: (pitch, start, end) in steps."""
    pitch, start, end = np.array(rows).T
    part = instruments.number(np.full(len(rows), track), program, is_drum)
    return GridNotes.make(start, end, pitch, velocity, 0.0, part)


def together(*parts):
    return GridNotes(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def tokens(columns):
    """Of each bar and instrument the tokens of its row."""
    rows = np.asarray(columns).astype(int).reshape(-1, BAND.instruments, BAND.row_length)
    return [[row[row > 0].tolist() for row in bar - 0] for bar in rows]


def fixture(half):
    line = notes([(p, half * s, half * e) for p, s, e in LINE])
    hits = notes([(p, half * s, half * s + 6) for p, s in HITS], is_drum=True, track=1)
    return together(line, hits)


def plus_one(rows):
    return [[token + 1 for token in row] for row in rows]


def test_case_20_a_bar_for_each_half_of_the_fixture():
    columns = BAND.encode(BAND.voice(fixture(96)), 4 * 96)
    assert columns.shape == (4 * 512, 1) and columns.dtype == np.uint16
    bars = tokens(columns)
    line = [360, 358, 60, 64, 351, 188, 192, 489]
    drums = [488, 358, 40, 50, 261, 168, 178, 345, 489]
    assert bars[0] == plus_one([line, drums] + [[END]] * 6)
    assert len(bars) == 4 and all(len(bar) == 8 for bar in bars)


def test_case_19_two_halves_in_a_bar():
    """Without velocities there, so that its programs and its end are 8 lower and no bin is said."""
    line, drums = tokens(BAND.encode(BAND.voice(fixture(48)), 96))[0][:2]
    shift = SHIFT + 47
    assert line == plus_one([[360, 358, 60, 64, shift, 192, 67, shift, 188, 195, END]])[0]
    half = [50, 261, 178, shift - 6]
    assert drums == plus_one([[488, 358, 40, 50, 261, 168, 178, shift - 6, *half, END]])[0]


def test_case_21_notes_come_back_but_those_that_cross_a_bar_line():
    heard = BAND.decode(BAND.encode(BAND.voice(fixture(48)), 192))
    order = np.lexsort((heard.pitch, heard.start, heard.part))
    found = [x[order].tolist() for x in (heard.pitch, heard.start, heard.end)]
    line = sorted(((s * 48, p, e * 48) for p, s, e in LINE))
    hits = sorted((s * 48, p, s * 48 + 6) for p, s in HITS)
    expected = line + hits
    assert found == [[p for _, p, _ in expected], *[[e[n] for e in expected] for n in (0, 2)]]
    long = BAND.voice(notes([(60, 90, 200)]))
    assert (long.start.tolist(), long.end.tolist()) == ([90], [96])


def test_instruments_go_by_program_and_drums_are_last():
    parts = [
        notes([(36, 0, 6)], is_drum=True, track=0),
        notes([(60, 0, 6)], 33, track=1),
        notes([(62, 0, 6)], 4, track=2),
        notes([(64, 0, 6)], 4, track=3),
    ]
    rows = tokens(BAND.encode(BAND.voice(together(*parts)), 96))[0]
    assert [row[0] - 1 for row in rows] == [364, 364, 393, 488] + [END] * 4
    assert [row[2] - 1 for row in rows[:4]] == [62, 64, 60, 36]


def test_velocity_is_said_where_its_eighth_changes():
    one = notes([(60, 0, 6), (62, 6, 12), (64, 12, 18)])
    one = one._replace(velocity=np.array([16, 17, 127]))
    assert [t - 1 for t in tokens(BAND.encode(one, 96))[0][0]] == [
        *(360, 352, 60, 261, 188, 353, 62, 261, 190, 359, 64, 261, 192, 256 + 77, 489)
    ]
    assert BAND.decode(BAND.encode(one, 96)).velocity.tolist() == [1, 17, 113]


def test_of_notes_of_one_pitch_the_first_to_begin_ends_first():
    held = BAND.decode(BAND.encode(notes([(60, 0, 40), (60, 10, 20)]), 96))
    assert list(zip(held.start, held.end, strict=True)) == [(0, 20), (10, 40)]


def test_any_tokens_are_music():
    """Magenta's reading: the first program counts, an end without a begin and shifts behind the bar
    say nothing, what nothing ends sounds on, and what ends at once is no note."""
    row = [
        128 + 50,
        60,
        360 + 7,
        354,
        62,
        256 + 5,
        360 + 9,
        188,
        64,
        192,
        65,
        351,
        193,
        66,
        END,
        70,
    ]
    sound, heard = notes_of(row, 96)
    assert sound == 7
    assert list(zip(*heard[:4], strict=True)) == [(0, 6, 60, 100), (0, 96, 62, 33), (6, 96, 65, 33)]
    assert notes_of([60, 256], 96)[0] == 0
    assert len(notes_of([], 96)[1].start) == 0


def test_bars_that_are_too_full_are_left_out_and_counted():
    crowd = [notes([(60, 0, 6), (62, 96, 99)], track=n, program=n) for n in range(9)]
    crowd[8] = crowd[8].select(crowd[8].start < 96)
    busy = notes([(40 + n % 20, 200 + n, 201 + n) for n in range(21)], track=0, program=0)
    everyone = together(*crowd, busy)
    assert BAND.refused(everyone) == {Reason.MANY_INSTRUMENTS: 1, Reason.MANY_EVENTS: 1}
    kept = BAND.voice(everyone)
    assert set((kept.start // 96).tolist()) == {1}
    columns = BAND.encode(kept, 3 * 96).reshape(3, 512)
    assert columns.any(1).tolist() == [False, True, False]
    most = notes([(60, 2 * n, 2 * n + 1) for n in range(15)])  # 4 * 15 - 1 events, velocity, rest
    assert BAND.refused(most)[Reason.MANY_EVENTS] == 0
    assert len(tokens(BAND.encode(most, 96))[0][0]) == 2 + 61


def test_bars_with_too_little_to_learn_from():
    def bar(*rows):
        return BAND.encode(together(*rows), 96)

    alone, pair = notes([(60, 0, 96)]), notes([(62, 0, 96)], track=1)
    rich = notes([(60, 0, 48), (62, 48, 96)], track=1)
    thin = BAND.thin(np.stack([bar(alone), bar(alone, pair), bar(alone, rich)]))
    assert thin[Reason.FEW_INSTRUMENTS].tolist() == [True, False, False]
    assert thin[Reason.FEW_EVENTS].tolist() == [False, False, False]
    none = np.zeros((0, 512, 1), np.uint16)
    assert [own.shape for own in BAND.thin(none).values()] == [(0,), (0,)]
    assert [own.shape for own in BAND.room(none)] == [(0,), (0,)]
    short = bar(alone, pair)
    short[3] = 0  # 7 events
    assert BAND.thin(short[None])[Reason.FEW_EVENTS].tolist() == [True]


def test_what_happens_at_each_row():
    row = np.array([361, 359, 61, 262, 189, 490, 0, 0])[:, None]
    kinds = [HOLDING, HOLDING, ONSET, HOLDING, NOTE_OFF_EVENT, REST, NO_STEP, NO_STEP]
    assert BAND.events(row).tolist() == kinds and BAND.events(row).dtype == np.int8


@st.composite
def bands(draw):
    """Notes of one or two bars for up to 5 instruments, some of the same program."""
    note = st.tuples(st.integers(0, 127), st.integers(0, 191), st.integers(1, 40))
    parts = []
    for track in range(draw(st.integers(1, 5))):
        drums, program = draw(st.booleans()), draw(st.sampled_from([0, 33, 127]))
        # MIDI has no two notes of one pitch at once.
        own = draw(st.lists(note, min_size=1, max_size=6, unique_by=lambda one: one[0]))
        velocity = draw(st.integers(1, 127))
        rows = [(p, s, s + d) for p, s, d in own]
        parts.append(notes(rows, 0 if drums else program, drums, track, velocity))
    return together(*parts)


@given(bands())
def test_written_bars_are_canonical_and_come_back(band):
    columns = BAND.encode(BAND.voice(band), 192)
    np.testing.assert_array_equal(BAND.encode(BAND.decode(columns), 192), columns)
    np.testing.assert_array_equal(BAND.canonical(columns), columns)
    # Each bar is written as if it stood alone.
    first = band.select(band.start < 96)
    np.testing.assert_array_equal(BAND.encode(BAND.voice(first), 96), columns[:512])


@given(bands(), st.floats(0, 1))
def test_transposition_moves_all_but_the_drums(band, share):
    windows = BAND.encode(BAND.voice(band), 192)[None]
    down, up = BAND.room(windows)
    shift = np.floor(-down + share * (down + up)).astype(np.int64)
    moved = BAND.transpose(windows, shift)
    assert moved.dtype == windows.dtype
    before, after = BAND.decode(windows[0]), BAND.decode(moved[0])
    drums = instruments.played(before.part).is_drum
    np.testing.assert_array_equal(after.pitch, before.pitch + np.where(drums, 0, shift))
    if not drums.all():
        assert before.pitch[~drums].min() == down[0] and before.pitch[~drums].max() == 127 - up[0]


@settings(deadline=None)  # the first example imports note_seq
@given(bands(), st.sampled_from([120.0, 97.0]))
def test_write_then_read_gives_the_same_piece(band, qpm):
    form = make_form('band', 2)
    piece = BAND.encode(BAND.voice(band), 192).astype(np.int32)
    if not piece[:512].any():  # reading leaves an empty beginning out
        piece = np.roll(piece, 512, 0)
    written = form.write(piece, qpm)
    scores = [
        Score(written, [0.0], [qpm], [], [], []),
        read_midi(write_midi(written, qpm)),
        from_note_sequence(to_note_sequence(written, qpm)),
    ]
    for score in scores:
        read, note = form.read(score)
        np.testing.assert_array_equal(read, piece)
        assert note.startswith('all ') and read.dtype == np.int32


def score_of(band, qpm=120.0):
    who = instruments.played(band.part)
    times = (x * 60 / qpm / 24 for x in (band.start, band.end))
    columns = Notes.make(*times, band.pitch, band.velocity, who.program, who.is_drum, who.track)
    return Score(columns, [0.0], [qpm], [], [], [])


def test_reading_takes_the_first_bars_that_fit():
    crowd = together(*(notes([(60 + n, 0, 6)], n, track=n) for n in range(9)))
    pair = together(notes([(60, 96, 192)]), notes([(40, 96, 120)], 33, track=1))
    piece, note = FORM.read(score_of(together(crowd, pair)))
    assert note.endswith(', 1 bar with nothing that fits at the beginning left out')
    assert [row[:1] for row in tokens(piece)[0][:3]] == [[361], [394], [490]]
    assert FORM.read_all(score_of(together(crowd, pair))).shape == (1, 512, 1)
    for read in (FORM.read, FORM.read_all, FORM.read_whole):
        with pytest.raises(Rejected, match='only bars with nothing that fits') as error:
            read(score_of(crowd))
        assert error.value.reason is Reason.MANY_INSTRUMENTS


def test_the_grid_is_its_own_and_the_meter_that_of_the_notation():
    assert make_form('band', 1, Notation(steps_per_quarter=3)) == FORM
    waltz = make_form('band', 1, Notation(meter='3/4'))
    assert waltz.steps_per_bar == 72 and waltz.steps == 512
    row = tokens(waltz.streams[0].codec.encode(notes([(60, 0, 72)]), 72))[0][0]
    assert row[2:5] == [61, 257 + 71, 189]


def test_pieces_are_of_whole_bars_and_have_an_instrument_for_each_part():
    with pytest.raises(InputError, match='a bar of band has 512 rows; 64 are no whole bars'):
        FORM.write(np.zeros((64, 1), int))
    assert len(FORM.write(np.zeros((512, 1), int))) == 0
    assert FORM.seconds(512, 60.0) == 4.0
    piece = BAND.encode(together(notes([(60, 0, 96)], 24), notes([(36, 0, 6)], is_drum=True)), 96)
    (_, guitar, _), (_, drums, hit) = FORM.players(piece)
    assert (guitar.program, guitar.is_drum, guitar.track) == (24, False, 0)
    assert drums.is_drum and hit.pitch.tolist() == [36]


def test_windows_of_a_build():
    """Beside another form on its own grid; bars that occur twice are taken once."""
    one = together(
        notes([(60, 0, 48), (62, 48, 96)], 0), notes([(40, 0, 96), (40, 96, 192)], 33, track=1)
    )
    again = one._replace(start=one.start + 192, end=one.end + 192)
    crowd = together(*(notes([(60 + n, 400, 406)], n, track=n) for n in range(9)))
    settings = ExtractSettings(forms=('melody', 'band'), bars=(1,))
    found = extract(score_of(together(one, again, crowd)), settings)
    (offset,) = found.windows['band', 1]
    window = found.tokens[offset[0] : offset[0] + 512]
    first = BAND.encode(one.select(one.start < 96), 96)
    np.testing.assert_array_equal(window[:, None], first)
    lost = {reason: n for (form, reason), n in found.rejections.items() if form == 'band'}
    assert lost == {
        Reason.MANY_INSTRUMENTS: 1,
        Reason.FEW_INSTRUMENTS: 2,  # the bars in which the bass is alone
        Reason.DUPLICATE: 1,
    }
    assert len(found.windows['melody', 1])


# One bar: a piano (C for half a bar, then E), and a bass that is silent until the second half.
PIANO = [SOUND + 0, VELOCITY + 5, 60, SHIFT + 47, NOTE_OFF + 60, 64, SHIFT + 47, NOTE_OFF + 64, END]
BASS = [SOUND + 33, SHIFT + 47, VELOCITY + 5, 36, SHIFT + 47, NOTE_OFF + 36, END]


def test_every_event_is_told_the_chord_in_which_it_happens():
    form, (c, a) = make_form('band_of_chords', 1), (1, 22)  # C and A minor, half a bar each
    assert (form.steps, form.sizes, form.steps_per_bar) == (512, (491, 49), 96)
    columns = bar_of(PIANO, BASS)
    (told,) = form.beside([np.repeat([[c], [a]], 48, 0)], columns)
    rows = told.reshape(8, 64)
    assert rows[0, : len(PIANO)].tolist() == [0, c, c, c, a, a, a, a, a]
    assert rows[1, : len(BASS)].tolist() == [0, c, a, a, a, a, a]
    assert not rows[2:].any() and not rows[0, len(PIANO) :].any()
    piece = form.join([columns, told])
    assert form.symbols(piece) == [(0, 'C'), (48, 'Am')]
    assert form.timed_symbols(piece, 120.0) == [(0.0, 'C'), (1.0, 'Am')]
    other = bar_of(BASS, PIANO)
    swapped = form.join([other, *form.beside([np.repeat([[c], [a]], 48, 0)], other)])
    np.testing.assert_array_equal(form.canonical(swapped), piece)


def test_a_bar_that_is_not_written_yet_is_told_one_chord():
    form = make_form('band_of_chords', 2)
    (told,) = form.tell({'chords': 'Am F'})
    rows = told.reshape(16, 64)
    assert not rows[:, 0].any()  # where instruments are named
    assert (rows[:8, 1:] == 22).all() and (rows[8:, 1:] == 6).all()
    with pytest.raises(InputError, match='holds through a bar; give one chord for each'):
        form.tell({'chords': 'Am F | C'})


def bar_of(*rows):
    columns = np.zeros((8, 64), np.uint16)
    columns[:, 0] = END + 1
    for own, row in zip(columns, rows, strict=False):
        own[: len(row)] = np.array(row) + 1
    return columns.reshape(-1, 1)


def test_codec_is_a_value():
    assert hash(BAND) == hash(dataclasses.replace(BAND))
    assert type(BAND)(**json.loads(json.dumps(dataclasses.asdict(BAND)))) == BAND
    assert NOTE_OFF == 128
