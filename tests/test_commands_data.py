"""Several processes that need the demo corpus at once: one builds it, the others wait."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from midi_maker import song

from mvae.commands import data
from mvae.commands.options import Parser
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


def run_with(*arguments: str) -> None:
    parser = Parser(prog='mvae data')
    data.add_options(parser)
    data.run(parser.parse(arguments))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('--beam-options', 'x'), '--beam-options are for --runner beam'),
        (('--runner', 'beam', '--workers', '2'), 'neither --demo nor --workers'),
        (('--runner', 'beam'), r"needs apache_beam, not installed .* pip install 'mvae\[beam\]'"),
    ],
)
def test_options_of_beam_that_do_not_fit_are_said(tmp_path, monkeypatch, arguments, message):
    monkeypatch.setattr('importlib.util.find_spec', lambda _: None)
    with pytest.raises(InputError, match=message):
        run_with('--midi', str(tmp_path), '--out', str(tmp_path / 'out'), *arguments)


def test_the_command_builds_on_beam(tmp_path, capsys):
    pytest.importorskip('apache_beam')
    for number in range(4):
        (tmp_path / f'melody {number} of the test.mid').write_bytes(song(number))
    folders = '--midi', str(tmp_path), '--out', str(tmp_path / 'out'), '--runner', 'beam'
    with pytest.raises(InputError, match='Beam refuses --beam-options: Unexpected .* Nonsense'):
        run_with(*folders, '--beam-options=--runner=Nonsense')
    run_with(*folders, '--beam-options=--runner=DirectRunner')
    assert '4 MIDI files, 4 used' in capsys.readouterr().out
