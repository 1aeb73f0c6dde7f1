"""Which tracks a stream is made of: build and read follow one rule (mvae.music.tracks)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvae.music.extract import ExtractSettings, extract
from mvae.music.forms import FORMS, GRIDS, make_form
from mvae.music.notation import Notation
from mvae.music.notes import Notes, Score
from mvae.music.reasons import Reason, Rejected
from mvae.music.sections import split_sections
from mvae.music.tracks import ALL_DRUMS, choose_tracks, count_tracks, list_tracks

NOTATION = Notation(steps_per_quarter=1)  # a step is a second at 60


def make_score(*tracks):
    """tracks: (program or None for drums, notes (pitch, start, end) in quarters)."""
    columns = []
    for number, (program, notes) in enumerate(tracks):
        pitch, start, end = (np.array(c) for c in zip(*notes, strict=True))
        looks = program or 0, program is None, number
        columns.append(Notes.make(start, end, pitch, 90, *looks))
    return Score(Notes.concatenate(columns), [0.0], [60.0], [], [], [])


def line(low, steps=8, every=1):
    """Notes of many pitches from `low` up, without a rest."""
    starts = range(0, steps, every)
    return [(low + n * 5 % 7, start, start + every) for n, start in enumerate(starts)]


BEAT = [(36 + 2 * (n % 2), n, n + 1) for n in range(8)]


def built(score, name, bars=2, **settings):
    """The windows that a build takes, as a set of tuples."""
    form = make_form(name, bars, NOTATION)
    settings = ExtractSettings(NOTATION, (name,), (bars,), **settings)
    extraction = extract(score, settings)
    offsets = extraction.windows[name, bars]
    windows = extraction.tokens[offsets[:, None] + np.arange(form.steps)[:, None]]
    return {tuple(map(tuple, window.tolist())) for window in form.clean(windows)}


def read(score, name, bars=2):
    """The windows at every bar of the music that reading takes."""
    form, windows = make_form(name, bars, NOTATION), set()
    whole = -int(-score.notes.end.max() // form.steps_per_bar)
    long = make_form(name, whole, NOTATION).read(score)[0]
    for begin in range(0, len(long) - form.steps + 1, form.steps_per_bar):
        window = form.clean(long[None, begin : begin + form.steps])[0]
        if all(own.any() for own in form.split(window)):
            windows.add(tuple(map(tuple, window.tolist())))
    return windows


def chosen(score, name):
    """The numbers of the tracks of each stream."""
    sections, _ = split_sections(score, 1)
    form = make_form(name, 2, NOTATION)
    found = choose_tracks(form.rules, lambda rule, codec: rule.tracks(sections, codec))
    return {stream: [track.number for track in tracks] for stream, tracks in found.items()}


def test_a_file_lists_its_pitched_tracks_and_all_drums_as_one():
    score = make_score((None, BEAT), (73, line(60)), (None, [(42, 0, 1)]), (33, line(30, every=2)))
    sections, _ = split_sections(score, 1)
    codec = make_form('melody', 2, NOTATION).streams[0].codec
    tracks = list_tracks(sections, codec)
    rows = [(t.number, t.place, t.program) for t in tracks]
    assert rows == [(1, 2, 73), (3, 4, 33), (ALL_DRUMS, 0, 0)]
    assert [t.onsets for t in tracks] == [8, 4, 8] and tracks[1].pitch == np.mean([30, 35, 33, 31])
    assert count_tracks(sections) == 4 and list_tracks([], codec) == []


def test_tracks_out_of_range_are_none():
    score = make_score((0, [(100, 0, 1), (60, 1, 2)]), (0, [(100, 0, 8)]))
    sections, _ = split_sections(score, 1)
    codec = make_form('melody', 2, Notation(max_pitch=90)).streams[0].codec
    (track,) = list_tracks(sections, codec)
    assert track.number == 0 and track.notes(sections[0]).pitch.tolist() == [60]


def test_a_flute_is_built_and_read_as_the_same_notes_on_a_piano():
    flute, piano = (make_score((p, line(60, 24)), (None, BEAT)) for p in (73, 0))
    windows = built(piano, 'melody')
    assert len(windows) > 1
    assert built(flute, 'melody') == read(flute, 'melody') == read(piano, 'melody') == windows


def test_of_several_other_tracks_the_busiest_alone_is_the_melody():
    score = make_score((73, line(70, every=2)), (41, line(60)), (56, line(80, every=4)))
    assert chosen(score, 'melody') == {'melody': [1]}
    assert (
        built(score, 'melody')
        == read(score, 'melody')
        == built(make_score((0, line(60))), 'melody')
    )


def test_tracks_of_the_right_program_all_serve_and_no_other_one():
    score = make_score((73, line(90)), (0, line(60, every=2)), (24, line(50, every=4)))
    assert chosen(score, 'melody') == {'melody': [1, 2]}
    assert read(score, 'melody') < built(score, 'melody')


def test_the_lowest_track_is_the_bass():
    score = make_score((0, line(70)), (0, line(40, every=4)), (73, line(50)))
    assert chosen(score, 'bass') == {'bass': [1]}
    assert (
        built(score, 'bass')
        == read(score, 'bass')
        == built(make_score((33, line(40, every=4))), 'bass')
    )
    both = make_score((0, line(30)), (33, line(70)), (34, line(60)))
    assert chosen(both, 'bass') == {'bass': [1, 2]}


def test_piano_for_two_hands_gives_a_melody_and_a_bass():
    hands = (0, line(72)), (0, line(40, every=2)), (None, BEAT)
    for order in ((0, 1, 2), (1, 0, 2)):
        score = make_score(*(hands[n] for n in order))
        right, left = order.index(0), order.index(1)
        assert chosen(score, 'trio') == {
            'melody': [0, 1],
            'bass': [left],
            'drums': [ALL_DRUMS],
        }
        windows = built(score, 'trio')
        assert windows == read(score, 'trio') and len(windows) == 1
        assert windows == built(make_score(hands[0], (33, line(40, every=2)), hands[2]), 'trio')
        assert make_form('trio', 2, NOTATION).read(score)[1] == (
            f'melody track {right + 1} of 3 (by programs 0-31), '
            f'bass track {left + 1} of 3 (by the lowest track), drums'
        )


def test_a_bass_is_no_melody_of_a_trio_but_one_on_its_own():
    score = make_score((33, line(40)), (None, BEAT))
    assert chosen(score, 'trio') == {'melody': [], 'bass': [0], 'drums': [ALL_DRUMS]}
    extraction = extract(score, ExtractSettings(NOTATION, bars=(2,)))
    assert len(extraction.windows['trio', 2]) == 0
    assert extraction.rejections['trio', Reason.NO_MELODY] == 1
    assert make_form('trio', 2, NOTATION).read(score)[1].endswith('no melody: left silent')
    assert chosen(score, 'melody') == {'melody': [0]}
    assert built(score, 'melody') == read(score, 'melody') == built(score, 'bass')


def test_a_melody_is_no_bass():
    score = make_score((0, line(60)), (None, BEAT))
    assert chosen(score, 'trio') == {'melody': [0], 'bass': [], 'drums': [ALL_DRUMS]}
    assert extract(score, ExtractSettings(NOTATION, bars=(2,))).rejections['trio', Reason.NO_BASS]
    assert built(score, 'bass') == set()
    with pytest.raises(Rejected, match='none that lies below'):
        read(score, 'bass')


def test_a_flute_above_a_bass_is_the_melody_however_busy_the_bass_is():
    score = make_score((33, line(40)), (73, line(70, every=2)))
    assert chosen(score, 'melody') == {'melody': [1]}
    assert chosen(score, 'trio') == {'melody': [1], 'bass': [0], 'drums': []}


def test_without_any_program_of_theirs_melody_and_bass_are_two_tracks():
    score = make_score((73, line(80)), (70, line(40, every=2)), (60, line(60, every=2)))
    assert chosen(score, 'trio') == {'melody': [0], 'bass': [1], 'drums': []}


def test_drums_are_nothing_else():
    score = make_score((None, BEAT))
    assert chosen(score, 'trio') == {'melody': [], 'bass': [], 'drums': [ALL_DRUMS]}
    assert chosen(score, 'melody') == {'melody': []} and chosen(score, 'bass') == {'bass': []}
    assert chosen(make_score((0, line(60))), 'drums') == {'drums': []}


def test_a_hand_that_plays_alone_is_not_two_parts():
    """Both hands may be the melody, the calmer one is the bass: never one track as both."""
    left = [(40 + n % 7, n, n + 1) for n in range(16)]
    right = [(50 + n % 4, n, n + 1) for n in range(8)]
    score = make_score((0, right), (0, left), (None, [(36, n, n + 1) for n in range(16)]))
    assert chosen(score, 'trio')['melody'] == [0, 1]
    assert chosen(score, 'trio')['bass'] == [0]  # the left one is busier: reading's melody
    windows = built(score, 'trio')
    assert windows
    for window in windows:
        melody, bass, _ = zip(*window, strict=True)
        assert max(melody) <= 48 and min(p for p in bass if p > 1) >= 52


@st.composite
def scores(draw):
    programs = st.sampled_from([0, 5, 31, 32, 33, 40, 73, None])
    note = st.tuples(st.integers(30, 90), st.integers(0, 30), st.integers(1, 4))
    track = st.tuples(programs, st.lists(note, min_size=1, max_size=20))
    tracks = draw(st.lists(track, min_size=1, max_size=5))
    return make_score(*((p, [(n, s, s + d) for n, s, d in notes]) for p, notes in tracks))


@given(scores(), st.sampled_from([name for name in FORMS if name not in GRIDS]))
def test_reading_takes_tracks_that_the_build_takes_and_none_twice(score, name):
    taken = chosen(score, name)
    form = make_form(name, 2, NOTATION)
    if not any(taken.values()):
        with pytest.raises(Rejected):
            form.read(score)
        return
    note = form.read(score)[1]
    places = []
    for stream, numbers in taken.items():
        if stream in ('drums', 'groove', 'percussion'):
            assert numbers in ([], [ALL_DRUMS])
        elif numbers:
            (place,) = [int(w.split()[2]) for w in note.split(', ') if w.startswith(f'{stream} ')]
            assert place - 1 in numbers
            places.append(place)
    assert len(places) == len(set(places))


@st.composite
def marked_scores(draw):
    """Scores in which a pitch tells its track: the remainder by 5."""
    tracks = draw(scores()).notes
    pitch = np.where(tracks.is_drum, 36, 30 + tracks.pitch // 5 * 5 + tracks.track)
    notes = Notes(tracks.start, tracks.end, pitch, *list(vars(tracks).values())[3:])
    return Score(notes, [0.0], [60.0], [], [], [])


@given(marked_scores(), st.booleans())
def test_no_window_of_a_trio_has_one_track_as_two_parts(score, silent):
    for bars in (1, 2):
        for window in built(score, 'trio', bars, silent_streams=silent, gap_bars=1):
            melody, bass, _ = (
                {(p - 2) % 5 for p in part if p > 1} for part in zip(*window, strict=True)
            )
            assert len(melody) <= 1 and len(bass) <= 1 and not melody & bass
