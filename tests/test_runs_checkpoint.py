"""Checkpoints of a run: what of another version is refused, by training and by reading."""

import json

import jax
import numpy as np
import pytest
from ml_collections import FrozenConfigDict
from run_maker import save_tiny, tiny_model

from mvae.errors import InputError
from mvae.runs.checkpoint import Checkpoints, Training
from mvae.runs.load import load
from mvae.training.step import init_state


def test_a_run_of_another_version_is_refused_with_what_to_do(tmp_path):
    run = save_tiny(tmp_path / 'run', 'melody', 2, 'flat')
    file = run / 'checkpoints' / '0' / 'meta' / 'metadata'
    file.write_text(json.dumps(json.loads(file.read_text()) | {'format': 1}))
    model = tiny_model('melody', 2, 'flat')
    t = FrozenConfigDict(model.config.training)
    state = init_state(jax.random.key(0), model.architecture, t)
    like = Training(0, state.params, state.opt_state)
    message = r'another version of mvae \(model format 1, this one reads 2\); name another folder'
    with pytest.raises(InputError, match=message):
        Checkpoints(run, model.config, '').restore(like)
    with pytest.raises(InputError, match='another version of mvae .*; train it anew'):
        load(run)


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
