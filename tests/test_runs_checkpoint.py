"""Checkpoints of a run: what of another version is refused, by training and by reading."""

import json

import jax
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
