"""Where the pieces of a listening test come from, and surveys that go on."""

import numpy as np
import pytest
from listening_maker import MELODY, SETTINGS, TUNE, build_songs
from run_maker import save_tiny

from mvae.dataset.store import Store
from mvae.errors import InputError
from mvae.listening.answers import Answers
from mvae.listening.sources import draw_windows, locate
from mvae.listening.survey import open_survey
from mvae.music.forms import make_form


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    return build_songs(tmp_path_factory.mktemp('listening'))


def test_windows_come_from_the_test_split_and_from_different_songs(store):
    store = Store.open(store)
    songs = np.unique(store.songs(MELODY, 'test'))
    windows = store.gather(store.windows(MELODY, 'test'), MELODY)
    songs_of = zip(windows, store.songs(MELODY, 'test'), strict=True)
    every = {tokens.tobytes(): song for tokens, song in songs_of}
    assert len(songs) > 2
    drawn = draw_windows(store, MELODY, len(songs), seed=4)
    assert sorted(every[tokens.tobytes()] for tokens in drawn) == songs.tolist(), 'one of each song'
    np.testing.assert_array_equal(drawn, draw_windows(store, MELODY, len(songs), seed=4))
    assert not np.array_equal(drawn, draw_windows(store, MELODY, len(songs), seed=5))
    count = store.count(MELODY, 'test')
    assert len(np.unique(draw_windows(store, MELODY, count, 0), axis=0)) == len(every), (
        'none is drawn twice'
    )
    with pytest.raises(InputError, match=f'{count} test windows'):
        draw_windows(store, MELODY, count + 1, 0)


def test_sources_are_runs_and_stores_of_one_form_and_length(store, tmp_path):
    mel = save_tiny(tmp_path / 'mel', 'melody', 2, 'flat')
    drum = save_tiny(tmp_path / 'drum', 'drums', 2, 'flat')
    places, form = locate([f'flat={mel}', f'data={mel}', f'folk={store}'], None, None)
    assert form == MELODY and list(places) == ['flat', 'data', 'folk']
    assert [p.is_store for p in places.values()] == [False, True, True] and places[
        'data'
    ].path.parts[0] == 'data'
    assert locate([f'a={store}', f'b={store}'], 'bass', 16)[1] == make_form('bass', 16)
    for specs, name, message in (
        ([f'a={mel}', f'b={drum}'], None, 'a 2-bar melody, b 2-bar drums'),
        ([f'a={mel}', f'b={store}'], 'drums', '--form drums'),
        ([f'a={store}', f'b={store}'], None, 'give --form'),
        ([f'a={mel}', f'a={store}'], None, 'two sources'),
        ([f'a={mel}'], None, 'at least two'),
        ([f'{mel}', f'b={store}'], None, 'name=path'),
        ([f'a={mel}', 'b=no/such/run'], None, 'no/such/run holds no checkpoints'),
    ):
        with pytest.raises(InputError, match=message):
            locate(specs, name, None)


def _made(shift=0):
    return {
        name: np.stack([TUNE, np.where(TUNE > 1, TUNE + up + shift, TUNE)])
        for name, up in (('folk', 2), ('robot', 7))
    }


def test_a_survey_goes_on_with_the_same_sounds_and_refuses_another(tmp_path, monkeypatch):
    monkeypatch.setenv('MVAE_SOUNDFONT', 'none')
    answers, calls = Answers(tmp_path / 'a.sqlite', create=True), []

    def make(shift=0):
        return lambda: calls.append(1) or _made(shift)

    survey = open_survey(answers, MELODY, SETTINGS, make())
    files = {path: path.read_bytes() for path in survey.folder.iterdir()}
    assert (
        len(files) == 4
        and len(set(files.values())) == 3
        and not any('folk' in str(path.name) or 'robot' in path.name for path in files)
    )
    assert open_survey(answers, MELODY, SETTINGS, make()) == survey and len(calls) == 1, (
        'nothing is made anew'
    )
    gone = survey.sound(survey.sounds['robot'][1])
    gone.unlink()
    with pytest.raises(InputError, match='pieces would differ'):
        open_survey(answers, MELODY, SETTINGS, make(shift=1))
    assert not gone.exists()
    open_survey(answers, MELODY, SETTINGS, make())
    assert {path: path.read_bytes() for path in survey.folder.iterdir()} == files
    for name, value in (('seed', 4), ('sources', {'folk': 'x', 'other': 'y'})):
        with pytest.raises(InputError, match=f'another listening test .{name}'):
            open_survey(answers, MELODY, SETTINGS | {name: value}, make())
