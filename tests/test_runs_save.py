"""A model that is saved comes back and plays the same, from its file, its folder, or a hub.

Its card is what hubs read.
"""

import dataclasses
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import console
import numpy as np
import pytest
from run_maker import save_tiny

import mvae
from mvae.errors import InputError
from mvae.runs import hub
from mvae.runs.card import front_matter
from mvae.runs.released import RELEASED, home


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp('run'), 'trio', 2, 'hier')


@pytest.fixture(scope='module')
def model(run):
    return mvae.load(run)


def _same(a, b):
    assert (a.config, a.step, dict(a.metrics), list(a.priors)) == (
        b.config, b.step, dict(b.metrics), list(b.priors)
    )  # fmt: skip
    for x, y in zip(a.sample_tokens(8, 0.0, seed=1), b.sample_tokens(8, 0.0, seed=1), strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize('name', ['a.npz', 'a', 'new/folder'])
def test_what_was_saved_is_loaded_and_saved_again(model, tmp_path, name):
    model.save(tmp_path / name)
    again = mvae.load(tmp_path / name)
    _same(model, again)
    again.save(tmp_path / 'again.npz')
    _same(model, mvae.load(tmp_path / 'again.npz'))


def test_a_released_model_is_saved_as_it_is(tmp_path):
    model = mvae.load('mel2')
    model.save(tmp_path / 'mine')
    _same(model, mvae.load(tmp_path / 'mine'))
    file, released = tmp_path / 'mine/model.npz', RELEASED / 'mel2.npz'
    assert file.stat().st_size < 1.01 * released.stat().st_size
    with pytest.raises(InputError, match='holds one checkpoint, of step 6000, and not 7'):
        mvae.load(tmp_path / 'mine', 7)


def test_the_card_has_what_hubs_read(model, tmp_path):
    yaml = pytest.importorskip('yaml')
    model.save(tmp_path / 'mine', license='cc-by-4.0', about='my tunes: "folk" & more')
    _, block, text = (tmp_path / 'mine/README.md').read_text().split('---\n', 2)
    found = yaml.safe_load(block)
    assert found['license'] == 'cc-by-4.0' and found['library_name'] == 'mvae'
    assert {'music', 'midi', 'melody', 'bass', 'drums'} <= set(found['tags'])
    assert found['pipeline_tag'] == 'audio-to-audio'
    assert '# mine' in text and 'my tunes: "folk" & more' in text and '2 bars of trio' in text
    assert 'license' not in yaml.safe_load(front_matter(model).split('---\n')[1])


def test_a_card_says_the_meter_of_its_model(model, tmp_path):
    config = model.config.copy_and_resolve_references()
    config.music.meter = '6/8'
    dataclasses.replace(model, config=config).save(tmp_path / 'jig')
    card = (tmp_path / 'jig/README.md').read_text()
    assert 'Notation: 6/8, 4 steps to a quarter, pitches 0..127' in card and '4/4' not in card


def test_hubs_own_reader_reads_the_card(model, tmp_path):
    client = pytest.importorskip('huggingface_hub')
    model.save(tmp_path / 'mine', license='apache-2.0')
    data = client.ModelCard.load(tmp_path / 'mine' / 'README.md').data
    assert (data.license, data.library_name) == ('apache-2.0', 'mvae') and 'trio' not in data.tags


@pytest.mark.parametrize('license', ['CC BY 4.0', '', 'mit\ntags: [x]', 'a: b'])
def test_a_licence_that_hubs_do_not_know_is_refused_before_anything_is_written(
    model, tmp_path, license
):
    with pytest.raises(InputError, match='hubs have names for licences, such as cc-by-4.0'):
        model.save(tmp_path / 'mine', license=license)
    assert not list(tmp_path.iterdir())


def test_a_card_that_is_there_stays_and_a_run_is_left_alone(model, run, tmp_path):
    (tmp_path / 'README.md').write_text('mine')
    model.save(tmp_path)
    assert (tmp_path / 'README.md').read_text() == 'mine' and mvae.load(tmp_path).step == 0
    with pytest.raises(InputError, match='is the folder of a run'):
        model.save(run)
    assert not (run / 'model.npz').exists()
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match='cannot write'):
        model.save(tmp_path / 'file')


def test_commands_take_a_saved_folder(model, tmp_path):
    model.save(tmp_path / 'mine')
    done = console.mvae('sample', tmp_path / 'mine', '--n', 1, '--seed', 3)
    assert done.returncode == 0 and (tmp_path / 'mine/samples/seed-3/sample_1.mid').exists(), (
        done.stderr
    )


@pytest.fixture
def fake_hub(model, tmp_path, monkeypatch):
    """Stands for the client: a folder of repositories, and what was asked of it."""
    asked = []

    def hf_hub_download(repo_id, filename, *, revision=None):
        asked.append((repo_id, filename, revision))
        found = tmp_path / 'hub' / repo_id / filename
        if not found.exists():
            raise OSError(f'404: no {repo_id}\nand more')
        return str(found)

    model.save(tmp_path / 'hub/me/tunes')
    client = SimpleNamespace(hf_hub_download=hf_hub_download)
    monkeypatch.setitem(sys.modules, 'huggingface_hub', client)
    return asked


def test_a_model_comes_from_a_hub(model, fake_hub):
    _same(model, mvae.load('hf://me/tunes'))
    _same(model, mvae.load(Path('hf://me/tunes@v1.0')))  # a Path has one slash
    assert fake_hub == [('me/tunes', 'model.npz', None), ('me/tunes', 'model.npz', 'v1.0')]
    assert home('hf://me/tunes') == Path('runs/released/me--tunes')


def test_what_a_hub_does_not_have_is_said_in_a_line(fake_hub):
    with pytest.raises(InputError, match='cannot fetch model.npz of me/none .*: 404: no me/none$'):
        mvae.load('hf://me/none')
    for address in ('hf://me', 'hf://me/a/b', 'hf:me/a', 'hf://../../etc', 'hf://me/a b'):
        with pytest.raises(InputError, match='write hf://OWNER/NAME'):
            mvae.load(address)


def test_without_the_client_the_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    with pytest.raises(InputError, match=r"pip install 'mvae\[hub\]'"):
        hub.fetch('hf://me/tunes')


def test_a_damaged_file_of_a_hub_is_refused(fake_hub, tmp_path):
    (tmp_path / 'hub/me/tunes/model.npz').write_bytes(json.dumps({}).encode())
    with pytest.raises(InputError, match='no model file of mvae'):
        mvae.load('hf://me/tunes')
    shutil.rmtree(tmp_path / 'hub')
