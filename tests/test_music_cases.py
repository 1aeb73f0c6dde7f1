"""Files as people meet them: each is read whole, or says what is missing. Cases made by hand."""

import numpy as np
import pytest

from mvae.dataset.scan import find_files
from mvae.music.drum_clues import named_drums
from mvae.music.extract import ExtractSettings, extract
from mvae.music.forms import make_form
from mvae.music.midi import read_midi
from mvae.music.reasons import Reason, Rejected

SCALE = [60, 62, 64, 65, 67, 69, 71, 72]  # quarters, two bars
SCALE_TOKENS = [t for pitch in SCALE for t in (pitch + 2, 0, 0, 0)]
BEAT = [36, 42, 38, 42] * 4  # eighths
BEAT_TOKENS = [t for hit in (1, 4, 2, 4) * 4 for t in (hit, 0)]


def vlq(value):
    digits = [value & 127]
    while value := value >> 7:
        digits.append(value & 127 | 128)
    return bytes(reversed(digits))


def notes(pitches, channels=(0,), ticks=480):
    """Delta times and messages of notes without gaps; channels take turns."""
    events = []
    for n, pitch in enumerate(pitches):
        channel = channels[n % len(channels)]
        events += [(0, [0x90 | channel, pitch, 80]), (ticks, [0x80 | channel, pitch, 0])]
    return events


def meta(kind, content):
    return 0, [0xFF, kind, *vlq(len(content)), *content]


def sysex(*content):
    return 0, [0xF0, *vlq(len(content)), *content]


def smf(*tracks, form=None, count=None, header=b''):
    """A file with 480 ticks per quarter."""
    data = b'MThd' + (6 + len(header)).to_bytes(4)
    data += (len(tracks) > 1 if form is None else form).to_bytes(2)
    data += (len(tracks) if count is None else count).to_bytes(2) + (480).to_bytes(2) + header
    for track in tracks:
        events = b''.join(vlq(delta) + bytes(message) for delta, message in track)
        events += b'\0\xff\x2f\0'
        data += b'MTrk' + len(events).to_bytes(4) + events
    return data


def read(data, name='melody', bars=2):
    piece, note = make_form(name, bars).read(read_midi(data))
    return piece[:, 0].tolist(), note


def built(data, name='melody', bars=2, **settings):
    """How many windows a build takes before duplicates, and what it says."""
    extraction = extract(read_midi(data), ExtractSettings(forms=(name,), bars=(bars,), **settings))
    duplicates = extraction.rejections[name, Reason.DUPLICATE]
    return len(extraction.windows[name, bars]) + duplicates, extraction


GS_DRUMS = [0x41, 0x10, 0x42, 0x12, 0x40, 0x1A, 0x15, 0x02, 0x0F, 0xF7]  # part 11, map 2
GS_RESET = [0x41, 0x10, 0x42, 0x12, 0x40, 0x00, 0x7F, 0x00, 0x41, 0xF7]
XG_ON = [0x43, 0x10, 0x4C, 0x00, 0x00, 0x7E, 0x00, 0xF7]
XG_DRUMS = [0x43, 0x10, 0x4C, 0x08, 0x0A, 0x07, 0x02, 0xF7]
SETUP = [sysex(*GS_DRUMS)]


@pytest.mark.parametrize(
    'tracks, clue',
    [
        ([notes(BEAT, (9,), 240)], 'channel 10'),
        ([[meta(3, b'Drums'), *notes(BEAT, (0,), 240)]], 'track name'),
        ([[meta(3, b'Schlagzeug 1'), *notes(BEAT, (4,), 240)]], 'track name'),
        ([[meta(3, b'queen_drums'), *notes(BEAT, (0,), 240)]], 'track name'),
        ([SETUP, notes(BEAT, (10,), 240)], 'sysex'),
        ([notes(BEAT, (10,), 240), SETUP], 'sysex'),
        ([[sysex(*XG_DRUMS), *notes(BEAT, (10,), 240)]], 'sysex'),
        ([[(0, [0xB0, 0, 127]), (0, [0xC0, 0]), *notes(BEAT, (0,), 240)]], 'bank'),
        ([[(0, [0xB3, 0, 120]), (0, [0xC3, 0]), *notes(BEAT, (3,), 240)]], 'bank'),
        ([[sysex(*XG_ON), (0, [0xB0, 0, 126]), *notes(BEAT, (0,), 240)]], 'bank'),
    ],
)
def test_drums_are_known_by(tracks, clue):
    data = smf(*tracks)
    tokens, note = read(data, 'drums')
    assert tokens == BEAT_TOKENS and note == f'drums (by {clue})'
    assert read_midi(data).drum_clues == {clue: 16}
    count, extraction = built(data, 'drums')
    assert count == 1 and dict(extraction.chosen) == {('drums', 'drums', clue): 1}
    assert built(data)[1].rejections['melody', Reason.NO_MELODY] == 1


