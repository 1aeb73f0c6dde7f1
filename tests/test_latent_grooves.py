"""Humanize, tap, drumify, add hi-hats: what stays, what comes from the model, and the commands."""

import numpy as np
import pytest
from midi_maker import midi, performed, tune
from run_maker import lively, save_tiny, tiny_model

from mvae.commands import main
from mvae.errors import InputError
from mvae.latent.grooves import TASKS, perform
from mvae.music.drums import DRUM_CLASSES
from mvae.music.groove import played
from mvae.music.midi import read_midi

HAT = 2
RHYTHM = [0, 3, 6, 10, 12, 14, 64, 67]  # in sixteenths: the second pair of bars is silent
PATTERN = [(step, 1, (36, 38, 42)[n % 3]) for n, step in enumerate(RHYTHM)]


def model_of(task):
    return tiny_model('groove', 2, 'flat', reads=TASKS[task].reads)


def read(model, data):
    return model.form.read_whole(read_midi(data))[0]


def test_humanize_keeps_every_hit_and_plays_it():
    model, data = model_of('humanize'), midi(drums=PATTERN)
    piece, note = perform(model, 'humanize', data, temperature=1.0, seed=3)
    given = read(model, data)
    assert piece.shape == given.shape == (80, 27) and note.startswith('groove')
    np.testing.assert_array_equal(piece[:, :9], given[:, :9])
    sound = played(piece)
    assert (sound.velocity[sound.hits] >= 1).all() and not sound.velocity[~sound.hits].any()
    assert len(np.unique(sound.velocity[sound.hits])) > 1 and sound.late[sound.hits].any()


def test_a_model_that_is_told_the_hits_plays_them_like_others():
    model = lively(tiny_model('groove_of_hits', 2, 'flat'))
    data, others = midi(drums=PATTERN), [performed(n, 4) for n in (1, 2)]
    own, *like = [
        perform(model, 'humanize', data, seed=3, like=other)[0] for other in (None, *others)
    ]
    given = read(model, data)
    for piece in (own, *like):
        np.testing.assert_array_equal(piece[:, :9], given[:, :9])
        np.testing.assert_array_equal(piece[:, 27:], given[:, 27:])
    assert (own != perform(model, 'humanize', data, seed=4)[0]).any()
    assert (like[0] != like[1]).any()
    with pytest.raises(InputError, match='told no hits'):
        perform(model, 'tap', data)
    with pytest.raises(InputError, match='whom to play like'):
        perform(model_of('humanize'), 'humanize', data, like=others[0])


def test_a_hit_that_the_model_leaves_out_is_as_loud_as_its_class():
    given, said = np.zeros((2, 4, 27), int)
    given[:, 0] = 1
    given[3, 1], given[3, 10] = 1, 80 * 512
    said[:3, 0], said[:3, 9], said[:3, 18] = 1, np.array([10, 30, 20]) * 512, 512
    kept = played(TASKS['humanize'].keep(given, said))
    assert kept.velocity[:, 0].tolist() == [10, 30, 20, 20] and kept.velocity[3, 1] == 80
    assert (kept.late[:3, 0] < 0).all() and kept.late[3, 0] == 0


def test_add_hats_changes_the_closed_hat_alone():
    model, data = model_of('add-hats'), performed(1, 4)
    piece, _ = perform(model, 'add-hats', data, temperature=1.0)
    given, others = read(model, data), np.tile(np.arange(DRUM_CLASSES) != HAT, 3)
    np.testing.assert_array_equal(piece[:, others], given[:, others])
    assert (piece[:, HAT] != given[:, HAT]).any()


def test_taps_are_their_rhythm_and_silence_stays():
    model = model_of('tap')
    taps = [midi(drums=[(step, 1, pitch) for step in RHYTHM]) for pitch in (36, 51)]
    one, other = (perform(model, 'tap', data, temperature=1.0)[0] for data in taps)
    np.testing.assert_array_equal(one, other)
    assert one[:32].any() and one[64:].any() and not one[32:64].any()
    assert len(played(one).hits.any(0).nonzero()[0]) > 1


def test_drumify_takes_the_rhythm_of_any_track():
    model = model_of('drumify')
    rhythm = [(step, 1, 60 + step) for step in RHYTHM]
    data = midi(melody=tune(1, 5), bass=rhythm)
    expected, _ = perform(model, 'tap', midi(drums=[(step, 1, 38) for step in RHYTHM]))
    piece, note = perform(model, 'drumify', data, track=2)
    np.testing.assert_array_equal(piece, expected)
    assert note == 'the rhythm of track 2 of 2'
    busiest, note = perform(model, 'drumify', data)
    assert note == 'the rhythm of track 1 of 2 (by the most notes)' and len(busiest) == 80


@pytest.mark.parametrize(
    'made, task, options, message',
    [
        (('drums', {}), 'humanize', {}, 'needs a model of groove, this one is of drums'),
        (('groove', {}), 'tap', {}, 'model.reads=taps, this one has all; mvae train'),
        (('groove', {'reads': 'hits'}), 'humanize', {'track': 1}, 'a track is for drumify'),
        (('groove', {'reads': 'taps'}), 'drumify', {'track': 3}, 'no track 3: the file has 1'),
        (('groove', {'reads': 'taps'}), 'waltz', {}, "'waltz' is none of humanize, tap, drumify"),
    ],
)
def test_what_does_not_serve_is_said(made, task, options, message):
    model = tiny_model(made[0], 2, 'flat', **made[1])
    with pytest.raises(InputError, match=message):
        perform(model, task, midi(drums=PATTERN), **options)


def test_music_without_drums_or_notes_is_said():
    with pytest.raises(InputError, match='the music: no drum'):
        perform(model_of('humanize'), 'humanize', midi(melody=tune(1)))
    with pytest.raises(InputError, match='no notes'):
        perform(model_of('drumify'), 'drumify', midi())


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_tiny(tmp_path / 'run', 'groove', 2, 'flat', reads='hits')
    (tmp_path / 'in.mid').write_bytes(midi(drums=PATTERN, qpm=96.0))
    return tmp_path


def test_mvae_humanize_writes_midi_and_sound(place, capsys):
    assert main(['humanize', 'run', 'in.mid', 'out.mid', '--temperature', '1', '--seed', '7']) == 0
    said = capsys.readouterr().out
    assert 'Seed 7' in said and 'out.mid: 5 bars by run' in said and '96 quarters' in said
    score = read_midi((place / 'out.mid').read_bytes())
    assert len(score.notes) == len(PATTERN) and score.qpm == pytest.approx(96, rel=1e-4)
    assert (place / 'out.wav').exists() and len(np.unique(score.notes.velocity)) > 1


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['humanize', 'run', 'in.mid'], 'say which files: mvae humanize MODEL in.mid out.mid'),
        (['tap', 'run', 'in.mid', 'out.mid'], 'tap needs a model with model.reads=taps'),
        (['humanize', 'run', 'in.mid', './in.mid'], 'is the file that is read'),
        (['humanize', 'run', 'in.mid', 'out.wav'], 'no name of a MIDI file'),
        (['humanize', 'run', 'none.mid', 'out.mid'], 'none.mid'),
    ],
)
def test_wrong_input_is_one_line_and_nothing_is_written(place, capsys, arguments, message):
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert message in said and said.count('\n') == 1
    assert sorted(path.name for path in place.iterdir()) == ['in.mid', 'run']
