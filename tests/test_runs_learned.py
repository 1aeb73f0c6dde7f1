"""The learned prior of a run and of a model file: whole, absent, of other weights, damaged."""

import dataclasses

import jax
import numpy as np
import pytest
from run_maker import save_tiny, tiny_config, tiny_model, tiny_prior

from mvae.errors import InputError
from mvae.model.config import model_config
from mvae.model.denoiser import DenoiserConfig
from mvae.musicvae import form_of
from mvae.runs import learned
from mvae.runs.load import load, write_file


@pytest.fixture(scope='module')
def model():
    return tiny_model('melody', 2, 'flat')


@pytest.fixture(scope='module')
def prior(model):
    return tiny_prior(model)


@pytest.fixture
def run(model, prior, tmp_path):
    """A folder with a learned prior, all that reading it takes."""
    learned.write(tmp_path, prior, model.params)
    return tmp_path


def _check_same(found, prior):
    assert found.config == prior.config
    for name in ('mean', 'scale'):
        np.testing.assert_array_equal(getattr(found, name), getattr(prior, name))
    jax.tree.map(np.testing.assert_array_equal, found.outlines, prior.outlines)
    rounded = jax.tree.map(lambda x: x.astype(np.float16).astype(np.float32), prior.params)
    jax.tree.map(np.testing.assert_array_equal, found.params, rounded)


def test_it_comes_back_as_float16_has_it(run, model, prior):
    _check_same(learned.read(run, model.architecture, model.params), prior)
    before = (run / learned.FILE).read_bytes()
    learned.write(run, prior, model.params)
    assert (run / learned.FILE).read_bytes() == before


def test_one_of_an_older_file_was_told_no_traits(run, model, prior):
    """It has neither them nor their number, nor what was transposed."""
    path = run / learned.FILE
    with np.load(path) as file:
        arrays = dict(file)
    for name in ('traits', 'transposed', "['traits']['kernel']", "['traits']['bias']"):
        arrays.pop(f'learned{"" if name[0] == "[" else " "}{name}')
    arrays['learned config'] = arrays['learned config'][:6]
    np.savez(path, **arrays)
    found = learned.read(run, model.architecture, model.params)
    assert found.config == dataclasses.replace(prior.config, traits=0)
    plan, traits, transposed = found.outlines
    np.testing.assert_array_equal(plan, prior.outlines.plan)
    assert traits.shape == (2, 0) and transposed.tolist() == [False, False]
    assert np.isfinite(found.draw(2, 0)).all()


def test_there_is_none_without_a_file_and_of_other_weights(run, model):
    other = jax.tree.map(lambda x: x + 1, model.params)
    assert learned.read(run, model.architecture, other) is None
    (run / learned.FILE).unlink()
    assert learned.read(run, model.architecture, model.params) is None


def test_a_run_is_loaded_with_it(tmp_path, model, prior):
    folder = save_tiny(tmp_path / 'run', 'melody', 2, 'flat')
    assert load(folder).learned is None
    learned.write(folder, prior, load(folder).params)
    for path in (folder, folder / 'checkpoints' / '0'):
        _check_same(load(path).learned, prior)
    learned.write(folder, prior, {})
    assert load(folder).learned is None


def test_a_model_file_holds_it_and_samples_are_of_it(tmp_path, model, prior):
    write_file(tmp_path / 'a.npz', model)
    assert load(tmp_path / 'a.npz').learned is None
    write_file(tmp_path / 'a.npz', dataclasses.replace(model, learned=prior))
    again = load(tmp_path / 'a.npz')
    _check_same(again.learned, prior)
    assert list(again.priors) == ['learned', 'fitted', 'standard']
    tokens, z = again.sample_tokens(2, seed=5)
    np.testing.assert_array_equal(z, again.learned.draw(2, 5))
    np.testing.assert_array_equal(z, again.sample_tokens(2, 1.0, 5, 'learned')[1])
    np.testing.assert_array_equal(tokens, again.decode_tokens(z)), 'greedily'


def _sizes(*values):
    return lambda arrays: arrays.update({'learned config': np.array(values)})


def _nan(name):
    return lambda arrays: arrays.update({name: np.full_like(arrays[name], np.nan)})


def _plans(values):
    return lambda arrays: arrays.update({'learned plans': np.array(values)})


def _traits(values):
    return lambda arrays: arrays.update({'learned traits': values})