@pytest.mark.parametrize(
    'tracks',
    [
        [[meta(3, b'bass drum solo melody'), *notes(SCALE)]],
        [[meta(3, b'Drum and Bass'), *notes(SCALE)]],
        [[meta(3, b'Distant Drums'), *notes(SCALE)]],
        [[meta(3, b'Drums'), (0, [0xC0, 73]), *notes(SCALE)]],
        [[sysex(*GS_DRUMS), sysex(*GS_RESET), *notes(SCALE, (10,))]],
        [[(0, [0xB0, 0, 127]), (0, [0xC0, 4]), *notes(SCALE)]],  # an older Roland's piano
        [[sysex(*XG_DRUMS), (0, [0xBA, 0, 0]), *notes(SCALE, (10,))]],
        [[sysex(0x41, 0x10, 0x42, 0x12, 0x40, 0x10, 0x15, 0, 0x1B, 0xF7), *notes(SCALE, (9,))]],
    ],
)
def test_drums_are_none(tracks):
    assert read(smf(*tracks))[0] == SCALE_TOKENS
    assert built(smf(*tracks))[0] == 1


@pytest.mark.parametrize('name', ['Batería', 'PERCUSSION', 'Bass Drum', 'Rock Kit 2', 'ドラム'])
def test_names_of_drums(name):
    assert named_drums(name, 0, np.array([45, 47, 50]))


@pytest.mark.parametrize('name', ['Steel Drums', 'Drummer', 'Drum song chords', 'Bass', ''])
def test_names_of_other_tracks(name):
    assert not named_drums(name, 0, np.array([62, 64, 67]))


@pytest.mark.parametrize('program', [0, 40, 52, 65, 73, 80])
def test_a_melody_is_one_of_any_program(program):
    data = smf([(0, [0xC0, program]), *notes(SCALE * 4)])
    count, extraction = built(data)
    by = 'programs 0-31' if program < 32 else 'the busiest track'
    assert count == 7 and dict(extraction.chosen) == {('melody', 'melody', by): 1}
    assert read(data)[0] == SCALE_TOKENS and f'(by {by})' in read(data)[1]


def test_other_programs_are_left_out_and_counted_or_taken():
    flute = [(0, [0xC1, 73]), *notes([p + 12 for p in SCALE * 4], (1,))]
    data = smf([(0, [0xC0, 0]), *notes(SCALE * 4)], flute, [(0, [0xC2, 33]), *notes(SCALE, (2,))])
    count, extraction = built(data)
    assert count == 7 and extraction.rejections['melody', Reason.OTHER_PROGRAM] == 1
    count, extraction = built(data, melody_programs=(0, 127))
    assert count == 14 and not extraction.rejections['melody', Reason.OTHER_PROGRAM]


def test_channels_are_set_in_any_track():
    low = [pitch - 24 for pitch in SCALE]
    setup = [(0, [0xC0, 0]), (0, [0xC1, 33])]
    data = smf(setup, notes(SCALE), notes([p for p in low for _ in '12'], (1,), 240))
    tokens, note = read(data, 'trio')
    assert tokens == SCALE_TOKENS and 'bass track 2 of 2 (by programs 32-39)' in note
    assert read(data, 'bass')[0] == [t for p in low for t in (p + 2, 0) * 2]
    late = [(960, [0xC0, 33])]
    assert set(read_midi(smf(late, notes(SCALE))).notes.program.tolist()) == {0, 33}
    own = [[(0, [0xC0, p]), *notes(SCALE)] for p in (5, 73)]  # every part on channel 1
    assert read_midi(smf(*own)).notes.program.tolist() == [5] * 8 + [73] * 8


@pytest.mark.parametrize('channels', [range(1, 9), range(16), (0, 3, 9), range(1, 16)])
def test_one_voice_on_many_channels(channels):
    data = smf(notes(SCALE * 4, tuple(channels)))
    assert read(data)[0] == SCALE_TOKENS and built(data)[0] == 7
    assert read(data, bars=8)[0] == SCALE_TOKENS * 4


def test_mpe_plays_chords_on_many_channels():
    zone = [(0, [0xB0, 101, 0]), (0, [0xB0, 100, 6]), (0, [0xB0, 6, 15])]
    on = [(0, [0x91 + n, 60 + 4 * n, 80]) for n in range(3)]
    off = [(480 * (n == 0), [0x81 + n, 60 + 4 * n, 0]) for n in range(3)]
    score = read_midi(smf([*zone, (0, [0xC0, 80]), *on, *off]))
    assert len(set(score.notes.track.tolist())) == 1 and set(score.notes.program) == {80}


def test_parts_on_three_channels_stay_apart():
    chord = [(0, [0x90 + n, 60 + 4 * n, 80]) for n in range(3)]
    off = [(480 * (n == 0), [0x80 + n, 60 + 4 * n, 0]) for n in range(3)]
    assert len(set(read_midi(smf((chord + off) * 8)).notes.track.tolist())) == 3


def test_running_status_goes_on_after_sysex_and_meta():
    track = [(0, [0x90, 60, 80]), (480, [60, 0]), sysex(0x7E, 0x7F, 9, 1, 0xF7), meta(1, b'text')]
    for pitch in SCALE[1:]:
        track += [(0, [pitch, 80]), (480, [pitch, 0])]
    assert read(smf(track))[0] == SCALE_TOKENS


