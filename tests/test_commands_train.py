"""`mvae train` at tiny: it trains, survives kill -9, is the same in two processes as in
one, and refuses wrong input in one line.
"""

import argparse
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import console
import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest
from midi_maker import song
from run_maker import save_tiny

import mvae
from mvae.commands import experiments, train
from mvae.dataset.build import BuildSettings, build_store
from mvae.dataset.loader import Loader
from mvae.dataset.store import Store
from mvae.model.prior import marginal_kl
from mvae.music.extract import ExtractSettings
from mvae.runs.load import load


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp('midi')
    for n in range(40):
        (folder / f'song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid').write_bytes(
            song(seed=n)
        )
    out = tmp_path_factory.mktemp('data') / 'store'
    build_store(folder, out, BuildSettings(ExtractSettings()), 1)
    return out


def _command(*arguments):
    tiny = ['-m', 'mvae', 'train', '--exp', 'mel2', '--scale', 'tiny']
    return [sys.executable, *tiny, *map(str, arguments)]


def _train(*arguments):
    return console.mvae('train', '--exp', 'mel2', '--scale', 'tiny', *arguments)


def _process(*arguments):
    return subprocess.run(_command(*arguments), capture_output=True, text=True, timeout=200)


def _devices(count):
    flags = f'{os.environ["XLA_FLAGS"]} --xla_force_host_platform_device_count={count}'
    return {**os.environ, 'XLA_FLAGS': flags, 'JAX_PLATFORMS': 'cpu'}


def _free_address():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return f'127.0.0.1:{probe.getsockname()[1]}'


def _wait_for(path):
    end = time.monotonic() + 150
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.02)


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
    jax.tree.map(np.testing.assert_array_equal, load(straight).prior, load(broken).prior)
    lines = [json.loads(line) for line in (broken / 'metrics.jsonl').read_text().splitlines()]
    assert any(
        'validation/accuracy_0' in line and 'validation/baseline_0' in line for line in lines
    )
    other = _train('--data', data, '--run', broken, '--config.model.latent_size=9')
    assert (
        other.returncode == 2
        and 'latent_size 8 -> 9' in other.stderr
        and 'Traceback' not in other.stderr
    )


def test_training_leaves_the_gaussian_of_the_codes_of_validation_windows(data, tmp_path):
    """And what it learned to draw such codes, where settings ask for it."""
    arguments = '--data', data, '--run', tmp_path / 'run', '--steps', 10, '--config.prior.steps=5'
    assert _train(*arguments).returncode == 0
    model = mvae.load(tmp_path / 'run')
    assert np.isfinite(model.learned.draw(4, 0)).all() and model.usual_prior == 'learned'
    loader = Loader(Store.open(data), model.form, None, 0)
    batches = loader.evaluation_batches('validation', 8, limit=model.config.evaluation.windows)
    whole = [model.form.join(batch.streams)[batch.mask > 0] for batch in batches]
    q = model.encode_tokens(np.concatenate(whole))
    mean, covariance = model.prior
    np.testing.assert_allclose(mean, q.mu.mean(0), atol=1e-4)
    np.testing.assert_allclose(
        covariance, np.cov(q.mu.T, bias=True) + np.diag((q.sigma**2).mean(0)), atol=1e-3
    )
    assert model.metrics['marginal_kl_bits'] == pytest.approx(marginal_kl(model.prior), rel=1e-3)


@pytest.mark.filterwarnings('error::RuntimeWarning')
def test_a_model_that_is_not_finite_is_neither_saved_nor_a_bug(data, tmp_path):
    done = _train(
        '--data',
        data,
        '--run',
        tmp_path / 'run',
        '--config.training.learning_rate=1e30',
        '--config.evaluation.every=1',
    )
    assert (
        done.returncode == 2
        and 'not finite at step 1' in done.stderr
        and 'Traceback' not in done.stderr
    )
    assert not list((tmp_path / 'run' / 'checkpoints').glob('[0-9]*'))


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
        (['--processes', '2', '--data', 'no/such/store'], 'MVAE_COORDINATOR'),
        (['--data', 'no/such/store'], 'no/such/store'),
    ],
)
def test_wrong_input_is_one_clear_line(arguments, message):
    done = _train(*arguments)
    assert done.returncode == 2 and message in done.stderr and 'Traceback' not in done.stderr


