"""Windows of whole scores: Magenta's conformance cases 1, 2, 8, 9 and 13 (steps of a quarter at
60), every reason.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mvae.errors import InputError
from mvae.music.extract import ExtractSettings, extract
from mvae.music.forms import FORMS, USUAL_FORMS, make_form
from mvae.music.notation import Notation
from mvae.music.notes import Notes, Score
from mvae.music.reasons import Reason, Rejected
from mvae.music.sections import split_sections
from mvae.music.tracks import list_tracks
from mvae.music.windows import combine_hashes, content_hash, find_segments

MAGENTA = Notation(21, 108, steps_per_quarter=1)


def make_score(*notes, qpm=60.0, meter=(4, 4), title=''):
    """notes: (track, program or None for drums, pitch, start, end), in steps of a quarter."""
    track, program, pitch, start, end = zip(*notes, strict=True)
    seconds = np.array([start, end]) * 60 / qpm
    programs, drums = [p or 0 for p in program], [p is None for p in program]
    columns = Notes.make(*seconds, pitch, np.full(len(notes), 100), programs, drums, track)
    return Score(columns, [0.0], [qpm], [0.0], [meter[0]], [meter[1]], title=title)


M = make_score(
    *[(0, 0, *note) for note in [(32, 2, 4), (33, 6, 11), (34, 11, 13), (35, 17, 19)]],
    *[
        (1, 0, *note)
        for note in [(35, 2, 4), (36, 6, 8), (71, 33, 37), (73, 34, 37), (33, 50, 55), (34, 55, 56)]
    ],
)
D = make_score(
    *[
        (0, None, *note)
        for note in [
            (35, 0, 10),
            (44, 1, 2),
            (40, 4, 5),
            (35, 9, 10),
            (40, 13, 13),
            (55, 16, 18),
            (60, 16, 17),
            (53, 19, 20),
        ]  # fmt: skip
    ],
    *[
        (1, None, *note)
        for note in [(35, 1, 2), (40, 25, 26), (55, 28, 30), (60, 28, 29), (53, 31, 33)]
    ],
)
T = make_score(
    (1, 0, 51, 13, 37), (2, 10, 52, 4, 16), (3, 33, 50, 2, 5), (3, 33, 49, 16, 25),
    (4, None, 35, 0, 1), (4, None, 40, 4, 5), (4, None, 35, 9, 9),
    (4, None, 35, 25, 25), (4, None, 40, 29, 29),
)  # fmt: skip


def read_windows(extraction, name, bars, clean=True, notation=MAGENTA):
    """Pieces int [N, T, K]; all streams have one column."""
    form = make_form(name, bars, notation)
    offsets = extraction.windows[name, bars]
    windows = extraction.tokens[offsets[:, None] + np.arange(form.steps)[:, None]].astype(int)
    return form.clean(windows) if clean else windows


def contents(score, name, bars, clean=True, **settings):
    extraction = extract(score, ExtractSettings(MAGENTA, (name,), (bars,), **settings))
    windows = read_windows(extraction, name, bars, clean).swapaxes(1, 2)
    return {
        tuple(map(tuple, window.tolist())) if len(window) > 1 else tuple(window[0].tolist())
        for window in windows
    }


def whole_segments(score, name):
    """The stretches between rests, unsliced, as tuples of tokens."""
    (section,), _ = split_sections(score, 1)
    codec, found = make_form(name, 1, MAGENTA).streams[0].codec, set()
    for track in list_tracks([section], codec):
        kept = codec.voice(track.notes(section))
        tokens = codec.encode(kept, 60)[:, 0]
        segments, _ = find_segments(kept.start, kept.end, 4, 4)
        found.update(tuple(tokens[4 * first : 4 * end].tolist()) for first, end in segments)
    return found


def test_case_1_melodies_between_rests():
    assert whole_segments(M, 'melody') == {
        (0, 0, 13, 0, 1, 0, 14, 0, 0, 0, 0, 15, 0, 1, 0, 0), (0, 16, 0, 1),
        (0, 0, 16, 0, 1, 0, 17, 0), (0, 52, 54, 0, 0, 1, 0, 0), (0, 0, 14, 0, 0, 0, 0, 15),
    }  # fmt: skip
    assert contents(M, 'melody', 4) == {(0, 0, 13, 0, 1, 0, 14, 0, 0, 0, 0, 15, 0, 1, 0, 0)}


def test_case_2_melody_windows_of_two_bars():
    assert contents(M, 'melody', 2) == {
        (0, 0, 13, 0, 1, 0, 14, 0), (0, 0, 14, 0, 0, 0, 0, 15), (0, 0, 0, 15, 0, 1, 0, 0),
        (0, 0, 16, 0, 1, 0, 17, 0), (0, 52, 54, 0, 0, 1, 0, 0),
    }  # fmt: skip


def test_case_8_drum_tracks_between_rests():
    assert whole_segments(D, 'drums') == {
        (1, 5, 0, 0, 2, 0, 0, 0), (0, 1, 0, 0, 0, 2, 0, 0, 160, 0, 0, 256),
        (0, 2, 0, 0, 160, 0, 0, 256),
    }  # fmt: skip


def test_case_9_drum_windows():
    assert contents(D, 'drums', 2) == {
        (1, 5, 0, 0, 2, 0, 0, 0), (0, 1, 0, 0, 0, 2, 0, 0), (0, 2, 0, 0, 160, 0, 0, 256),
    }  # fmt: skip
    assert contents(D, 'drums', 1) == {
        (1, 5, 0, 0),
        (2, 0, 0, 0),
        (0, 1, 0, 0),
        (0, 2, 0, 0),
        (160, 0, 0, 256),
    }


CASE_13 = {
    ((0, 0, 0, 0, 0, 32, 0, 0), (0,) * 8, (0, 1, 0, 0, 0, 0, 0, 0)),
    ((0,) * 8, (0, 0, 0, 0, 0, 1, 0, 0), (0, 0, 0, 0, 0, 1, 0, 0)),
    ((0,) * 8, (0, 1, 0, 0, 0, 0, 0, 0), (0, 1, 0, 0, 0, 2, 0, 0)),
    ((0, 0, 0, 0, 33, 0, 0, 0), (0, 0, 31, 0, 0, 1, 0, 0), (1, 0, 0, 0, 2, 0, 0, 0)),
    ((33, 0, 0, 0, 0, 0, 0, 0), (0, 1, 0, 0, 0, 0, 0, 0), (2, 0, 0, 0, 0, 1, 0, 0)),
    ((0,) * 8, (0,) * 8, (0, 1, 0, 0, 0, 0, 0, 0)),
}


def test_case_13_trios():
    assert contents(T, 'trio', 2, clean=False, gap_bars=1, silent_streams=True) == CASE_13


def test_trios_with_a_silent_part_are_left_out():
    settings = ExtractSettings(MAGENTA, ('trio',), (2,), gap_bars=1)
    extraction = extract(T, settings)
    assert (
        len(extraction.windows['trio', 2]) == 1
        and extraction.rejections['trio', Reason.SILENT] == 5
    )


def test_a_rest_of_one_bar_cuts_a_shorter_one_does_not():
    def bars_of_two(second):
        return len(
            contents(make_score((0, 0, 60, 0, 1), (0, 0, 62, second, second + 1)), 'melody', 2)
        )

    assert (bars_of_two(5), bars_of_two(4.4)) == (0, 1)


def test_every_form_shares_one_copy_of_a_stream():
    random = np.random.default_rng(0)
    notes = []
    for step in range(256):
        for track, program, low in ((0, 0, 60), (1, 33, 30), (2, None, 36)):
            notes.append((track, program, low + random.integers(13), step, step + 1))
    extraction = extract(make_score(*notes), ExtractSettings(Notation(steps_per_quarter=1)))
    assert len(extraction.tokens) == 3 * 256 and extraction.tokens.dtype == np.uint16
    assert set(extraction.windows) == {(name, bars) for name in USUAL_FORMS for bars in (2, 16)}
    trio = extraction.windows['trio', 16]
    for number, name in enumerate(FORMS['trio']):
        assert np.isin(trio[:, number], extraction.windows[name, 16][:, 0]).all()
    assert len(trio) == 49 and trio.dtype == np.int64


def test_drums_on_several_tracks_are_one_drum_set():
    notes = [(1, 0, 60, 0, 8), (2, 33, 40, 0, 8), (3, None, 36, 0, 1), (4, None, 38, 1, 2)]
    extraction = extract(make_score(*notes), ExtractSettings(MAGENTA, bars=(2,)))
    assert read_windows(extraction, 'trio', 2)[..., 2].tolist() == [[1, 2, 0, 0, 0, 0, 0, 0]]


@st.composite
def scores(draw):
    note = st.tuples(
        st.integers(0, 3),
        st.sampled_from([0, 33, None]),
        st.integers(35, 50),
        st.integers(0, 60),
        st.integers(1, 9),
    )
    notes = draw(st.lists(note, min_size=1, max_size=60))
    part = {0: 0, 33: 1, None: 2}
    return make_score(
        *[(t * 3 + part[program], program, p, s, s + d) for t, program, p, s, d in notes]
    )


@given(scores())
def test_windows_are_unique_sound_and_hashed_by_content(score):
    extraction = extract(score, ExtractSettings(MAGENTA, bars=(1, 3)))
    for (name, bars), offsets in extraction.windows.items():
        assert offsets.shape == (len(offsets), len(FORMS[name])) and offsets.dtype == np.int64
        windows = read_windows(extraction, name, bars)
        assert len({window.tobytes() for window in windows}) == len(windows)
        assert windows.any(1).all()
        streams = np.stack([content_hash(column) for column in np.moveaxis(windows, -1, 0)])
        expected = streams[0] if len(streams) == 1 else combine_hashes(streams)
        np.testing.assert_array_equal(extraction.hashes[name, bars], expected)


@hypothesis_settings(deadline=None)  # the first example imports note_seq
@given(scores(), st.integers(1, 3))
def test_melody_streams_equal_note_seqs_melodies(score, bars):
    """note_seq's Melody (whose rules Magenta's converter follows) reads every track alike."""
    melodies_lib = pytest.importorskip('note_seq.melodies_lib')
    from note_seq import sequences_lib

    from mvae.music.midi import to_note_sequence

    notes = score.notes.select(~score.notes.is_drum & (score.notes.program == 0))
    form, expected = make_form('melody', bars, MAGENTA), set()
    for track in np.unique(notes.track):
        own = notes.select(notes.track == track)
        quantized = sequences_lib.quantize_note_sequence(to_note_sequence(own, 60.0), 1)
        position = 0
        while True:
            melody = melodies_lib.Melody()
            melody.from_quantized_sequence(
                quantized,
                search_start_step=position,
                instrument=int(track),
                gap_bars=1,
                pad_end=True,
                ignore_polyphonic_notes=True,
            )
            if not len(melody):
                break
            position = melody.end_step
            events = np.array(list(melody))
            tokens = np.where(events < 0, events + 2, events - 19)
            for begin in range(0, len(tokens) - bars * 4 + 1, 4):
                window = tokens[begin : begin + bars * 4, None]
                expected.add(tuple(form.clean(window[None])[0, :, 0].tolist()))
    expected.discard((0,) * (bars * 4))
    if len(notes):
        assert contents(score, 'melody', bars) == expected


BAR = [(0, 0, 60, 0, 1), (0, 0, 62, 2, 3), (0, 0, 64, 4, 5), (0, 0, 60, 7, 8)]
APART = [(0, 0, 60, 0, 4), (1, 33, 40, 40, 44), (2, None, 36, 80, 81)]


@pytest.mark.parametrize(
    'notes, settings, name, reason',
    [
        ([(0, None, 36, 0, 8)], {}, 'melody', Reason.NO_MELODY),
        ([(0, 33, 40, 0, 8), (1, None, 36, 0, 8)], {}, 'trio', Reason.NO_MELODY),
        ([(0, None, 36, 0, 8)], {}, 'bass', Reason.NO_BASS),
        (BAR, {}, 'drums', Reason.NO_DRUMS),
        (BAR, {}, 'trio', Reason.NO_BASS),
        ([(0, None, 13, 0, 8)], {}, 'drums', Reason.NO_DRUMS),
        (BAR[:2], {}, 'melody', Reason.TOO_SHORT),
        ([(0, 0, 60, 0, 1), (1, 0, 60, 0, 8)], {}, 'melody', Reason.TOO_SHORT),
        ([(0, 0, 60, 0, 1), (0, 0, 60, 9, 10)], {}, 'melody', Reason.RESTS),
        ([(0, 0, 60, 0, 8)], {'min_pitch_classes': 2}, 'melody', Reason.ONE_PITCH_CLASS),
        ([*BAR, (0, 0, 67, 7, 8)], {'polyphony': 'reject'}, 'melody', Reason.POLYPHONIC),
        ([(0, 0, 60, 0, 16)], {}, 'melody', Reason.SILENT),
        ([(0, 0, 60, 0, 8), (1, 5, 60, 0, 8)], {}, 'melody', Reason.DUPLICATE),
        (APART, {'gap_bars': 1}, 'trio', Reason.NOT_TOGETHER),
    ],
)
def test_every_reason_is_counted(notes, settings, name, reason):
    extraction = extract(make_score(*notes), ExtractSettings(MAGENTA, bars=(2,), **settings))
    assert extraction.rejections[name, reason] >= 1


def test_a_file_of_no_use_is_rejected_whole():
    settings = ExtractSettings(MAGENTA, max_notes=3, max_steps=100)
    for score, reason in [
        (make_score((0, 0, 60, 0, 4), meter=(3, 4)), Reason.WRONG_METER),
        (Score(Notes.empty(), [], [], [], [], []), Reason.EMPTY),
        (make_score(*BAR), Reason.TOO_LARGE),
        (make_score((0, 0, 60, 100, 104), (0, 0, 62, 104, 105)), Reason.TOO_LARGE),
    ]:
        with pytest.raises(Rejected) as error:
            extract(score, settings)
        assert error.value.reason is reason and error.value.detail == str(error.value)


def test_a_part_in_another_meter_is_counted_and_the_rest_used():
    score = make_score(*BAR, *[(0, 0, 60, start, start + 1) for start in range(8, 14)])
    score = Score(score.notes, [0.0], [60.0], [0.0, 8.0], [4, 3], [4, 4])
    extraction = extract(score, ExtractSettings(MAGENTA, bars=(2,)))
    assert (
        len(extraction.windows['melody', 2]) == 1
        and extraction.rejections['file', Reason.WRONG_METER] == 1
    )


def test_long_sections_are_truncated():
    score = make_score(*[(0, 0, 60 + step % 13, step, step + 1) for step in range(64)])
    extraction = extract(score, ExtractSettings(MAGENTA, bars=(2,), max_bars_per_section=5))
    assert len(extraction.tokens) == 20 and len(extraction.windows['melody', 2]) == 4


@pytest.mark.parametrize(
    'name, value',
    [
        ('polyphony', 'low'),
        ('forms', ('led',)),
        ('bars', ()),
        ('bars', (0,)),
        ('max_rest_bars', 0),
        ('gap_bars', -1),
    ],
)
def test_impossible_settings_are_refused(name, value):
    with pytest.raises(InputError):
        ExtractSettings(**{name: value})


def test_tracks_that_are_refused_are_not_missing():
    chord = [*BAR, (0, 0, 67, 7, 8)]
    settings = ExtractSettings(MAGENTA, ('melody', 'trio'), (2,), polyphony='reject')
    rejections = extract(make_score(*chord, (1, None, 36, 0, 8)), settings).rejections
    assert rejections == {
        ('melody', Reason.POLYPHONIC): 1,
        ('trio', Reason.POLYPHONIC): 1,
        ('trio', Reason.NO_BASS): 1,
    }


@pytest.mark.parametrize('steps_per_quarter', [1, 2, 4, 6])
def test_any_number_of_bars_and_steps_per_quarter(steps_per_quarter):
    notation = Notation(steps_per_quarter=steps_per_quarter)
    notes = [
        (track, program, low + (bar * 5 + n) % 11, 4 * bar + n, 4 * bar + n + 1)
        for track, program, low in ((0, 0, 60), (1, 33, 30), (2, None, 35))
        for bar in range(6)
        for n in range(4)
    ]
    extraction = extract(make_score(*notes), ExtractSettings(notation, bars=(4, 1, 3, 1)))
    assert len(extraction.tokens) == 3 * 6 * 4 * steps_per_quarter
    assert set(extraction.windows) == {(name, bars) for name in USUAL_FORMS for bars in (1, 3, 4)}
    for (name, bars), offsets in extraction.windows.items():
        assert (offsets % (4 * steps_per_quarter) == 0).all() and len(offsets) == 7 - bars
        windows = read_windows(extraction, name, bars, notation=notation)
        assert windows.shape[1] == bars * 4 * steps_per_quarter
        assert (windows[:, ::steps_per_quarter] > 0).all()  # an onset on every quarter


def test_a_track_that_is_melody_and_bass_is_stored_once():
    low = [(track, program, pitch - 24, *times) for track, program, pitch, *times in BAR]
    extraction = extract(make_score(*low), ExtractSettings(MAGENTA, bars=(2,)))
    assert len(extraction.tokens) == 8
    for name in ('melody', 'bass'):  # files without a bass program: their lowest track
        assert extraction.windows[name, 2].tolist() == [[0]]