def test_values_above_127_cost_at_most_their_note():
    strange = [(0, [0xB0, 7, 255]), (0, [0xE0, 200, 200]), (0, [0xC0, 130]), (0, [0xA0, 60, 255])]
    assert read(smf(strange + notes(SCALE)))[0] == SCALE_TOKENS
    data = smf([(0, [0x90, 200, 80]), *notes(SCALE), (0, [0x80, 200, 0]), (0, [0x90, 60, 255])])
    score = read_midi(data)
    assert score.lost == {Reason.NO_SUCH_PITCH: 1, Reason.NO_NOTE_OFF: 1} and len(score.notes) == 8
    tokens, note = read(data)
    assert tokens == SCALE_TOKENS and 'left out 1 note of a pitch above 127' in note
    rejections = built(data)[1].rejections
    assert rejections['file', Reason.NO_SUCH_PITCH] == rejections['file', Reason.NO_NOTE_OFF] == 1


def test_containers_and_headers():
    data = smf(notes(SCALE))
    riff = b'RIFF' + (len(data) + 12).to_bytes(4, 'little') + b'RMIDdata'
    riff += len(data).to_bytes(4, 'little') + data
    for whole in (riff, smf(notes(SCALE), header=b'more'), bytes(128) + data):
        assert read(whole)[0] == SCALE_TOKENS


@pytest.mark.parametrize('count', [0, 1, 14])
def test_tracks_are_read_however_many_are_counted(count):
    data = smf([meta(0x51, b'\x07\xa1\x20')], notes(SCALE), form=1, count=count)
    assert read(data)[0] == SCALE_TOKENS


def test_a_track_that_is_cut_off_is_refused():
    data = smf(notes(SCALE), notes(SCALE))
    for end in range(data.rfind(b'MTrk') + 4, len(data)):
        with pytest.raises(Rejected) as caught:
            read_midi(data[:end])
        assert caught.value.reason is Reason.UNREADABLE


@pytest.mark.parametrize('length', [b'\xff' * 3 + b'\x7f', b'\xff' * 99_999, b'\x84\x80\x80\x00'])
def test_events_of_absurd_lengths_are_refused_at_once(length):
    with pytest.raises(Rejected, match='middle of an event'):
        read_midi(smf([(0, [0xFF, 1, *length]), *notes([60, 62])]))


def rubato(bars=16):
    track = []
    for n in range(4 * bars):
        track += [meta(0x51, (500_000 + 8_000 * (n % 3)).to_bytes(3)), *notes([SCALE[n % 8]])]
    return smf(track)


def test_bars_go_on_where_the_tempo_changes():
    assert read(rubato())[0] == SCALE_TOKENS
    assert built(rubato())[0] == 15
    assert built(rubato(), follow_tempo=False)[0] == 0


def test_triplets_that_fall_together_are_counted():
    data = smf(notes(SCALE * 6, ticks=80))  # 24 in a bar
    tokens, note = read(data)
    assert np.count_nonzero(tokens) == 32 and '16 notes fell together' in note
    assert built(data)[1].rejections['melody', Reason.FELL_TOGETHER] == 16


def test_chords_do_not_fall_together():
    chord = [(0, [0x90, 60, 80]), (5, [0x90, 64, 80]), (475, [0x80, 60, 0]), (0, [0x80, 64, 0])]
    assert 'fell' not in read(smf(chord * 8))[1]


def test_a_pickup_in_another_meter_is_named():
    data = smf(
        [meta(0x58, b'\1\2\x18\x08'), *notes([67]), meta(0x58, b'\4\2\x18\x08')] + notes(SCALE)
    )
    tokens, note = read(data)
    assert tokens == SCALE_TOKENS and 'left out what is in 1/4' in note


def test_a_stray_note_far_behind_costs_itself():
    data = smf([*notes(SCALE), (2**27, [0x90, 60, 80]), (480, [0x80, 60, 0])])
    tokens, note = read(data)
    assert tokens == SCALE_TOKENS and 'left out 1 note far behind the music' in note
    count, extraction = built(data)
    assert count == 1 and extraction.rejections['file', Reason.FAR_BEHIND] == 1


def test_a_note_that_nearly_never_ends_is_cut_off():
    data = smf([(0, [0x90, 60, 80]), (2**27, [0x80, 60, 0])])
    assert read(data)[1].endswith('cropped 65536 bars to 2')


def test_files_of_all_suffixes_are_found_and_others_counted(tmp_path):
    for name in ('a.mid', 'b.MID', 'c.midi', 'd.kar', 'e.rmi', 'f.smf', 'g.zip', 'LICENSE'):
        (tmp_path / name).write_bytes(smf(notes(SCALE)))
    for n in range(3):
        (tmp_path / f'{n}.abc').touch()
    (tmp_path / 'info.csv').touch()
    files, others = find_files(tmp_path)
    assert [file.path[0] for file in files] == list('abcdef')
    assert others == {'.abc': 3, '.zip': 1, 'without suffix': 1}
