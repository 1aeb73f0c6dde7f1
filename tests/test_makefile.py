"""The Makefile: several that start at once install once, and targets start the program."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Without what `make test` tells the programs below it: its flags, and variables such as ARGS.
ENVIRONMENT = {'PATH': os.environ['PATH']}
# Stands for Python, and for the one of the environment that it makes.
PYTHON = """#!/bin/sh
echo "$@" >> {log}
case "$*" in
  '-m venv '*) sleep 0.5; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
esac
"""

pytestmark = pytest.mark.skipif(shutil.which('make') is None, reason='no make')


@pytest.fixture
def python(tmp_path):
    (tmp_path / 'python').write_text(PYTHON.format(log=tmp_path / 'log'))
    (tmp_path / 'python').chmod(0o755)
    return [f'PYTHON={tmp_path / "python"}', f'VENV={tmp_path / "venv"}']


def _path_without(program, folder):
    """A PATH with the programs of the usual one, but for one."""
    folder.mkdir()
    for place in ('/bin', '/usr/bin'):
        for path in Path(place).iterdir():
            if path.name != program and not (folder / path.name).exists():
                (folder / path.name).symlink_to(path)
    return str(folder)


@pytest.mark.parametrize('flock', [True, False], ids=['flock', 'no flock'])
def test_several_that_start_at_once_install_once(python, tmp_path, flock):
    path = os.environ['PATH'] if flock else _path_without('flock', tmp_path / 'bin')
    several = [
        subprocess.Popen(
            ['make', 'install', *python],
            cwd=ROOT,
            env=ENVIRONMENT | {'PATH': path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=60)[0] for process in several]
    assert [process.returncode for process in several] == [0, 0, 0], said
    assert sum('Installing mvae' in text for text in said) == 1
    log = (tmp_path / 'log').read_text()
    assert log.count('-m venv') == log.count('--editable .[dev]') == 1
    assert (tmp_path / 'venv/.ready').exists() and not (tmp_path / 'venv.lock.d').exists()


@pytest.mark.parametrize(
    ('words', 'command'),
    [
        ('sample MODEL=trio16', 'mvae sample "trio16"'),
        ('sample EXP=mel16 VARIANT=flat', 'mvae sample --exp "mel16" --variant "flat"'),
        ('eval EXP=mel16 DATA=data/mine', 'mvae eval --exp "mel16" --data "data/mine"'),
        ('gallery EXP=mel16', 'mvae gallery --exp "mel16"'),
        (
            'train EXP=trio16 VARIANT=flat SCALE=small STEPS=5 DATA=data/mine ARGS=--seed',
            'mvae train --exp "trio16" --variant "flat" --data "data/mine" --scale "small" '
            '--steps "5" --seed',
        ),
        ('study', 'mvae study --exp mel16 drum16 trio16'),
        ('table RUNS=runs/a', 'mvae table --runs runs/a'),
        ('listen ARGS=analyse', 'mvae listen analyse'),
        ('gpu DATA=data/mine', 'python benchmarks/gpu.py --data "data/mine"'),
        ('data', 'mvae data --demo'),
        ('data MIDI=x NAME=mine', 'mvae data --midi "x" --out "data/mine"'),
    ],
)
def test_a_target_starts_a_command(words, command):
    done = subprocess.run(
        ['make', '--dry-run', 'READY=setup.cfg', *words.split()],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    last = ' '.join(done.stdout.splitlines()[-1].split())
    assert last.endswith(command) and last.startswith('exec '), done.stderr


def test_a_target_without_what_it_needs_says_so():
    for target in ('train', 'sample', 'table', 'listen'):
        done = subprocess.run(
            ['make', target, 'READY=setup.cfg'],
            cwd=ROOT,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2 and f'make {target} ' in done.stderr
