"""The studio reads MIDI as Python does, writes what Python reads, and survives broken files."""

import base64

import numpy as np
import pytest
from damage import spoil_midi
from javascript import MUSIC, needs_node, run
from midi_maker import beat, low, midi, song, tune

from mvae.music.forms import make_form
from mvae.music.notation import Notation
from mvae.music.sources import read_source
from mvae.studio.contents import about_form

pytestmark = needs_node
FORMS = {name: make_form(*of) for name, of in {
    'melody': ('melody', 2), 'drums': ('drums', 2), 'trio': ('trio', 16), 'bass': ('bass', 4),
}.items()}  # fmt: skip
READ = """
return given.files.map(text => {
  try {
    const bytes = Uint8Array.from(atob(text), char => char.charCodeAt(0));
    const { tracks, qpm } = readMidi(bytes, given.form);
    const { tokens, said } = windowOf(given.form, tracks);
    return { tokens: tokens.map(values => Array.from(values)), said, qpm };
  } catch (error) {
    return { problem: error.message };
  }
});
"""


def _read(form, *files):
    texts = [base64.b64encode(data).decode() for data in files]
    return run(MUSIC, READ, {'form': about_form(form), 'files': texts})


@pytest.mark.parametrize('name', FORMS)
def test_files_are_read_as_in_python(name):
    form = FORMS[name]
    late = [(start + 40, length, pitch) for start, length, pitch in tune(3, 20)]
    chords = [(start, length + 3, pitch + k) for start, length, pitch in tune(5) for k in (0, 7)]
    files = [
        *(song(seed, bars) for seed, bars in ((0, 20), (1, 2), (2, 5))),
        midi(late, low(late), beat(0)),
        midi(chords, low(tune(4)), [(start, 1, pitch % 60 + 27) for start, _, pitch in tune(6)]),
        midi(low(tune(7)), [], beat(1)),
        midi(tune(8), low(tune(9)), beat(2), qpm=87.0, meter=(2, 2)),
    ]
    for data, found in zip(files, _read(form, *files), strict=True):
        tokens, _ = read_source(data, form.read)
        assert found.get('tokens') == tokens.T.tolist(), found


def test_what_is_done_to_a_file_is_said():
    cropped, silent = _read(FORMS['trio'], song(0), midi(tune(0, 4)))
    assert 'the first 16 of 20 bars taken' in cropped['said'] and cropped['qpm'] == 120
    assert 'no bass and no drums in it' in silent['said']


@pytest.mark.parametrize(
    'data, problem',
    [
        (b'', 'no MIDI file'),
        (b'GIF89a' + bytes(300), 'no MIDI file'),
        (midi(tune(0), meter=(3, 4)), 'in 3/4'),
        (midi(), 'no notes'),
        (midi([], [], beat(0)), 'has no melody'),
        (b'MThd\0\0\0\6\0\1\0\1\xe7\x28', 'in frames'),
    ],
)
def test_what_cannot_be_read_is_one_line(data, problem):
    (found,) = _read(FORMS['melody'], data)
    assert problem in found['problem'] and '\n' not in found['problem']


def test_spoiled_files_give_music_or_one_line():
    rng, whole = np.random.default_rng(0), [song(seed) for seed in range(4)]
    files = [spoil_midi(rng, whole[n % 4], whole[(n + 1) % 4]) for n in range(300)]
    found = _read(FORMS['trio'], *files)
    music = [one for one in found if 'tokens' in one]
    assert 50 < len(music) < 300, 'some can be read, some cannot'
    for one in music:
        FORMS['trio'].check(np.array(one['tokens']).T[None])
    known = ('no MIDI file', 'no notes', 'in frames', 'in it', 'the music is in', 'has no')
    problems = {one['problem'] for one in found if 'problem' in one}
    assert all(any(word in problem for word in known) for problem in problems), problems


@pytest.mark.parametrize('name', FORMS)
def test_what_it_writes_is_read_as_the_same_piece(name):
    form = FORMS[name]
    piece = read_source(song(3), form.read)[0]
    found = run(
        MUSIC,
        """
        const notes = notesOf(given.form, given.tokens.map(values => Int32Array.from(values)));
        const bytes = n => btoa(String.fromCharCode(
          ...writeMidi(given.form, new Array(n).fill(notes), 96, 'a piece ♪')));
        return [bytes(1), bytes(2)];
        """,
        {'form': about_form(form), 'tokens': piece.T.tolist()},
    )
    one, two = map(base64.b64decode, found)
    np.testing.assert_array_equal(read_source(one, form.read)[0], form.canonical(piece))
    score = read_source(one, lambda score: score)
    assert score.title == 'a piece ♪' and abs(score.tempo_qpm[0] - 96) < 1e-3
    both = read_source(two, form.read_all)
    np.testing.assert_array_equal(both, np.stack([piece] * 2)[: len(both)])


def test_notes_that_are_kept_are_counted_and_named():
    form = make_form('trio', 1)
    found = run(
        MUSIC,
        """
        const tokens = given.pieces.map(piece => piece.map(values => Int32Array.from(values)));
        return { ...keptNotes(given.form, ...tokens), words: inWords(given.form, tokens[0]) };
        """,
        {
            'form': about_form(form),
            'pieces': [
                [[62, 0, 0, 0, 64] + [0] * 11, [0] * 16, [3] + [0] * 15],
                [[62, 0, 0, 0, 65] + [0] * 11, [0] * 16, [1] + [0] * 15],
            ],
        },
    )
    assert (found['kept'], found['all']) == (2, 4)
    assert found['words'] == 'melody: C4 D4; bass: silent; drums: kick snare'


@pytest.mark.parametrize('meter', ['3/4', '6/8'])
def test_other_meters_are_read_and_written_as_in_python(meter):
    form = make_form('trio', 4, Notation(meter=meter))
    data = midi(tune(0, 6), low(tune(1, 6)), beat(0, 6), meter=tuple(form.meter))
    piece = read_source(data, form.read)[0]
    found, other = _read(form, data, song(0))
    assert found['tokens'] == piece.T.tolist()
    assert other['problem'] == f'the music is in 4/4; this model plays in {meter}'
    written = run(
        MUSIC,
        """
        const notes = notesOf(given.form, given.tokens.map(values => Int32Array.from(values)));
        return btoa(String.fromCharCode(...writeMidi(given.form, [notes], 96, 'a')));
        """,
        {'form': about_form(form), 'tokens': piece.T.tolist()},
    )
    again = read_source(base64.b64decode(written), form.read)[0]
    np.testing.assert_array_equal(again, form.canonical(piece))
