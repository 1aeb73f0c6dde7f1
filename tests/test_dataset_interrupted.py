"""Builds that are stopped leave nothing half done, and go on with what is done."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from corpus_maker import build, folder_bytes, make, songs

from mvae.dataset import build as build_module
from mvae.dataset import workers

ROOT = Path(__file__).parents[1]


def test_an_interrupted_build_goes_on_with_its_parts(tmp_path, monkeypatch):
    folder = make(tmp_path / 'midi', songs(8))
    straight = folder_bytes(build(folder, tmp_path / 'straight').path)

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build_module.merge, 'merge', interrupt)
        with pytest.raises(KeyboardInterrupt, match='the same command goes on'):
            build(folder, tmp_path / 'out')
    (work,) = [path for path in (tmp_path / 'out.building').iterdir() if path.is_dir()]
    parts = sorted(work.glob('part-*.npz'))
    assert len(parts) == 8 and not (tmp_path / 'out').exists()
    parts[2].unlink()
    parts[5].write_bytes(parts[5].read_bytes()[:100])
    kept = {path: path.stat().st_mtime_ns for path in parts if path.exists()}
    rebuilt = []
    original = workers.extract

    def watch(tasks, *arguments):
        rebuilt.extend(task.target for task in tasks)
        original(tasks, *arguments)

    monkeypatch.setattr(workers, 'extract', watch)
    # So that the parts can be looked at.
    monkeypatch.setattr(build_module.shutil, 'rmtree', lambda *_, **__: None)
    build(folder, tmp_path / 'out')
    assert sorted(rebuilt) == [str(parts[2]), str(parts[5])]
    assert all(
        path.stat().st_mtime_ns == kept[path] for path in parts if path not in (parts[2], parts[5])
    )
    assert folder_bytes(tmp_path / 'out') == straight


@pytest.mark.parametrize('wait', [0.0, 0.1, 0.2])
def test_ctrl_c_while_workers_start_says_one_line(tmp_path, wait):
    make(tmp_path / 'midi', songs(30))
    command = 'data', '--midi', tmp_path / 'midi', '--out', tmp_path / 'out', '--workers', '2'
    process = subprocess.Popen(
        [sys.executable, '-m', 'mvae', *command],
        env=os.environ | {'PYTHONPATH': str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (tmp_path / 'out.building').exists() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(wait)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (0, 130) and 'Traceback' not in errors, errors


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=['Ctrl-C', 'SIGTERM'])
def test_a_signal_leaves_cleanly_and_the_same_command_goes_on(tmp_path, number):
    make(tmp_path / 'midi', songs(300))
    command = [
        sys.executable,
        str(ROOT / 'data' / 'build.py'),
        '--midi',
        tmp_path / 'midi',
        '--out',
        tmp_path / 'out',
    ]
    environment = os.environ | {'PYTHONPATH': str(ROOT)}
    # On a busy machine the build can be done before the signal comes; then once more.
    for _ in range(5):
        shutil.rmtree(tmp_path / 'out', ignore_errors=True)
        process = subprocess.Popen(
            [*command, '--workers', '1'],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        deadline = time.monotonic() + 30
        while (
            not list(tmp_path.glob('out.building/*/part-*.npz'))
            and process.poll() is None
            and time.monotonic() < deadline
        ):
            time.sleep(0.005)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=30)
        if process.returncode != 0:
            break
    assert process.returncode == 128 + number and 'Traceback' not in errors, errors
    assert 'the same command goes on' in errors
    assert not (tmp_path / 'out').exists() and list(tmp_path.glob('out.building/*/part-*.npz'))
    second = subprocess.run(
        [*command, '--workers', '2'], env=environment, capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 0, second.stderr
    assert '300 MIDI files, 300 used' in second.stdout
    third = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert third.returncode == 0 and 'up to date' in third.stdout
