"""`mvae export`: where it writes, for what, and what it says where it cannot."""

import subprocess
import sys

import pytest
from run_maker import save_tiny

from mvae.commands import compute, export
from mvae.commands import main as mvae

FOLDERS = [name for name in export.TARGETS if name != 'magenta']


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    alike = {'bar_codes': False, 'decoder_sizes': (24, 24)}
    return save_tiny(tmp_path_factory.mktemp('run'), 'melody', 2, 'flat', **alike)


def _export(*arguments, cwd=None):
    command = [sys.executable, '-m', 'mvae', 'export', *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=cwd)


@pytest.mark.parametrize('target', export.TARGETS)
def test_it_is_written_and_what_is_there_is_left_alone(run, tmp_path, target):
    for package in export.TARGETS[target].packages:
        pytest.importorskip(package)
    output = tmp_path / 'out' if target in FOLDERS else tmp_path / 'out.npz'
    done = _export('--to', target, run, output)
    assert done.returncode == 0 and f'of step 0 of {run}' in done.stdout, done.stderr
    if target in FOLDERS:
        before = {path: path.read_bytes() for path in output.iterdir()}
        again = _export('--to', target, run, output)
        assert again.returncode == 2 and 'exists and is not empty' in again.stderr
        assert before == {path: path.read_bytes() for path in output.iterdir()}
    assert len(list(tmp_path.iterdir())) == 1


def test_output_may_be_the_one_word_beside_a_training_of_ones_own(run, tmp_path):
    (tmp_path / 'runs').mkdir()
    (tmp_path / 'runs/mel2').symlink_to(run)
    for words in (['js'], ['--output', 'js2']):
        done = _export('--to', 'musicvaejs', '--exp', 'mel2', *words, cwd=tmp_path)
        assert done.returncode == 0 and (tmp_path / words[-1] / 'config.json').exists(), done.stderr


def test_what_is_wrong_is_said_in_a_line(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(compute, 'prepare', lambda: None)
    monkeypatch.chdir(tmp_path)
    for words, message in (
        (['--to', 'musicvaejs', str(run)], 'say where to write'),
        (['--to', 'midi', str(run), 'x'], "invalid choice: 'midi'"),
        (['--to', 'musicvaejs', 'trio16', 'x'], 'no code for each bar'),
        (['mel2', 'x.npz'], 'no code for each bar'),
    ):
        assert mvae(['export', *words]) == 2
        assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('target', ['onnx', 'stablehlo'])
def test_packages_that_are_missing_are_named(run, tmp_path, monkeypatch, capsys, target):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    assert mvae(['export', '--to', target, str(run), str(tmp_path / 'x')]) == 2
    assert f"pip install 'mvae[{target}]'" in capsys.readouterr().err
    assert not (tmp_path / 'x').exists()
