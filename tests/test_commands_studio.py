"""`mvae studio` as a program."""

import signal
import subprocess
import sys
import urllib.request

import console
import pytest
from run_maker import save_tiny


@pytest.fixture(scope='module')
def tiny_run(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp('studio') / 'mine', 'melody', 2, 'flat')


def _program(*arguments):
    return console.mvae('studio', *arguments)


def test_a_page_is_written_whole_and_the_same_each_time(tiny_run, tmp_path):
    done = _program(tiny_run, '--export', tmp_path / 'page.html')
    assert done.returncode == 0, done.stderr
    assert f'{tmp_path / "page.html"}: ' in done.stdout and 'open it in a browser' in done.stdout
    page = (tmp_path / 'page.html').read_bytes()
    assert page.startswith(b'<!doctype html>') and page.rstrip().endswith(b'</html>')
    assert b'"name":"mine"' in page and str(tmp_path).encode() not in page
    _program(tiny_run, '--export', tmp_path / 'again.html')
    assert (tmp_path / 'again.html').read_bytes() == page


def test_a_model_that_is_not_there_is_one_line_and_writes_nothing(tiny_run, tmp_path):
    done = _program(tiny_run, 'nowhere', '--export', tmp_path / 'page.html')
    assert done.returncode == 2 and done.stderr.count('\n') == 1
    assert 'nowhere holds no checkpoints' in done.stderr and not list(tmp_path.iterdir())


def test_two_models_of_one_name_are_told_apart(tiny_run, tmp_path):
    done = _program(tiny_run, tiny_run, '--export', tmp_path / 'page.html')
    assert done.returncode == 2 and 'two models are called mine' in done.stderr


def test_it_serves_until_it_is_interrupted(tiny_run):
    command = [sys.executable, '-m', 'mvae', 'studio', str(tiny_run), '--port', '0', '--no-open']
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = iter(process.stdout.readline, '')
            address = next(line for line in lines if 'http://' in line).split()[1]
            with urllib.request.urlopen(address, timeout=30) as answer:
                assert answer.read().startswith(b'<!doctype html>')
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
    assert process.returncode == 0 and 'Traceback' not in said
