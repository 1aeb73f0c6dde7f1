"""What the commands that write music share: seeds, tempos, folders, and what they say."""

import dataclasses
import json
import os

import pytest
from midi_maker import midi, song, tune
from run_maker import save_tiny, tiny_prior

from mvae import commands
from mvae.commands import compute, music
from mvae.music.sources import read_qpm
from mvae.runs import learned
from mvae.runs.load import load


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder with a run of a trio, with its learned prior, and files at two tempos."""
    folder = tmp_path_factory.mktemp('music')
    run = save_tiny(folder / 'run', 'trio', 2, 'hier')
    model = load(run)
    prior = tiny_prior(model)
    first = dataclasses.replace(prior, outlines=prior.outlines.take(slice(1)))
    learned.write(run, first, model.params)
    (folder / 'my tune.mid').write_bytes(midi(tune(1, 2), qpm=84))
    (folder / 'band.mid').write_bytes(song(2, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compute, 'prepare', lambda: None)
        patch.setenv('MVAE_SOUNDFONT', 'none')
        yield folder


@pytest.fixture
def call(place, capsys):
    """Runs a command on the run; returns what it said and the folder that it named."""

    def run(name, *arguments, fast=True):
        words = [name, *(['apply'] if name == 'attributes' else []), place / 'run', *arguments]
        words += ['--no-wav'] if fast else []
        assert commands.main(list(map(str, words))) == 0, capsys.readouterr().err
        said = capsys.readouterr().out
        folder = said.splitlines()[-2].rpartition(' in ')[2]
        assert said.splitlines()[-1] == f'Listen and look: {place / "run" / "index.html"}'
        return said, place / folder

    return run


def _bytes(folder):
    return {path.name: path.read_bytes() for path in folder.glob('*.mid')}


def test_each_call_draws_other_pieces_into_another_folder_and_the_seed_draws_them_again(call):
    (said, one), (_, two) = call('sample', '--n', 2), call('sample', '--n', 2)
    seed = json.loads((one / 'samples.json').read_text())['seed']
    assert f'--seed {seed} draws the same again' in said and one.name == f'seed-{seed}'
    assert one.parent.name == 'samples' and one != two
    assert not set(_bytes(one).values()) & set(_bytes(two).values())
    again = [call('sample', '--n', 2, '--seed', seed)[1] for _ in range(2)]
    assert [path.name for path in again] == [f'seed-{seed}-2', f'seed-{seed}-3']
    assert _bytes(one) == _bytes(again[0]) == _bytes(again[1]), 'nothing was overwritten'


def test_a_key_is_written_down_with_what_was_drawn_in_it(call):
    _, folder = call('sample', '--n', 1, '--key', 'A minor')
    assert json.loads((folder / 'samples.json').read_text())['key'] == 'A minor'


def test_sound_is_written_where_nobody_says_otherwise(call):
    _, folder = call('sample', '--n', 1, fast=False)
    assert (folder / 'sample_1.wav').exists()
    assert not (call('sample', '--n', 1)[1] / 'sample_1.wav').exists()


def test_the_tempo_is_that_of_the_first_file_or_the_one_that_is_asked_for(call, place):
    ends = '--start', place / 'my tune.mid', '--end', place / 'band.mid'
    said, folder = call('interpolate', *ends, '--steps', 2)
    assert folder.name == 'my_tune-to-band' and said.count('played at 84 quarters') == 2
    assert json.loads((folder / 'interpolation.json').read_text())['qpm'] == pytest.approx(84)
    made = [*folder.glob('*.mid')]
    assert {round(read_qpm(path)) for path in made if path.name != 'joined.mid'} == {84}
    names = {path.name for path in made}
    assert names == {'given_1_my_tune.mid', 'given_2_band.mid', 'joined.mid'} | {
        f'step_0{n}.mid' for n in (1, 2)
    }
    assert 'draws the same again' not in said, 'nothing was drawn'
    again = call('interpolate', *ends, '--steps', 2)[1]
    assert (folder / 'interpolation.json').read_text() == (again / 'interpolation.json').read_text()
    said, folder = call('infill', place / 'my tune.mid', '--keep-parts', 'melody', '--qpm', 150)
    assert 'played at 150 quarters' in said and 'has no bass' not in said
    assert read_qpm(folder / 'infill_1.mid') == 150 == read_qpm(folder / 'given_1_my_tune.mid')


def test_new_pieces_are_at_the_usual_tempo(call):
    _, folder = call('sample', '--n', 1)
    assert json.loads((folder / 'samples.json').read_text())['qpm'] == 120
    said, folder = call('interpolate', '--steps', 2)
    assert folder.name.startswith('seed-') and folder.name[5:] in said


def test_what_is_silent_and_what_is_kept_is_said_in_words(call, place):
    file = place / 'my tune.mid'
    said, _ = call('interpolate', '--start', file, '--end', place / 'band.mid', '--steps', 3)
    assert f'{file} has no bass and no drums: silent here' in said
    assert "my tune.mid' --keep-parts melody\n" in said, 'a command that can be copied'
    assert 'band.mid has no' not in said
    assert ' of 8 notes kept)' in said and 'the start is ' in said and 'the end is ' in said
    assert 'bass ' in said and 'tokens' not in said


def test_a_model_that_was_released_is_named_for_a_part_alone(place, capsys):
    model = load(place / 'run')
    tokens, _ = model.read(place / 'my tune.mid')
    music.say_silent(model, place / 'run', place / 'my tune.mid', tokens)
    said = capsys.readouterr().out
    assert 'For its melody alone there is the model mel2.' in said and 'To give it bass and' in said


def test_names_of_files_are_short_and_seen():
    from pathlib import Path

    assert music.stem(Path('x/My  own song.mid')) == 'My_own_song'
    assert music.stem(Path('.mid')) == 'mid' and music.stem(Path('...')) == 'piece'
    assert len(music.stem(Path('a' * 250 + '.mid'))) == 60


def test_a_wrong_tempo_and_a_wrong_file_leave_nothing(place, capsys):
    run, tune = str(place / 'run'), str(place / 'my tune.mid')
    before = sorted(os.walk(place / 'run'))
    for arguments, message in [
        (['sample', run, '--qpm', '0'], 'the tempo lies in 1..1000'),
        (['sample', run, '--seed', '-1'], 'a seed is within'),
        (['sample', run, '--key', 'H'], "'H' is no key; give one such as C"),
        (['interpolate', run, '--start', tune, '--end', 'none.mid'], 'none.mid does not exist'),
        (['infill', run, 'none.mid', '--keep', '1'], 'none.mid does not exist'),
    ]:
        assert commands.main(arguments) == 2
        said = capsys.readouterr().err
        assert message in said and said.count('\n') == 1
    assert sorted(os.walk(place / 'run')) == before
