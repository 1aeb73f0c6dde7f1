"""Several processes that need the demo corpus at once: one builds it, the others wait."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mvae.errors import InputError
from mvae.files import locked

ROOT = Path(__file__).parents[1]
# `mvae data --demo` with a corpus of 12 tunes, and a word where tunes are written.
PROGRAM = """
import sys
import mvae.demo as demo
from mvae.commands import main
whole = demo.write_demo_midi
def some(folder, workers):
    print('writing tunes', flush=True)
    whole(folder, workers=1, limit=12)
demo.write_demo_midi = some
if __name__ == '__main__':
    sys.exit(main(['data', '--demo', '--workers', '1']))
"""


def test_one_process_builds_the_demo_corpus_and_the_other_waits(tmp_path):
    (tmp_path / 'program.py').write_text(PROGRAM)
    environment = os.environ | {'PYTHONPATH': str(ROOT)}

    def start():
        return subprocess.Popen(
            [sys.executable, 'program.py'],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    first = start()
    assert first.stdout.readline() == 'writing tunes\n', first.communicate()
    second = start()
    said = [process.communicate(timeout=200) for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert '12 MIDI files' in said[0][0]
    assert said[1][0] == 'data/demo is up to date\n'
    assert said[1][1] == 'another process builds data/demo; waiting for it\n'


def test_a_lock_is_let_go_and_says_nothing_where_it_is_free(tmp_path, capsys):
    for _ in range(2):
        with locked(tmp_path / 'new' / '.lock', 'waiting'):
            pass
    assert capsys.readouterr().err == ''


def test_a_lock_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='cannot write'), locked(tmp_path / 'file' / 'x', 'w'):
        pass
