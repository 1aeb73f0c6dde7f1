"""A user's MIDI becomes one window: which tracks, which bars, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvae.music.forms import FORMS, GRIDS, make_form
from mvae.music.midi import from_note_sequence, read_midi, to_note_sequence, write_midi
from mvae.music.notation import Notation
from mvae.music.notes import Notes, Score
from mvae.music.reasons import Reason, Rejected

# Others write bars as events: test_music_band.
ON_STEPS = [name for name in FORMS if name not in GRIDS]


def read(score, name, bars=2, **notation):
    return make_form(name, bars, Notation(**notation)).read(score)


def make_score(*notes, tempos=((0.0, 120.0),), meters=((0.0, 4, 4),)):
    """notes: (track, program or None for drums, pitch, start, end), in sixteenths at 120."""
    track, program, pitch, start, end = zip(*notes, strict=True)
    columns = Notes.make(
        np.array(start) / 8, np.array(end) / 8, pitch, np.full(len(notes), 90),
        [p or 0 for p in program], [p is None for p in program], track,
    )  # fmt: skip
    return Score(columns, *zip(*tempos, strict=True), *zip(*meters, strict=True))


@st.composite
def written(draw):
    """A form, a piece of it that notes can express, and a tempo."""
    notations = [Notation(), Notation(21, 108, 'old'), Notation(0, 127, 'roland', 3)]
    name, bars = draw(st.sampled_from(ON_STEPS)), draw(st.integers(1, 2))
    form = make_form(name, bars, draw(st.sampled_from(notations)))
    columns = []
    for size in form.sizes:
        token = st.one_of(st.integers(0, 1), st.just(0), st.integers(0, size - 1))
        silent = draw(st.integers(0, 5)) == 0
        tokens = st.lists(token, min_size=form.steps, max_size=form.steps)
        columns.append([0] * form.steps if silent else draw(tokens))
    qpm = draw(st.sampled_from([120.0, 97.0, 173.3]))
    return form, form.canonical(np.array(columns).T), qpm


@settings(deadline=None)  # the first example imports note_seq
@given(written())
def test_write_then_read_gives_the_same_piece(case):
    form, piece, qpm = case
    notes = form.write(piece, qpm)
    scores = [
        Score(notes, [0.0], [qpm], [], [], []),
        read_midi(write_midi(notes, qpm)),
        from_note_sequence(to_note_sequence(notes, qpm)),
    ]
    for score in scores:
        if not len(notes):
            with pytest.raises(Rejected) as error:
                form.read(score)
            assert error.value.reason is Reason.EMPTY
            continue
        picked, _ = form.read(score)
        assert picked.dtype == np.int32
        for own, streams in zip(form.split(picked), form.split(piece), strict=True):
            np.testing.assert_array_equal(own, streams)


def line(track, program, pitch, steps, every=4):
    return [(track, program, pitch, step, min(step + 2, steps)) for step in range(0, steps, every)]


def test_the_busiest_track_with_a_melody_program_is_the_melody():
    score = make_score(
        *line(0, 73, 90, 32, 1),
        *line(1, 0, 60, 32, 8),
        *line(2, 5, 62, 32, 4),
        *line(3, None, 36, 32, 1),
    )
    tokens, note = read(score, 'melody', 2)
    assert set(tokens.ravel()) == {0, 1, 64} and note == 'melody track 3 of 4 (by programs 0-31)'


def test_without_a_melody_program_any_pitched_track_serves():
    score = make_score(*line(0, 73, 90, 32, 4), *line(1, 33, 40, 32, 8), *line(3, None, 36, 32, 1))
    assert read(score, 'melody', 2)[1] == 'melody track 1 of 3 (by the busiest track)'
    assert read(score, 'bass', 2)[1] == 'bass track 2 of 3 (by programs 32-39)'
    assert (
        read(make_score(*line(0, 0, 70, 32), *line(1, 0, 40, 32)), 'bass', 2)[1]
        == 'bass track 2 of 2 (by the lowest track)'
    )


def test_a_trio_uses_no_track_twice_and_leaves_missing_parts_silent():
    tokens, note = read(make_score(*line(0, 33, 40, 32), *line(1, None, 36, 32)), 'trio', 2)
    assert not tokens[:, 0].any() and tokens[:, 1:].any(0).all()
    assert note == 'bass track 1 of 2 (by programs 32-39), drums, no melody: left silent'
    hands = make_score(*line(0, 0, 70, 32), *line(1, 0, 40, 32))
    silent = 'no drums: left silent'
    assert read(hands, 'trio')[1] == (
        f'melody track 1 of 2 (by programs 0-31), bass track 2 of 2 (by the lowest track), {silent}'
    )


def test_long_music_loses_its_empty_beginning_and_is_cropped():
    notes = [(0, 0, 60 + bar, 16 * bar + 1, 16 * bar + 3) for bar in range(3, 9)]
    tokens, note = read(make_score(*notes), 'melody', 2)
    assert np.flatnonzero(tokens[:, 0] >= 2).tolist() == [1, 17] and tokens[1, 0] == 65
    assert (
        note == 'melody track 1 of 1 (by programs 0-31), '
        '3 bars of silence at the beginning left out, cropped 6 bars to 2'
    )


def test_short_music_keeps_its_empty_beginning_and_is_padded():
    tokens, note = read(make_score((0, 0, 60, 17, 32)), 'melody', 4)
    assert tokens.shape == (64, 1) and np.flatnonzero(tokens).tolist() == [17]
    assert note == 'melody track 1 of 1 (by programs 0-31), padded 2 bars to 4'


def test_rests_and_tempo_changes_do_not_cut():
    score = make_score((0, 0, 60, 0, 2), (0, 0, 62, 96, 98), tempos=((0.0, 120.0), (8.0, 240.0)))
    tokens, _ = read(score, 'melody', 16)
    assert tokens[:, 0].nonzero()[0].tolist() == [
        0,
        2,
        128,
        132,
    ]  # twice as many beats after step 64


def test_of_several_meters_the_fullest_part_is_taken():
    notes = [*line(0, 0, 60, 16), *[(0, 0, 72, 64 + step, 65 + step) for step in range(32)]]
    score = make_score(*notes, meters=((0.0, 4, 4), (4.0, 3, 4), (8.0, 2, 2)))
    tokens, note = read(score, 'melody', 2)
    assert (tokens == 74).all() and note == (
        'melody track 1 of 1 (by programs 0-31), part 2 of 2 (the meter changes)'
    )


def test_notes_outside_the_notation_are_left_out():
    tokens, _ = read(
        make_score((0, 0, 10, 0, 4), (0, 0, 60, 0, 4)), 'melody', 1, min_pitch=21, max_pitch=108
    )
    assert tokens[0, 0] == 41


@pytest.mark.parametrize(
    'notes, meters, name, reason, words',
    [
        (line(0, 0, 60, 32), ((0.0, 3, 4),), 'melody', Reason.WRONG_METER, '3/4'),
        (line(0, None, 36, 32), ((0.0, 4, 4),), 'melody', Reason.NO_MELODY, 'no track'),
        (line(0, None, 36, 32), ((0.0, 4, 4),), 'bass', Reason.NO_BASS, 'no track'),
        (line(0, 0, 36, 32), ((0.0, 4, 4),), 'drums', Reason.NO_DRUMS, 'channel 10'),
        (line(0, None, 13, 32), ((0.0, 4, 4),), 'trio', Reason.NO_MELODY, 'no track'),
        ([(0, 0, 60, 2**21, 2**21 + 1)], ((0.0, 4, 4),), 'melody', Reason.TOO_LARGE, 'longer'),
    ],
)
def test_refusals_say_why(notes, meters, name, reason, words):
    form = make_form(name, 2)
    for function in (form.read, form.read_all):
        with pytest.raises(Rejected, match=words) as error:
            function(make_score(*notes, meters=meters))
        assert error.value.reason is reason


def test_a_long_file_falls_into_windows_without_overlap():
    notes = [(0, 0, 60 + bar, 16 * bar, 16 * bar + 20) for bar in (1, 2, 3, 8, 9)]
    windows = make_form('melody', 2).read_all(make_score(*notes))
    assert windows.shape == (4, 32, 1) and windows.dtype == np.int32
    onsets = [window[window >= 2].tolist() for window in windows]
    assert onsets == [[63, 64], [65], [70], [71]]  # bars 1-2, 3-4, 7-8, 9-10; 5-6 is silent


@pytest.mark.parametrize('steps_per_quarter', [2, 6])
def test_another_grid(steps_per_quarter):
    """A quarter is a quarter on every grid; a bar of so many steps is padded and cropped."""
    score = make_score(*[(0, 0, 60 + n, 4 * n, 4 * n + 4) for n in range(12)])  # three bars
    for bars in (1, 3, 4):
        piece, note = read(score, 'melody', bars, steps_per_quarter=steps_per_quarter)
        assert piece.shape == (bars * 4 * steps_per_quarter, 1)
        onsets = np.flatnonzero(piece[:, 0] >= 2)
        assert onsets.tolist() == [n * steps_per_quarter for n in range(min(12, 4 * bars))]
        changed = {1: ', cropped 3 bars to 1', 3: '', 4: ', padded 3 bars to 4'}[bars]
        assert note == f'melody track 1 of 1 (by programs 0-31){changed}'
    windows = make_form('melody', 2, Notation(steps_per_quarter=steps_per_quarter)).read_all(score)
    assert windows.shape == (2, 8 * steps_per_quarter, 1)
    # Behind the last note, at half of the second window, stands its note-off.
    assert windows[1, 4 * steps_per_quarter :, 0].tolist() == [0] * (4 * steps_per_quarter)
