"""Checkpoints of a run: what of another version or kind is refused, by training and by reading."""

import dataclasses
import json
import os
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from ml_collections import FrozenConfigDict
from run_maker import save_tiny, tiny_model

from mvae.errors import InputError
from mvae.model.prior import Gaussian
from mvae.runs.checkpoint import Checkpoints, Training
from mvae.runs.load import load, write_file
from mvae.training.step import init_state


def test_a_run_of_another_version_is_refused_with_what_to_do(tmp_path):
    run = save_tiny(tmp_path / 'run', 'melody', 2, 'flat')
    file = run / 'checkpoints' / '0' / 'meta' / 'metadata'
    file.write_text(json.dumps(_unsigned(file) | {'format': 1}))
    model = tiny_model('melody', 2, 'flat')
    t = FrozenConfigDict(model.config.training)
    state = init_state(jax.random.key(0), model.architecture, t)
    like = Training(0, state.params, state.opt_state)
    message = r'another version of mvae \(model format 1, this one reads 2\); name another folder'
    with pytest.raises(InputError, match=message):
        Checkpoints(run, model.config, '').restore(like)
    with pytest.raises(InputError, match='another version of mvae .*; train it anew'):
        load(run)


def _unsigned(file):
    """Metadata without their digests, so that one may write others."""
    meta = json.loads(file.read_text())
    return {name: value for name, value in meta.items() if name != 'digests'}


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp('run'), 'melody', 2, 'flat')


@pytest.fixture
def run(whole, tmp_path):
    """A copy to be damaged."""
    return shutil.copytree(whole, tmp_path / 'run')


@pytest.fixture(scope='module')
def resume():
    """Opens a run to go on with it, and reads where it is: (its step)."""
    model = tiny_model('melody', 2, 'flat')
    t = FrozenConfigDict(model.config.training)
    state = init_state(jax.random.key(0), model.architecture, t)
    like = Training(0, state.params, state.opt_state)
    return lambda run: Checkpoints(run, model.config, '').restore(like).step


def _replace(path: Path, make) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    make(path)


def _to_zeros(path: Path) -> None:
    path.symlink_to('/dev/zero')


@pytest.mark.parametrize('make', [os.mkfifo, _to_zeros])
@pytest.mark.parametrize(
    'name', ['meta/metadata', 'metrics/metrics', 'params/_METADATA', 'params/manifest.ocdbt']
)
def test_devices_and_pipes_are_not_read(run, resume, make, name):
    _replace(run / 'checkpoints' / '0' / name, make)
    with pytest.raises(InputError, match='no regular file'):
        resume(run)
    if not name.startswith('metrics'):  # weights are whole without
        with pytest.raises(InputError, match='no regular file'):
            load(run)


def test_links_to_files_elsewhere_are_followed_and_those_to_folders_are_not(run, resume, tmp_path):
    for file in [path for path in (run / 'checkpoints').rglob('*') if path.is_file()]:
        shutil.move(file, tmp_path / f'{len(os.listdir(tmp_path))}')
        file.symlink_to(tmp_path / f'{len(os.listdir(tmp_path)) - 1}')
    assert load(run).step == resume(run) == 0
    folder = run / 'checkpoints' / '0' / 'params'
    shutil.move(folder / 'd', tmp_path / 'd')
    (folder / 'd').symlink_to(tmp_path / 'd')
    for function in (load, resume):
        with pytest.raises(InputError, match='params/d is a link to a folder'):
            function(run)


@pytest.mark.parametrize('name', ['²', '٣', '-1', '1_0', '0x1', ' 1', '1.partial', 'a' * 200])
def test_folders_of_other_names_are_no_checkpoints(run, resume, name):
    (run / 'checkpoints' / name).mkdir()
    assert load(run).step == load(run, 'latest').step == resume(run) == 0
    with pytest.raises(InputError, match='has no checkpoint'):
        load(run, name)


@pytest.mark.parametrize('text', ['', '[]', '3', 'null', '{}', '{"loss": "a"}', '[' * 5000])
def test_metrics_that_are_none(run, resume, text):
    (run / 'checkpoints' / '0' / 'metrics' / 'metrics').write_text(text)
    with pytest.raises(InputError, match='is damaged'):
        load(run)
    with pytest.raises(InputError, match='metrics is damaged .*; remove this checkpoint'):
        resume(run)


