"""Chords in a file beside the music."""

import numpy as np
import pytest

from mvae.dataset.build import BuildSettings, build_store
from mvae.dataset.scan import find_files, listing_digest
from mvae.errors import InputError
from mvae.music.chord_files import parse
from mvae.music.extract import ExtractSettings
from mvae.music.forms import make_form
from mvae.music.midi import write_midi
from mvae.music.notes import Notes
from mvae.music.reasons import Rejected
from mvae.music.sources import read_source
from mvae.music.symbols import triad_of, triad_of_label

LEAD = make_form('lead', 2)
LAB = '# seconds, label\n0.0 2.0 C:maj\n2.0\t3.0\tA:min7/b7\n\n3.0 4.0 N\n'


def tune():
    """Eighths for two bars at 120, four seconds."""
    start = np.arange(16) / 4
    return write_midi(Notes.make(start, start + 0.25, 60 + np.arange(16) % 5, 80, 0, False, 0))


@pytest.mark.parametrize(
    'label, symbol',
    [
        *(
            ('C:maj', 'C'),
            ('Bb:min', 'Bbm'),
            ('F#:hdim7', 'F#dim'),
            ('G:7/5', 'G'),
            ('D:aug', 'Daug'),
        ),
        *(('E', 'E'), ('E/3', 'E'), ('C:minmaj7', 'Cm'), ('C:9(*3)', 'C'), ('Am7', 'Am')),
        *(
            ('A:sus4(b7)', 'N.C.'),
            ('A:5', 'N.C.'),
            ('Eb:(1,5)', 'N.C.'),
            ('N', 'N.C.'),
            ('X', 'N.C.'),
        ),
    ],
)
def test_labels_are_read_as_their_triads(label, symbol):
    assert triad_of_label(label) == triad_of(symbol)


@pytest.mark.parametrize('label', ['verse', 'H:maj', 'C:foo', ':maj'])
def test_what_is_no_label_is_none(label):
    assert triad_of_label(label) is None


def test_between_chords_there_is_none():
    times, triads = parse(b'1 2 C\n3 4 A:min\n', 'a.lab')
    assert times.tolist() == [0, 1, 2, 3, 4]
    assert triads.tolist() == [0, 1, 0, 22, 0]


@pytest.mark.parametrize(
    'line, why',
    [
        *(
            ('0 1', 'begin and end in seconds'),
            ('x 1 C', 'begin and end'),
            ('2 1 C', 'begin and end'),
        ),
        *(('0 inf C', 'begin and end'), ('nan 1 C', 'begin and end'), ('0 1 Q:maj', 'is no chord')),
    ],
)
def test_what_is_no_list_of_chords_is_refused_with_its_line(line, why):
    with pytest.raises(Rejected, match=f'a.lab, line 2: .*{why}'):
        parse(f'0 1 C\n{line}\n'.encode(), 'a.lab')


def test_sections_and_words_are_left_alone(tmp_path):
    words = '0 1 intro\n1 2 verse\n2 3 A\n3 4 ah\n'
    assert parse(words.encode(), 'a.lab') is None and parse(b'', 'a.lab') is None
    (tmp_path / 'a.mid').write_bytes(tune())
    (tmp_path / 'a.lab').write_text(words)
    assert read_source(tmp_path / 'a.mid', LEAD.read)[1].endswith('chords by what sounds')


@pytest.mark.parametrize(
    'midi, chords', [('tune.mid', 'tune.lab'), ('472/472.mid', '472/chord_midi.txt')]
)
def test_a_file_is_read_with_the_chords_beside_it(tmp_path, midi, chords):
    for name, data in ((midi, tune()), (chords, LAB.encode())):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    piece, note = read_source(tmp_path / midi, LEAD.read)
    assert note == 'melody track 1 of 1 (by programs 0-31), chords by symbols in the file'
    assert LEAD.symbols(piece) == [(0, 'C'), (16, 'Am'), (24, 'N.C.')]
    (tmp_path / chords).write_text('0 1 C\n1 2 what\n')
    with pytest.raises(InputError, match=r'line 2: .what. is no chord'):
        read_source(tmp_path / midi, LEAD.read)


def test_a_build_takes_them_and_sees_when_they_change(tmp_path):
    folder = tmp_path / 'midi'
    folder.mkdir()
    (folder / 'a.mid').write_bytes(tune())
    before = find_files(folder)[0]
    (folder / 'a.lab').write_text(LAB)
    files, others = find_files(folder)
    assert others == {} and listing_digest(files) != listing_digest(before)
    settings = BuildSettings(ExtractSettings(forms=('lead',), bars=(2,)), fractions=(1.0, 0.0, 0.0))
    store = build_store(folder, tmp_path / 'store', settings, 1, quiet=True)
    (window,) = store.gather(store.windows(LEAD, 'train'), LEAD)
    assert LEAD.symbols(window) == [(0, 'C'), (16, 'Am'), (24, 'N.C.')]