def test_killed_at_any_moment_and_resumed_it_equals_the_straight_run(data, tmp_path):
    straight, killed = tmp_path / 'straight', tmp_path / 'killed'
    assert _train('--data', data, '--run', straight, '--steps', 10).returncode == 0
    command = _command('--data', data, '--run', killed, '--steps', 10)
    with subprocess.Popen(
        [*command, '--config.training.steps=10'],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        end = time.monotonic() + 150
        while (
            not (killed / 'checkpoints' / '5' / 'commit_success.txt').exists()
            and time.monotonic() < end
        ):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    done = _train('--data', data, '--run', killed, '--steps', 10)
    assert done.returncode == 0, done.stderr
    for x, y in zip(_params(straight), _params(killed), strict=True):
        np.testing.assert_array_equal(x, y)
    steps = [
        json.loads(line)['step'] for line in (killed / 'metrics.jsonl').read_text().splitlines()
    ]
    assert steps == sorted(steps)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_leaves(data, tmp_path, number):
    run = tmp_path / 'run'
    # No checkpoint but the one at the signal, no evaluation.
    every = ['--config.checkpoint.every=100000', '--config.evaluation.every=100000']
    every.append('--config.logging.every=1')
    command = _command('--data', data, '--run', run, '--steps', 100_000, *every)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        end = time.monotonic() + 150
        while (
            not ((run / 'metrics.jsonl').exists() and (run / 'metrics.jsonl').read_text())
            and time.monotonic() < end
        ):
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=100)
    assert (
        process.returncode == 128 + number
        and 'state saved; the same command goes on' in said
        and 'Traceback' not in said
    )
    (step,) = [int(path.name) for path in (run / 'checkpoints').iterdir() if path.name.isdigit()]
    assert step >= 1 and f'stopped at step {step}' in said
    lines = (run / 'metrics.jsonl').read_text().splitlines()
    assert [json.loads(line)['step'] for line in lines] == list(range(1, step + 1))


