"""experiments/train.py at tiny: it trains, resumes to the same bytes as an unbroken run, and refuses wrong input in one line."""

import json
import subprocess
import sys

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest
from midi_maker import song

from mvae.dataset.build import BuildSettings, build_store
from mvae.music.extract import ExtractSettings


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp('midi')
    for n in range(40):
        (folder / f'song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid').write_bytes(song(seed=n))
    out = tmp_path_factory.mktemp('data') / 'store'
    build_store(folder, out, BuildSettings(ExtractSettings()), 1)
    return out


def _train(*arguments):
    command = [sys.executable, 'experiments/train.py', '--exp', 'mel2', '--scale', 'tiny', *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


def _params(run):
    path = run.absolute() / 'checkpoints' / '10' / 'params'
    return jax.tree.leaves(ocp.StandardCheckpointer().restore(path))


def test_a_resumed_run_equals_an_unbroken_one(data, tmp_path):
    straight, broken = tmp_path / 'straight', tmp_path / 'broken'
    assert _train('--data', data, '--run', straight, '--steps', 10).returncode == 0
    assert _train('--data', data, '--run', broken, '--steps', 5).returncode == 0
    done = _train('--data', data, '--run', broken, '--steps', 10)
    assert done.returncode == 0 and 'from step 5' in done.stdout
    for x, y in zip(_params(straight), _params(broken), strict=True):
        np.testing.assert_array_equal(x, y)
    lines = [json.loads(line) for line in (broken / 'metrics.jsonl').read_text().splitlines()]
    assert any('validation/accuracy_0' in line and 'validation/baseline_0' in line for line in lines)
    other = _train('--data', data, '--run', broken, '--config.model.latent_size=9')
    assert other.returncode == 2 and 'latent_size 8 -> 9' in other.stderr and 'Traceback' not in other.stderr


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--exp', 'mel12'], 'did you mean mel2'),
        (['--variant', 'hierdek'], 'did you mean hierdec'),
        (['--scale', 'smal'], 'did you mean small'),
        (['--config.training.batchsize=3'], 'did you mean batch_size'),
        (['--config.training.batch_size=many'], 'takes a int'),
        (['--config.trainin.batch_size=3'], 'did you mean training'),
        (['--batch=3'], 'settings are written --config.'),
        (['--processes', '2'], 'MVAE_COORDINATOR'),
        (['--data', 'no/such/store'], 'no/such/store'),
    ],
)
def test_wrong_input_is_one_clear_line(arguments, message):
    done = _train(*arguments)
    assert done.returncode == 2 and message in done.stderr and 'Traceback' not in done.stderr