_CHANGES = {
    'format': None,
    'config': [],
    'form': 3,
    'corpus': None,
    'versions': {'jax': 1},
    'config.bars': 10**9,
    'config.variant': 'x',
    'config.form': 'x',
    'config.model': 3,
    'config.model.dtype': 'float64',
    'config.model.latent_size': 2**40,
    'config.model.encoder_sizes': [0],
    'config.music.min_pitch': 'low',
}


@pytest.mark.parametrize('place', _CHANGES)
def test_metadata_that_cannot_be(run, resume, place):
    file = run / 'checkpoints' / '0' / 'meta' / 'metadata'
    meta = _unsigned(file)
    *parents, leaf = place.split('.')
    inside = meta
    for parent in parents:
        inside = inside[parent]
    inside[leaf] = _CHANGES[place]
    file.write_text(json.dumps(meta))
    for function in (load, resume):
        with pytest.raises(InputError) as error:
            function(run)
        assert '\n' not in str(error.value) and len(str(error.value)) < 600


_GONE = {
    'model': {'delay_lines': True},
    'training': {'bars_rate': 0.1, 'bars_recurrence_rate': 0.1},
}


def test_settings_that_are_gone_are_passed_over(run, resume):
    file = run / 'checkpoints' / '0' / 'meta' / 'metadata'
    meta, config = _unsigned(file), load(run).config
    for name, settings in _GONE.items():
        meta['config'][name] |= settings
    file.write_text(json.dumps(meta))
    assert load(run).config == config and resume(run) == 0
    del meta['config']['model']['bar_codes'], meta['config']['prior']  # of before there were any
    file.write_text(json.dumps(meta))
    assert not load(run).config.model.bar_codes


def test_weights_that_a_folder_cannot_hold_are_not_allocated(run):
    file = run / 'checkpoints' / '0' / 'meta' / 'metadata'
    meta = _unsigned(file)
    meta['config']['model'] |= {'encoder_sizes': [2**15], 'decoder_sizes': [2**15] * 4}
    file.write_text(json.dumps(meta))
    with pytest.raises(InputError, match='bytes cannot hold weights of'):
        load(run)


def test_a_prior_that_nothing_can_be_drawn_from_is_refused_at_once(run, tmp_path):
    model = load(run)
    eye, zeros = np.eye(8, dtype=np.float32), np.zeros(8, np.float32)
    for prior in (
        Gaussian(zeros[:7], eye),
        Gaussian(zeros, eye[:7]),
        Gaussian(zeros + np.nan, eye),
        Gaussian(zeros, -eye),
        Gaussian(zeros, np.full_like(eye, np.inf)),
    ):
        write_file(tmp_path / 'a.npz', dataclasses.replace(model, prior=prior))
        with pytest.raises(InputError, match='a.npz is damaged .its prior is no Gaussian over 8'):
            load(tmp_path / 'a.npz')


@pytest.mark.skipif(os.name == 'nt', reason='names are text there')
def test_a_run_whose_name_is_no_text(run, resume):
    odd = run.with_name(os.fsdecode(b'run\xff'))
    run.rename(odd)
    for function in (load, resume):
        with pytest.raises(InputError, match='no UTF-8'):
            function(odd)


def test_no_flipped_bit_is_loaded(tmp_path):
    run = save_tiny(tmp_path / 'run', 'melody', 2, 'flat')
    whole = jax.tree.leaves(load(run).params)
    random, refused = np.random.default_rng(0), 0
    files = [p for p in (run / 'checkpoints/0').rglob('*') if p.is_file() and p.stat().st_size]
    sizes = np.array([path.stat().st_size for path in files])
    for path in random.choice(files, 40, p=sizes / sizes.sum()):
        data = bytearray(path.read_bytes())
        data[random.integers(len(data))] ^= 1 << random.integers(8)
        before = path.read_bytes()
        path.write_bytes(data)
        try:  # either it is said, or nothing that is read has changed
            found = jax.tree.leaves(load(run).params)
            assert all(np.array_equal(x, y) for x, y in zip(whole, found, strict=True))
        except InputError as error:
            assert '\n' not in str(error)
            refused += 1
        path.write_bytes(before)
    assert refused > 20


def test_weights_that_are_not_finite_are_refused(tmp_path):
    model = tiny_model('melody', 2, 'flat')
    broken = jax.tree.map(lambda x: np.full_like(x, np.nan), model.params)
    Checkpoints(tmp_path, model.config, '').save_params(broken, 0)
    with pytest.raises(InputError, match='params hold values that are not finite.*; train it anew'):
        load(tmp_path)
