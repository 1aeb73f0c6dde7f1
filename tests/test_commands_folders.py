"""Experiments are found by their files, runs by what was trained."""

from pathlib import Path

import pytest

from mvae.commands import experiments, folders
from mvae.errors import InputError

OWN = """
from mvae.config import experiment_config

def get_config(variant='flat', scale='small'):
    return experiment_config('mine', 'melody', 2, variant or 'flat', scale, paper={}, small={})
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _trained(*names):
    for name in names:
        (Path('runs') / name / 'checkpoints').mkdir(parents=True)


def _folder(variant, data='data/demo', bars=16, form='trio'):
    own = experiments.load('trio16', None, 'small')
    config = experiments.load('trio16', variant, 'small')
    config.data.path, config.bars, config.form = data, bars, form
    return str(folders.folder_of('trio16', own, config))


def test_a_run_folder_tells_what_differs_from_the_experiment():
    assert _folder(None) == 'runs/trio16'
    assert _folder('hier') == 'runs/trio16', 'its own variant'
    assert _folder('flat') == 'runs/trio16-flat'
    assert _folder(None, 'data/mine') == _folder(None, '/elsewhere/mine') == 'runs/trio16-mine'
    assert _folder('flat', 'data/mine') == 'runs/trio16-flat-mine'
    assert _folder(None, bars=4) == 'runs/trio16-4bars'
    assert _folder(None, form='bass') == 'runs/trio16-bass'


def test_what_is_named_exactly_is_found(place):
    _trained('trio16', 'trio16-flat', 'trio16-mine', 'trio16-flat-mine')
    (place / 'data/mine').mkdir(parents=True)
    find, mine = folders.find, Path('data/mine')
    assert find('trio16') == Path('runs/trio16')
    assert find('trio16', 'hier') == Path('runs/trio16'), 'its own variant'
    assert find('trio16', 'flat') == Path('runs/trio16-flat')
    assert find('trio16', None, mine) == Path('runs/trio16-mine')
    assert find('trio16', 'flat', mine) == Path('runs/trio16-flat-mine')
    assert find('trio16', None, Path('data/other')) == Path('runs/trio16'), 'data to evaluate on'


def test_the_only_training_is_found_and_several_are_listed(place):
    _trained('trio16-flat', 'mel2')
    assert folders.find('trio16') == Path('runs/trio16-flat')
    _trained('trio16-mine')
    (place / 'runs/trio16-notes').mkdir()
    with pytest.raises(InputError, match='runs/trio16-flat, runs/trio16-mine; name its folder'):
        folders.find('trio16')


def test_another_variant_is_not_taken_for_the_one_asked_for(place):
    _trained('trio16')
    with pytest.raises(InputError, match='train --exp trio16 --variant flat'):
        folders.find('trio16', 'flat')


def test_what_was_never_trained_is_said(place):
    with pytest.raises(InputError, match='train --exp mel2 trains one; the released model is mel2'):
        folders.find('mel2')
    with pytest.raises(InputError, match='did you mean mel2'):
        folders.find('mel3')


def test_an_experiment_is_one_file(place):
    (place / 'experiments/configs').mkdir(parents=True)
    (place / 'experiments/configs/mine.py').write_text(OWN)
    (place / 'other.py').write_text(OWN)
    assert {'mine', 'mel2', 'trio16'} <= set(experiments.files())
    for name in ('mine', 'other.py'):
        assert experiments.load(name, None, 'tiny').experiment == 'mine'
    own = experiments.load('other.py', None, 'tiny')
    assert folders.folder_of('other.py', own, own) == Path('runs/other')
