"""A run and a dataset on object storage (file:// stands for it): machines come and go."""

import json
import os
import signal
import subprocess
import sys

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest
from midi_maker import song

from mvae.commands import main


@pytest.fixture(scope='module')
def storage(tmp_path_factory):
    """A bucket with a dataset, built from files in it by a machine that is gone."""
    bucket = tmp_path_factory.mktemp('bucket')
    (bucket / 'midi').mkdir()
    for n in range(40):
        name = f'song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid'
        (bucket / 'midi' / name).write_bytes(song(seed=n))
    builder = tmp_path_factory.mktemp('builder')
    places = '--midi', f'file://{bucket}/midi', '--out', f'file://{bucket}/data'
    assert _mvae(builder, 'data', *places).returncode == 0
    assert {'.manifest.json', 'store.json', 'tokens.npy'} <= {p.name for p in bucket.glob('data/*')}
    return bucket


def _mvae(disk, *arguments, start=subprocess.run, **more):
    """The program on a machine with this disk."""
    command = [sys.executable, '-m', 'mvae', *map(str, arguments)]
    places = {'XDG_CACHE_HOME': str(disk)}
    more = {'capture_output': True, 'timeout': 200} | more if start is subprocess.run else more
    return start(command, text=True, env=os.environ | places, **more)


def _training(storage, run, *more):
    tiny = 'train', '--exp', 'mel2', '--scale', 'tiny', '--data', f'file://{storage}/data'
    return *tiny, '--run', run, *more


def _params(run, step):
    path = run.absolute() / 'checkpoints' / str(step) / 'params'
    return jax.tree.leaves(ocp.StandardCheckpointer().restore(path))


def _steps_sent(there):
    """The checkpoints that the list of a run's files names."""
    manifest = there / '.manifest.json'
    files = json.loads(manifest.read_text())['files'] if manifest.exists() else []
    names = (name.split('/') for name in files)
    return {int(parts[1]) for parts in names if parts[0] == 'checkpoints'}


@pytest.mark.slow
def test_a_killed_training_goes_on_on_another_machine(storage, tmp_path):
    """After a kill; and equals one that nobody killed, in a folder of its own."""
    address, there = f'file://{storage}/runs/x', storage / 'runs' / 'x'
    forever = _training(storage, address, '--steps', 100_000, '--config.evaluation.every=10')
    killed = _mvae(tmp_path / 'one', *forever, start=subprocess.Popen, stdout=subprocess.DEVNULL)
    try:
        while not _steps_sent(there):
            assert killed.poll() is None
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    done = max(_steps_sent(there))
    again = _training(storage, address, '--steps', done + 5, '--config.evaluation.every=10')
    found = _mvae(tmp_path / 'two', *again)
    assert found.returncode == 0, found.stderr
    assert f'{address}: its copy here is {tmp_path}/two/mvae/file' in found.stdout
    assert f'to {done + 5} in' in found.stdout and 'from step 0' not in found.stdout
    alone = _training(storage, tmp_path / 'x', '--steps', done + 5, '--config.evaluation.every=10')
    assert _mvae(tmp_path / 'three', *alone).returncode == 0
    for x, y in zip(_params(there, done + 5), _params(tmp_path / 'x', done + 5), strict=True):
        np.testing.assert_array_equal(x, y)
    assert (there / 'metrics.jsonl').read_bytes() and list(there.glob('samples/*/*.mid'))


def test_a_model_on_a_storage_trains_on_and_plays(storage, tmp_path, monkeypatch, capsys):
    address = f'file://{storage}/runs/y'
    for disk, start, steps in (('one', 0, 3), ('two', 3, 5)):
        monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / disk))
        assert main([*map(str, _training(storage, address, '--steps', steps))]) == 0
        assert f'from step {start} to {steps} in' in capsys.readouterr().out
    assert main(['sample', address, '--n', '2', '--seed', '3', '--no-wav']) == 0
    assert len(list((storage / 'runs' / 'y').glob('samples/seed-3/*.mid'))) == 2  # sent back
    assert main(['eval', address, '--limit', '8']) == 0
    assert 'most frequent' in capsys.readouterr().out
    assert main(['sample', f'file://{storage}/runs/nothing']) == 2
    assert 'holds no checkpoints' in capsys.readouterr().err
