"""Melodies with chords, window by window as Magenta's own converter made them of files."""

import json
import tarfile

import note_seq
import numpy as np
import pytest
from magenta_numbers import SHARED, needs_shared

from mvae.music.extract import ExtractSettings, extract
from mvae.music.forms import make_form
from mvae.music.midi import from_note_sequence
from mvae.music.notation import Notation
from mvae.music.tracks import ALL_DRUMS, Programs

NOTATION = Notation(min_pitch=21, max_pitch=108)
FORM = make_form('lead', 2, NOTATION)
# Windows whose chords differ: of one pitch class alone several chords are as likely, and Magenta
# does not see a chord behind the last note.
OTHER_CHORDS = {'mus_e3m7.mid': 3, 'test0_9.mid': 3, 'JFanfare 5.mid': 5}


@pytest.fixture
def every_track(monkeypatch):
    """Magenta takes basses for melodies, too."""
    monkeypatch.setattr(Programs, 'claims', lambda self, track: track.number != ALL_DRUMS)


@needs_shared
@pytest.mark.usefixtures('every_track')
def test_windows_and_their_chords_equal_those_of_magentas_converter():
    folder = SHARED / 'converters'
    converted = dict(np.load(folder / 'cat-mel_2bar_med_chords.npz'))
    cases = json.loads((folder / 'melody_cases.json').read_text())
    windows = np.stack([converted[name].astype(int) for name in ('tokens', 'chord_tokens')], -1)
    compared = 0
    for number, (case, data) in enumerate(zip(cases, midi_of(cases), strict=True)):
        theirs = set(map(as_value, windows[converted['case_index'] == number]))
        ours = {as_value(window) for window in windows_of(data, case['given_chords'])}
        others = OTHER_CHORDS.get(case['file'].split('/')[-1], 0)
        assert len(ours - theirs) == others
        assert {melody(one) for one in ours - theirs} <= {melody(one) for one in theirs}
        lacking = {melody(one) for one in theirs - ours}
        assert all(one in map(melody, ours) or not any(one) for one in lacking)  # or it is silent
        compared += len(ours & theirs)
    assert compared == 523  # of 548 different ones


def midi_of(cases):
    """The bytes of each case's file, read in the order of the archives."""
    wanted = {case['file'] for case in cases}
    found = {}
    for name in ('gamemusic', 'folk44'):
        with tarfile.open(SHARED.parent / 'data' / f'{name}.tar.xz') as archive:
            for member in archive:
                file = next((f for f in wanted if f.endswith(member.name)), None)
                if file:
                    found[file] = archive.extractfile(member).read()
    return [found[case['file']] for case in cases]


def windows_of(data, chords):
    sequence = note_seq.midi_to_note_sequence(data)
    for time, text in chords or ():
        sequence.text_annotations.add(time=time, text=text, annotation_type=1)
    settings = ExtractSettings(notation=NOTATION, forms=('lead',), bars=(2,), follow_tempo=False)
    found = extract(from_note_sequence(sequence), settings)
    for offsets in found.windows['lead', 2]:
        columns = [found.tokens[offset : offset + FORM.steps] for offset in offsets]
        yield FORM.clean(np.stack(columns, -1)[None])[0].astype(int)


def as_value(window):
    return tuple(map(tuple, window.tolist()))


def melody(window):
    return tuple(token for token, _ in window)
