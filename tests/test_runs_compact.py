"""One small file instead of a checkpoint: the same model but for float16, found by name, and
refused when damaged.
"""

import dataclasses
import json
from pathlib import Path

import console
import jax
import numpy as np
import pytest
from run_maker import save_tiny

import mvae
from mvae.commands.release import MOST_BYTES
from mvae.errors import InputError
from mvae.runs import compact
from mvae.runs import released as names
from mvae.runs.load import load, load_config, write_file


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp('run'), 'melody', 2, 'flat')


def test_weights_come_back_as_float16_has_them(run, tmp_path):
    model = load(run)
    write_file(tmp_path / 'small.npz', model)
    again = load(tmp_path / 'small.npz')
    for x, y in zip(jax.tree.leaves(model.params), jax.tree.leaves(again.params), strict=True):
        np.testing.assert_array_equal(np.asarray(x).astype(np.float16).astype(np.float32), y)
        assert y.dtype == np.float32
    assert (again.config, again.architecture, again.form, again.step, again.metrics) == (
        model.config, model.architecture, model.form, model.step, model.metrics
    )  # fmt: skip
    jax.tree.map(np.testing.assert_array_equal, again.prior, model.prior)
    assert load_config(tmp_path / 'small.npz').bars == 2
    write_file(tmp_path / 'b.npz', model)
    assert (tmp_path / 'small.npz').read_bytes() == (tmp_path / 'b.npz').read_bytes()


def test_attribute_vectors_come_back_and_wrong_ones_are_refused(run, tmp_path):
    path, model = tmp_path / 'small.npz', load(run)
    vectors = {name: np.linspace(-1, n, model.latent_size, dtype=np.float32)
               for n, name in enumerate(('note_density', 'c_diatonic'))}  # fmt: skip
    write_file(path, dataclasses.replace(model, attributes=vectors))
    again = load(path).attributes
    assert list(again) == list(vectors)
    for name, vector in vectors.items():
        np.testing.assert_allclose(again[name], vector, atol=1e-3)
        assert again[name].dtype == np.float32
    write_file(path, load(run))
    assert load(path).attributes == {} == mvae.load(run).attributes
    for wrong in (np.ones(model.latent_size - 1), np.ones((1, model.latent_size))):
        write_file(path, dataclasses.replace(model, attributes={'density': wrong}))
        with pytest.raises(InputError, match='its vector of density is not of'):
            load(path)


def test_every_four_bits_more_are_ten_times_as_close_and_take_more_bytes(run, tmp_path):
    model = load(run)
    distance, size = [], []
    for bits in compact.BITS:
        write_file(tmp_path / 'small.npz', model, bits=bits)
        again = load(tmp_path / 'small.npz')
        pairs = zip(jax.tree.leaves(model.params), jax.tree.leaves(again.params), strict=True)
        distance.append(max(float(np.abs(x - y).max()) for x, y in pairs))
        size.append((tmp_path / 'small.npz').stat().st_size)
    assert 0 < distance[2] < distance[1] / 10 < distance[0] / 100
    assert size[1] - size[0] < 0.7 * (size[2] - size[0])


def test_a_released_model_is_found_by_its_name_but_a_folder_goes_before_it(
    run, tmp_path, monkeypatch
):
    monkeypatch.setattr(names, 'RELEASED', tmp_path / 'released')
    monkeypatch.chdir(tmp_path)
    write_file(tmp_path / 'released' / 'small2.npz', load(run))
    assert names.released() == ('small2',)
    assert len(mvae.load('small2').sample(1)) == 1
    (tmp_path / 'small2').mkdir()
    with pytest.raises(InputError, match='holds no checkpoints'):
        mvae.load('small2')
    with pytest.raises(InputError, match='holds no checkpoints.*released models: small2'):
        mvae.load('smal2')


def test_what_is_made_of_a_released_model_does_not_hide_it(run, tmp_path, monkeypatch):
    monkeypatch.setattr(names, 'RELEASED', tmp_path / 'released')
    monkeypatch.chdir(tmp_path)
    write_file(tmp_path / 'released' / 'small2.npz', load(run))
    assert names.home('small2') == Path('runs/released/small2') and names.home(run) == run
    names.home('small2').mkdir(parents=True)
    assert mvae.load('small2').form.bars == 2


