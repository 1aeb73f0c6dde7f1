"""The tempo of a source, however it comes."""

import numpy as np
import pytest
from midi_maker import midi, tune

from mvae.errors import InputError
from mvae.music.midi import from_note_sequence, read_midi, to_note_sequence
from mvae.music.notes import Notes, Score
from mvae.music.sources import read_qpm

QUARTERS = Notes.make(np.arange(8) / 2, np.arange(8) / 2 + 0.5, 60, 80, 0, False, 0)


def _score(times, tempos, notes=QUARTERS):
    return Score(notes, times, tempos, [], [], [])


@pytest.mark.parametrize('qpm', [40.0, 96.0, 250.0])
def test_the_tempo_of_a_file_and_of_a_sequence(qpm, tmp_path):
    data = midi(tune(1, 2), qpm=qpm)
    (tmp_path / 'a.mid').write_bytes(data)
    sequence = to_note_sequence(read_midi(data).notes, qpm)
    for source in (data, tmp_path / 'a.mid', str(tmp_path / 'a.mid'), sequence):
        assert read_qpm(source) == pytest.approx(qpm, rel=1e-5)


def test_of_several_tempos_the_one_of_most_notes():
    assert _score([0.0, 0.9], [60.0, 140.0]).qpm == 140
    assert _score([0.0, 3.4], [60.0, 140.0]).qpm == 60
    assert _score([3.4], [140.0]).qpm == 120, 'none is said at the beginning'


def test_where_no_tempo_is_said_or_none_that_can_be_it_is_usual_or_near():
    assert _score([], []).qpm == 120 and _score([0.0], [90.0], Notes.empty()).qpm == 120
    assert _score([0.0], [np.nan]).qpm == 120
    assert _score([0.0], [0.0]).qpm == 1 and _score([0.0], [1e9]).qpm == 1000
    assert from_note_sequence(to_note_sequence(Notes.empty(), 77.0)).qpm == 120


def test_a_source_that_is_none_is_said(tmp_path):
    with pytest.raises(InputError, match='a.mid does not exist'):
        read_qpm(tmp_path / 'a.mid')