@pytest.mark.skipif(shutil.which('make') is None, reason='no make')
@pytest.mark.parametrize(
    'to',
    [
        'make',
        pytest.param('group', marks=pytest.mark.slow),
        pytest.param('program', marks=pytest.mark.slow),
    ],
)
def test_sigterm_under_make_saves_and_nothing_goes_on(data, tmp_path, to):
    program = tmp_path / 'venv/bin/mvae'
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho $$ > {tmp_path}/pid\nexec {sys.executable} -m mvae "$@"\n')
    program.chmod(0o755)
    (tmp_path / 'venv/.ready').touch()  # nothing to install
    run = tmp_path / 'run'
    every = [f'--config.{name}.every=100000' for name in ('checkpoint', 'evaluation')]
    arguments = ' '.join(['--run', str(run), '--config.logging.every=1', *every])
    made = [f'VENV={tmp_path}/venv', 'EXP=mel2', 'SCALE=tiny', 'STEPS=100000']
    with subprocess.Popen(
        ['make', 'train', *made, f'DATA={data}', f'ARGS={arguments}'],
        cwd=Path(__file__).parents[1],
        env=os.environ | {'MAKEFLAGS': '', 'MAKELEVEL': ''},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as make:
        _wait_for(run / 'metrics.jsonl')
        while not (run / 'metrics.jsonl').read_text() and make.poll() is None:
            time.sleep(0.02)
        pid = int((tmp_path / 'pid').read_text())
        if to == 'group':
            os.killpg(make.pid, signal.SIGTERM)
        else:
            os.kill(make.pid if to == 'make' else pid, signal.SIGTERM)
        make.wait(100)
    assert make.returncode != 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert any(path.name.isdigit() for path in (run / 'checkpoints').iterdir())


def test_a_damaged_checkpoint_gives_way_to_the_one_before_and_pictures_cut_off_are_made(
    data, tmp_path
):
    run, every = tmp_path / 'run', '--config.evaluation.every=2'
    assert _train('--data', data, '--run', run, '--steps', 3, every).returncode == 0
    (run / 'samples/step_000002/samples.png').unlink()
    for file in (run / 'checkpoints/3/optimizer').rglob('*'):
        if file.is_file() and file.stat().st_size > 1000:
            file.write_bytes(file.read_bytes()[:500])
    done = _train('--data', data, '--run', run, '--steps', 3, every)
    assert done.returncode == 0 and 'checkpoints/3 is damaged' in done.stderr
    assert 'goes on from step 2' in done.stderr and 'Traceback' not in done.stderr
    assert (run / 'samples/step_000002/samples.png').exists()
    assert (run / 'checkpoints/3').exists() and (run / 'checkpoints/damaged-3').exists()


def test_two_processes_equal_one_with_two_devices(data, tmp_path):
    address = _free_address()
    checked = '--config.training.check_replicas_every=5'
    arguments = ['--data', data, '--steps', 10, checked, '--config.prior.steps=3']
    one = subprocess.run(
        _command(*arguments, '--run', tmp_path / 'one'),
        env=_devices(2), capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert one.returncode == 0, one.stderr
    pair = ['--run', tmp_path / 'two', '--coordinator', address, '--processes', 2]
    peers = [
        subprocess.Popen(
            _command(*arguments, *pair, '--process', n),
            env=_devices(1),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for n in (0, 1)
    ]
    said = [peer.communicate(timeout=300)[0] for peer in peers]
    assert [peer.returncode for peer in peers] == [0, 0], said
    for x, y in zip(_params(tmp_path / 'one'), _params(tmp_path / 'two'), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)
    learned = [mvae.load(tmp_path / name).learned for name in ('one', 'two')]
    np.testing.assert_allclose(learned[0].mean, learned[1].mean, rtol=1e-3, atol=1e-3)
    rows = [len(prior.outlines.plan) for prior in learned]
    assert rows[0] == rows[1], "of all processes' rows"


@pytest.mark.slow
def test_eight_processes_of_two_devices_equal_one(data, tmp_path):
    """Sixteen devices, as on a small slice; each process waits for all others, on few cores."""
    arguments = ['--data', data, '--steps', 10, '--config.training.batch_size=16']
    assert _train(*arguments, '--run', tmp_path / 'one').returncode == 0
    all_of_them = [*arguments, '--run', tmp_path / 'eight', '--coordinator', _free_address()]
    peers = [
        subprocess.Popen(
            _command(*all_of_them, '--processes', 8, '--process', n),
            env=_devices(2),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for n in range(8)
    ]
    said = [peer.communicate(timeout=600)[0] for peer in peers]
    assert [peer.returncode for peer in peers] == 8 * [0] and '16 x cpu in 8 processes' in said[0]
    for x, y in zip(_params(tmp_path / 'one'), _params(tmp_path / 'eight'), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)


def test_a_process_that_does_not_come_is_said(data, tmp_path):
    alone = ['--data', data, '--run', tmp_path / 'run', '--patience', 1, '--processes', 3]
    for process, missing in ((0, 'one of the processes 1 to 2 did'), (1, 'process 0 at 127.0.0.1')):
        done = _process(*alone, '--coordinator', _free_address(), '--process', process)
        assert done.returncode == 2 and 'Traceback' not in done.stderr
        assert f'error: {missing}' in done.stderr and 'within 1 s' in done.stderr
    assert not (tmp_path / 'run').exists()


@pytest.mark.slow
def test_a_process_that_is_killed_is_named_and_the_same_command_goes_on(data, tmp_path):
    pair = ['--data', data, '--run', tmp_path / 'run', '--processes', 2]

    def start(*more):
        address = _free_address()
        return [
            subprocess.Popen(
                _command(*pair, '--coordinator', address, '--process', n, *more),
                env={**os.environ, 'JAX_PLATFORMS': 'cpu'},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for n in (0, 1)
        ]

    first, second = start('--steps', 100_000)
    _wait_for(tmp_path / 'run' / 'checkpoints' / '10')
    second.kill()
    second.communicate()
    _, said = first.communicate(timeout=100)
    assert first.returncode == 2 and 'error: process 1 is gone; start all' in said
    assert 'Traceback' not in said
    (step, *_) = sorted(
        (int(p.name) for p in (tmp_path / 'run/checkpoints').iterdir() if p.name.isdigit()),
        reverse=True,
    )
    again = start('--steps', step + 5)
    said = [process.communicate(timeout=300)[0] for process in again]
    assert [process.returncode for process in again] == [0, 0]
    assert f'from step {step}' in said[0]


def test_what_was_learned_on_two_bars_is_a_start_for_sixteen(data, tmp_path):
    two = save_tiny(tmp_path / 'two', 'melody', 2, 'hierdec', seed=3, bar_codes=False)
    done = _train(
        '--exp',
        'mel16',
        '--data',
        data,
        '--run',
        tmp_path / 'sixteen',
        '--steps',
        1,
        f'--config.checkpoint.init_from={two}',
    )
    assert done.returncode == 0, done.stderr
    old, new = load(two), load(tmp_path / 'sixteen')
    assert (old.form.bars, new.form.bars) == (2, 16) and new.config.seed == 0
    moved = [
        np.abs(x - y).max()
        for x, y in zip(jax.tree.leaves(old.params), jax.tree.leaves(new.params), strict=True)
    ]
    assert max(moved) < 0.05, 'one update away from where it started'


def test_a_batch_that_devices_cannot_share_is_refused(data, tmp_path):
    done = _train('--data', data, '--run', tmp_path / 'run', '--config.training.accumulation=3')
    assert (
        done.returncode == 2 and 'not divisible' in done.stderr and not (tmp_path / 'run').exists()
    )


def test_init_from_takes_the_weights_of_another_run(data, tmp_path):
    assert _train('--data', data, '--run', tmp_path / 'old', '--steps', 10).returncode == 0
    done = _train(
        '--data',
        data,
        '--run',
        tmp_path / 'new',
        '--steps',
        1,
        f'--config.checkpoint.init_from={tmp_path / "old"}',
    )
    assert done.returncode == 0, done.stderr
    old, new = (
        _params(tmp_path / 'old'),
        jax.tree.leaves(ocp.StandardCheckpointer().restore(tmp_path / 'new/checkpoints/1/params')),
    )
    assert (
        max(float(np.abs(x - y).max()) for x, y in zip(old, new, strict=True)) < 0.05
    )  # one update away
    other = _train(
        '--data',
        data,
        '--run',
        tmp_path / 'more',
        f'--config.checkpoint.init_from={tmp_path / "old"}',
        '--config.model.latent_size=9',
    )
    assert other.returncode == 2 and 'latent_size 8 there, 9 here' in other.stderr


def test_a_folder_without_write_permission_is_refused(data, tmp_path):
    (tmp_path / 'file').write_text('in the way')
    done = _train('--data', data, '--run', tmp_path / 'file' / 'run')
    assert done.returncode == 2 and 'cannot write' in done.stderr and 'Traceback' not in done.stderr


def test_a_run_folder_of_other_data_is_refused_with_what_to_do(data, tmp_path):
    assert _train('--data', data, '--run', tmp_path / 'run', '--steps', 1).returncode == 0
    (tmp_path / 'midi').mkdir()
    for n in range(40):
        (tmp_path / 'midi' / f'another song {chr(97 + n % 26)}{chr(97 + n // 26)}.mid').write_bytes(
            song(seed=100 + n)
        )
    build_store(tmp_path / 'midi', tmp_path / 'other', BuildSettings(ExtractSettings()), 1)
    done = _train('--data', tmp_path / 'other', '--run', tmp_path / 'run', '--steps', 2)
    assert (
        done.returncode == 2
        and 'holds another run (data ' in done.stderr
        and '--config.checkpoint.init_from=' in done.stderr
    )
    other_seed = _train('--data', data, '--run', tmp_path / 'run', '--steps', 2, '--config.seed=1')
    assert other_seed.returncode == 2 and 'seed 0 -> 1' in other_seed.stderr


def test_a_full_disk_loses_nothing(data, tmp_path):
    """A limit on the size of files stands for the full disk: whatever fails, the line says it and
    no half checkpoint stays.
    """
    command = [
        sys.executable,
        '-m',
        'mvae',
        'train',
        '--exp',
        'mel2',
        '--scale',
        'tiny',
        '--data',
        str(data),
        '--run',
        str(tmp_path / 'run'),
    ]
    limited = ['bash', '-c', 'ulimit -f 60 && exec "$@"', 'bash', *command]
    done = subprocess.run(limited, capture_output=True, text=True, timeout=200)
    assert (
        done.returncode == 2
        and 'error: cannot write a checkpoint' in done.stderr
        and 'run the same command' in done.stderr
    )
    assert list((tmp_path / 'run' / 'checkpoints').iterdir()) == []


def test_the_longer_training_that_is_advised_keeps_what_was_set(capsys):
    c = experiments.load('mel2', None, 'small')
    c.bars, c.training.decay_rate = 4, 0.9998
    settings = ['--config.form=bass', '--config.data.transpose=(-5, 6)']
    options = argparse.Namespace(exp='mel2', settings=settings)
    train._say_how_to_go_on(c, Path('runs/mel2-bass-4bars'), options)
    advised = next(line for line in capsys.readouterr().out.splitlines() if ' train ' in line)
    words = shlex.split(advised.partition(' train ')[2])
    assert words[-3:] == [*settings, '--config.training.decay_rate=0.999950']
    assert words[words.index('--bars') + 1] == '4'
    assert words[words.index('--run') + 1] == 'runs/mel2-bass-4bars-long'