def test_damaged_files_are_said(run, tmp_path):
    path = tmp_path / 'small.npz'
    write_file(path, load(run))
    whole = path.read_bytes()
    for damaged in (b'', whole[: len(whole) // 2], b'PK' + bytes(100)):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match='small.npz is no model file'):
            load(path)
    with pytest.raises(InputError, match='none.npz does not exist'):
        load(tmp_path / 'none.npz')
    arrays, _, meta = compact.read((path.write_bytes(whole), path)[1])
    first = next(iter(arrays))
    np.savez(
        path,
        **{n: a for n, a in arrays.items() if n != first},
        **{'meta.json': np.frombuffer(json.dumps(meta).encode(), np.uint8)},
    )
    with pytest.raises(InputError, match='its weights are not those of its config'):
        load(path)


def test_the_folder_of_a_checkpoint_is_one_checkpoint(run):
    folder = run / 'checkpoints' / '0'
    for which in ('best', 'latest', 0, '0'):
        assert load(folder, which).step == 0
    for function in (load, load_config):
        with pytest.raises(InputError, match='holds one checkpoint, of step 0, and not 7'):
            function(folder, 7)


def test_a_model_file_holds_one_checkpoint(run, tmp_path):
    path = tmp_path / 'small.npz'
    write_file(path, load(run))
    for which in ('best', 'latest', 0, '0'):
        assert load(path, which).step == 0
    for function in (load, load_config):
        with pytest.raises(InputError, match="holds one checkpoint, of step 0, and not 'nonsense'"):
            function(path, 'nonsense')
    with pytest.raises(InputError, match='and not 7'):
        mvae.load('mel2', 7)


def test_models_of_other_versions_and_notations_are_refused_in_one_line(run, tmp_path):
    path = tmp_path / 'small.npz'
    write_file(path, load(run))
    _, _, meta = compact.read(path)
    model = load(path)
    old = {'format': 1, 'config': {'kind': 'melody'}, 'vocabulary': {}}
    compact.write(path, model.params, None, old)
    with pytest.raises(
        InputError, match='another version of mvae .model format 1, this one reads 2'
    ):
        load(path)
    meta['form']['streams']['melody']['max_pitch'] = 100
    compact.write(path, model.params, None, meta)
    with pytest.raises(InputError, match='max_pitch 127 instead of 100'):
        load(path)


def test_weights_beyond_float16_are_refused(tmp_path):
    with pytest.raises(InputError, match='65,504'):
        compact.write(tmp_path / 'a.npz', {'w': np.array([1e5], np.float32)}, None, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('name', names.released())
def test_released_models_play_and_know_their_card(name):
    file = names.RELEASED / f'{name}.npz'
    assert file.stat().st_size <= MOST_BYTES and name in file.with_suffix('.md').read_text()
    model = mvae.load(name)
    tokens, _ = model.sample_tokens(4, 1.0, seed=0)
    assert tokens.shape[1] == model.form.steps and (tokens > 0).any((1, 2)).all(), (
        'every piece has notes'
    )


def test_a_covariance_comes_back_whole_though_half_of_it_is_kept(run, tmp_path):
    model = load(run)
    root = np.random.default_rng(0).standard_normal((2, model.latent_size, model.latent_size))
    covariance = (root[0] @ root[0].T + np.eye(model.latent_size)).astype(np.float32)
    covariance = np.tril(covariance) + np.tril(covariance, -1).T
    own = dataclasses.replace(model, prior=model.prior._replace(covariance=covariance))
    write_file(tmp_path / 'a.npz', own)
    np.testing.assert_array_equal(load(tmp_path / 'a.npz').prior.covariance, covariance)
    with np.load(tmp_path / 'a.npz') as kept:
        assert not np.triu(kept['prior covariance'], 1).any()


def test_all_released_models_together_are_small():
    assert sum(path.stat().st_size for path in names.RELEASED.glob('*.npz')) <= 50_000_000


def test_the_programs_play_a_single_file(run, tmp_path):
    write_file(tmp_path / 'small.npz', load(run))
    asked = '--n', 2, '--out', tmp_path / 'out', '--png'
    done = console.mvae('sample', tmp_path / 'small.npz', *asked)
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (tmp_path / 'out').iterdir()}
    assert made == {f'sample_{n}.{kind}' for n in (1, 2) for kind in ('mid', 'wav', 'png')} | {
        'samples.png',
        'samples.json',
        'index.html',
        '.collection',
    }


def test_weights_that_are_not_finite_are_refused(run, tmp_path):
    path = tmp_path / 'small.npz'
    write_file(path, load(run))
    with np.load(path) as file:
        arrays = dict(file)
    name = next(name for name in arrays if name.endswith("['bias']"))
    arrays[name][0] = np.inf
    np.savez(path, **arrays)
    with pytest.raises(InputError, match='holds values that are not finite'):
        load(path)


def test_no_flipped_bit_is_loaded(run, tmp_path):
    path = tmp_path / 'small.npz'
    write_file(path, load(run))
    whole, random = path.read_bytes(), np.random.default_rng(0)
    expected = compact.read(path)[0]
    for _ in range(100):
        data = bytearray(whole)
        data[random.integers(len(data))] ^= 1 << random.integers(8)
        path.write_bytes(data)
        try:  # either it is said, or nothing that is read has changed
            found = compact.read(path)[0]
        except InputError:
            continue
        assert all(np.array_equal(values, found[name]) for name, values in expected.items())
