"""The program `mvae` as a whole: exit codes, one line where something is wrong, a quick start."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mvae
from mvae import commands
from mvae.commands import program
from mvae.config import VARIANTS
from mvae.errors import InputError, Interrupted

ROOT = Path(__file__).parents[1]
GUARDED = """
import sys, time
from mvae.commands.program import guarded
from mvae.errors import Interrupted
def program():
    {}
sys.exit(guarded(program))
"""


def _mvae(*arguments, cwd=ROOT, before=''):
    """Runs `mvae`; what is printed at the end of stdout are the heavy packages that it imported."""
    code = (
        f'{before}\nimport sys\nfrom mvae.commands import main\ncode = main(sys.argv[1:])\n'
        'print([x for x in ("jax", "numpy", "ml_collections") if x in sys.modules])\n'
        'sys.exit(code)'
    )
    return subprocess.run(
        [sys.executable, '-c', code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
        cwd=cwd,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
    )


@pytest.mark.parametrize('lines', [1, 100_000])
def test_output_that_nobody_reads_ends_the_program_without_a_traceback(lines):
    reader, writer = os.pipe()
    os.close(reader)
    code = GUARDED.format(f'print("line\\n" * {lines})')
    done = subprocess.run(
        [sys.executable, '-c', code], stdout=writer, stderr=subprocess.PIPE, cwd=ROOT
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b'')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=['Ctrl-C', 'SIGTERM'])
def test_a_signal_is_told_by_the_exit_code(number):
    code = GUARDED.format('print("ready", flush=True); time.sleep(60)')
    with subprocess.Popen(
        [sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        process.stdout.readline()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (128 + number, b'interrupted\n')


def _raising(error):
    def program():
        raise error

    return program


@pytest.mark.parametrize(
    ('error', 'code', 'said'),
    [
        (InputError('no such file'), 2, 'error: no such file\n'),
        (Interrupted('saved'), 130, 'saved\n'),
        (Interrupted('saved', signal.SIGTERM), 143, 'saved\n'),
        (KeyboardInterrupt(), 130, 'interrupted\n'),
        (SystemExit(0), 0, ''),
    ],
)
def test_what_a_program_raises_becomes_a_line_and_a_code(error, code, said, capsys):
    before = signal.getsignal(signal.SIGTERM)
    assert program.guarded(_raising(error)) == code
    assert signal.getsignal(signal.SIGTERM) is before
    assert capsys.readouterr().err == said


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        program.guarded(_raising(ZeroDivisionError()))


@pytest.mark.parametrize(
    'arguments',
    [(), ('--help',), ('--version',), *((name, '--help') for name in commands.COMMANDS)],
)
def test_help_imports_nothing_heavy(arguments):
    done = _mvae(*arguments)
    assert done.returncode == 0 and done.stderr == '' and done.stdout.endswith('[]\n'), done.stderr


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('nonsense',), "unknown command 'nonsense'; known: sample"),
        (('trian',), 'did you mean train?'),
        (('--nonsense',), 'a command comes first'),
        (('train',), 'required: --exp; mvae train --help'),
        (('train', '--exp', 'nonsense'), "unknown experiment 'nonsense'; known: band1"),
        (('train', '--exp', 'no/such.py'), 'no/such.py does not exist'),
        (('sample', '--nonsense'), 'unknown: --nonsense; mvae sample --help'),
        (('sample',), 'say which model: one of'),
        (('sample', 'trio17'), 'did you mean trio16?'),
        (('sample', 'trio16', '--exp', 'mel2'), 'say one model, not trio16 and mel2'),
        (('sample', '--exp', 'trio17'), 'did you mean trio16?'),
        (('sample', 'no.npz'), 'no.npz does not exist'),
        (('eval', 'trio16', '--limit', '0'), "'0' is not an integer of at least 1"),
        (('attributes',), 'required: fit | apply | measure'),
        (('data', '--midi', 'x'), '--out is missing'),
    ],
)
def test_wrong_arguments_are_one_line_at_once(arguments, message, tmp_path):
    done = _mvae(*arguments, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and done.stderr.count('\n') == 1
    assert done.stdout == '[]\n' and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--variant', 'hierdek'], 'did you mean hierdec'),
        (['--scale', 'smal'], 'did you mean small'),
        (['--config.traning.steps=1'], 'did you mean training'),
        (['--config.training.steps=many'], 'takes a int'),
        (['--config.training=1'], 'has settings inside'),
        (['--batch=3'], 'settings are written --config.'),
    ],
)
def test_wrong_settings_of_a_training_are_said_before_jax_starts(arguments, message, tmp_path):
    done = _mvae('train', '--exp', 'mel2', *arguments, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and done.stderr.count('\n') == 1
    assert 'jax' not in done.stdout and list(tmp_path.iterdir()) == []


def test_wrong_variants_of_a_study_are_said_before_it_starts(tmp_path):
    done = _mvae('study', '--exp', 'mel2', 'mel16', '--variants', 'hierdek', cwd=tmp_path)
    assert done.returncode == 2 and 'did you mean hierdec' in done.stderr
    assert 'jax' not in done.stdout and list(tmp_path.iterdir()) == []


def test_every_command_is_in_the_help():
    text = commands.overview()
    assert all(
        f'  {name} ' in text and line in text for name, (_, line) in commands.COMMANDS.items()
    )


def test_the_help_of_train_names_the_variants():
    help_text = commands.parser_of('train')[1].format_help()
    assert all(name in help_text for name in VARIANTS)


def test_the_version_is_that_of_the_package():
    done = subprocess.run(
        [sys.executable, '-m', 'mvae', '--version'], capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout == f'mvae {mvae.__version__}\n'
    with pytest.raises(AttributeError, match='nonsense'):
        mvae.nonsense  # noqa: B018


@pytest.mark.parametrize('file', ['experiments/sample.py', 'data/build.py'])
def test_an_entry_point_without_mvae_says_what_to_type(file):
    """-S: without installed packages."""
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}
    done = subprocess.run(
        [sys.executable, '-S', file, 'trio16'], capture_output=True, text=True, env=environment,
        cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.count('\n') == 1
    assert f'make install, then .venv/bin/python {file} trio16' in done.stderr


def test_every_command_has_an_entry_point():
    started = {path.read_text().rpartition("run('")[2].split("'")[0] for path in _entry_points()}
    assert started == set(commands.COMMANDS)


def _entry_points():
    return [*(ROOT / 'experiments').glob('[!_]*.py'), ROOT / 'data' / 'build.py']


def test_a_missing_extra_is_named():
    before = 'import sys; sys.modules["starlette"] = None; import importlib.util as u\n'
    before += (
        'old = u.find_spec; u.find_spec = lambda n, *a: None if n == "starlette" else old(n, *a)'
    )
    done = _mvae('listen', 'serve', '--runs', 'a=trio16', before=before)
    assert done.returncode == 2 and "pip install 'mvae[listen]'" in done.stderr


@pytest.mark.slow
def test_a_study_leaves_its_training_time_to_save(tmp_path):
    """SIGTERM to the study alone: it is passed on, and the state is kept."""
    arguments = '--exp mel2 --scale tiny --steps 100000 --out out'.split()
    settings = ['--config.evaluation.every=100000', '--config.checkpoint.every=100000']
    from midi_maker import song

    from mvae.dataset.build import BuildSettings, build_store
    from mvae.music.extract import ExtractSettings

    (tmp_path / 'midi').mkdir()
    for n in range(40):
        name = f'song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid'
        (tmp_path / 'midi' / name).write_bytes(song(seed=n))
    build_store(tmp_path / 'midi', tmp_path / 'store', BuildSettings(ExtractSettings()), 1)
    with subprocess.Popen(
        [sys.executable, '-m', 'mvae', 'study', *arguments, '--data', 'store', *settings],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
    ) as process:
        metrics, end = tmp_path / 'out/mel2-flat/metrics.jsonl', time.monotonic() + 150
        while not (metrics.exists() and metrics.read_text()) and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=100)
    assert process.returncode == 143 and 'state saved' in said and 'Traceback' not in said, said
    assert [path for path in (tmp_path / 'out/mel2-flat/checkpoints').iterdir()]


def test_a_message_is_one_line_that_orders_no_terminal(capsys):
    program.guarded(_raising(InputError('a\nb \x1b[2J \udcff ü')))
    assert capsys.readouterr().err == 'error: a\\nb \\x1b[2J \\udcff ü\n'