_OUT = "learned['out']['kernel']"
_DAMAGE = {
    'heads that do not share the width': _sizes(1, 1, 8, 16, 2, 3, 12),
    'other numbers of codes': _sizes(2, 1, 4, 16, 2, 2, 12),
    'another width': _sizes(1, 1, 8, 32, 2, 2, 12),
    'more layers': _sizes(1, 1, 8, 16, 3, 2, 12),
    'a negative size': _sizes(1, 1, 8, -16, 2, -2, 12),
    'no heads': _sizes(1, 1, 8, 16, 2, 0, 12),
    'a huge size': _sizes(1, 1, 8, 2**31 - 2, 2, 2),
    'the hugest size that may be': _sizes(1, 1, 8, 2**14, 2**14, 2**14),
    'a size beyond all numbers': _sizes(1, 1, 8, np.inf, 2, 2, 12),
    'a size that is no number': _sizes(1, 1, 8, np.nan, 2, 2, 12),
    'too few sizes': _sizes(1, 1, 8, 16, 2),
    'sizes of text': _sizes(*'abcdefg'),
    'sizes of several': _sizes(*[[2, 2]] * 7),
    'one size': lambda arrays: arrays.update({'learned config': np.array(2)}),
    'no sizes': lambda arrays: arrays.pop('learned config'),
    'no weights': lambda arrays: arrays.pop(_OUT),
    'weights of another shape': lambda arrays: arrays.update({_OUT: arrays[_OUT].T}),
    'weights of text': lambda arrays: arrays.update({_OUT: np.full((16, 8), 'a')}),
    'weights that are not finite': _nan(_OUT),
    'a mean that is not finite': _nan('learned mean'),
    'a mean of another shape': lambda arrays: arrays.update({'learned mean': np.zeros(3)}),
    'no plans': lambda arrays: arrays.pop('learned plans'),
    'plans of text': _plans('a'),
    'plans of large numbers': _plans(np.full((2, 1, 1), 2**16)),
    'plans of fractions': _plans(np.full((2, 1, 1), 0.5)),
    'not one plan': _plans(np.zeros((0, 1, 1), np.uint16)),
    'plans of other bars': _plans(np.zeros((2, 2, 1), np.uint16)),
    'a plan of a later bar': _plans(np.ones((2, 1, 1), np.uint16)),
    'a scale of 0': lambda arrays: arrays.update({'learned scale': np.zeros((1, 8))}),
    'other numbers of parts': _sizes(1, 2, 4, 16, 2, 2, 12),
    'fewer traits than it is told': _traits(np.ones((2, 11))),
    'traits of other pieces': _traits(np.ones((3, 12))),
    'traits of text': _traits(np.full((2, 12), 'a')),
    'traits that are not finite': _traits(np.full((2, 12), np.inf)),
    'traits that it is not told': _sizes(1, 1, 8, 16, 2, 2, 0),
    'a negative number of traits': _sizes(1, 1, 8, 16, 2, 2, -12),
    'no traits': lambda arrays: arrays.pop('learned traits'),
    'one that was transposed': lambda a: a.update({'learned transposed': np.ones(1, bool)}),
}


@pytest.mark.parametrize('what', _DAMAGE)
def test_what_is_no_prior_of_the_model_is_refused_with_what_to_do(run, model, prior, what):
    path = run / learned.FILE
    with np.load(path) as file:
        arrays = dict(file)
    _DAMAGE[what](arrays)
    np.savez(path, **arrays)
    with pytest.raises(InputError) as error:
        learned.read(run, model.architecture, model.params)
    _check_line(error, path, run)
    file = run / 'a.npz'  # and as a model file has it
    write_file(file, dataclasses.replace(model, learned=prior))
    with np.load(file) as whole:
        kept = {name: x for name, x in whole.items() if not name.startswith('learned')}
    np.savez(file, **kept, **learned.take_arrays(arrays))
    with pytest.raises(InputError, match='a.npz') as error:
        load(file)
    assert 'is damaged' in str(error.value) and '\n' not in str(error.value)


def _check_line(error, path, run):
    said = str(error.value)
    assert said.startswith(str(path)) and '\n' not in said
    assert said.endswith(f'; remove it, and learn it anew: mvae prior {run}')


def test_a_file_that_was_cut_or_is_none_is_refused_with_what_to_do(run, model):
    path = run / learned.FILE
    whole = path.read_bytes()
    for data in (b'', whole[: len(whole) // 2], whole[:-30], b'PK' + bytes(100)):
        path.write_bytes(data)
        with pytest.raises(InputError) as error:
            learned.read(run, model.architecture, model.params)
        _check_line(error, path, run)


def test_plans_name_bars_that_are_the_first():
    config = DenoiserConfig(3, 1, 8, 16, 2, 2)
    learned._plans(np.array([[[0], [0], [0]], [[0], [1], [1]]], np.uint16), config)
    for wrong in ([[0], [0], [1]], [[0], [2], [2]]):
        with pytest.raises(ValueError, match='not the first'):
            learned._plans(np.array([wrong], np.uint16), config)


def test_a_prior_of_a_model_with_one_code_is_none_of_one_with_two(run, prior):
    c = tiny_config('melody', 2, 'hier')
    arrays = learned.to_arrays(prior)
    with pytest.raises(InputError, match='it is not of 2 codes of 8 numbers'):
        learned.from_arrays(run, arrays, model_config(c, form_of(c)))


@pytest.mark.parametrize('value', [np.nan, np.inf, 1e5])
def test_weights_that_float16_has_not_are_not_written(tmp_path, model, prior, value):
    params = jax.tree.map(lambda x: np.full_like(x, value), prior.params)
    with pytest.raises(InputError, match='too large for float16.*a lower prior.learning_rate'):
        learned.write(tmp_path, dataclasses.replace(prior, params=params), model.params)
    assert not list(tmp_path.iterdir())
