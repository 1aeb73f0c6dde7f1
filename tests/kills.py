"""Kills a tiny training and a build again and again, and shows that nothing is lost or doubled.

    python tests/kills.py --training 100 --build 50 --seed 0

Each is started by the same command until it is through, and is killed (SIGKILL or SIGTERM) at
moments drawn by the seed; every third kill of the training waits for a checkpoint that is being
written. At the end parameters, metrics lines and pictures are those of a training that nobody
killed, and the store has the bytes of one build. Exit code 1 where they are not.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
from midi_maker import song

from mvae.runs.load import load

_SIGNALS = (signal.SIGKILL, signal.SIGTERM)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--training', type=int, default=10, help='kills of the training')
    parser.add_argument('--build', type=int, default=5, help='kills of the build')
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ['JAX_COMPILATION_CACHE_DIR'] = str(place / 'cache')
        os.environ['JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS'] = '0'
        draw = random.Random(options.seed)
        _write_songs(place / 'midi')
        wrong = _kill_builds(place, options.build, draw)
        wrong += _kill_trainings(place, options.training, draw)
    print('\n'.join(wrong) or 'nothing lost, nothing doubled')
    return bool(wrong)


def _write_songs(folder: Path) -> None:
    folder.mkdir()
    for n in range(60):
        (folder / f'{n}.mid').write_bytes(song(seed=n))


def _kill_builds(place: Path, kills: int, draw: random.Random) -> list[str]:
    def command(out: Path) -> list[str]:
        return _mvae('data', '--midi', place / 'midi', '--out', out, '--bars', 2)

    start = time.monotonic()
    _finish(command(place / 'whole'))
    usual = time.monotonic() - start
    started, done = 0, 0
    while done < kills:
        there = _kill(command(place / 'killed'), draw.choice(_SIGNALS), draw.uniform(0.2, usual))
        started, done = started + 1, done + there
        if not there:
            shutil.rmtree(place / 'killed')  # it was through: anew
    _finish(command(place / 'killed'))
    print(f'build: {started} started, {done} killed before their end', flush=True)
    return [] if _bytes(place / 'whole') == _bytes(place / 'killed') else ['the stores differ']


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


def _kill_trainings(place: Path, kills: int, draw: random.Random) -> list[str]:
    steps = 60 * kills

    def command(run: Path) -> list[str]:
        every = {'checkpoint': 5, 'evaluation': 60, 'logging': 1}
        settings = [f'--config.{name}.every={value}' for name, value in every.items()]
        tiny = ('train', '--exp', 'mel2', '--scale', 'tiny', '--steps', steps)
        return _mvae(*tiny, '--data', place / 'whole', '--run', run, *settings)

    straight, killed = place / 'straight', place / 'run'
    _finish(command(straight))
    done, saving, there = 0, 0, True
    while done < kills and there:
        number_of_signal = draw.choice(_SIGNALS)
        writing = killed / 'checkpoints' if done % 3 == 0 else None
        there = _kill(command(killed), number_of_signal, draw.uniform(0, 8), writing)
        done += there
        saving += there and bool(list(killed.glob('checkpoints/*tmp*')))
    _finish(command(killed))
    halves = f'{saving} with a half checkpoint on the disk'
    print(f'training: {done} killed before their end, {halves}', flush=True)
    return _differences(straight, killed, steps)


def _differences(straight: Path, killed: Path, steps: int) -> list[str]:
    wrong = []
    one, two = (jax.tree.leaves(load(run, 'latest').params) for run in (straight, killed))
    if not all(np.array_equal(x, y) for x, y in zip(one, two, strict=True)):
        wrong.append('the parameters differ')
    lines = [(run / 'metrics.jsonl').read_text().splitlines() for run in (straight, killed)]
    trained = [json.loads(line)['step'] for line in lines[1] if 'validation' not in line]
    if trained != list(range(1, steps + 1)):
        wrong.append('metrics lines are lost or doubled')
    if lines[0] != lines[1]:
        wrong.append('metrics lines differ')
    if _bytes(straight / 'samples') != _bytes(killed / 'samples'):
        wrong.append('pictures differ')
    return wrong


def _mvae(*arguments: object) -> list[str]:
    return [sys.executable, '-m', 'mvae', *map(str, arguments)]


def _finish(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _kill(command: list[str], number: int, after: float, writing: Path | None = None) -> bool:
    """Whether the process was still there. writing: wait for a half checkpoint in it instead."""
    quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
    with subprocess.Popen(command, start_new_session=True, **quiet) as process:
        end = time.monotonic() + (60 if writing else after)
        while time.monotonic() < end and process.poll() is None:
            if writing and list(writing.glob('*tmp*')):
                break
            time.sleep(0.002)
        there = process.poll() is None
        if there:
            os.killpg(process.pid, number)
    return there


if __name__ == '__main__':
    sys.exit(main())
