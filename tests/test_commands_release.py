"""`mvae release` on a tiny run: the file, its card, and what it refuses."""

import subprocess
import sys

import numpy as np
import pytest
from midi_maker import song
from run_maker import save_tiny

import mvae
from mvae.dataset.build import BuildSettings, build_store
from mvae.music.extract import ExtractSettings


@pytest.fixture(scope='module')
def released(tmp_path_factory):
    """(run, store, folder of the released model, what was said)."""
    folder = tmp_path_factory.mktemp('release')
    for n in range(30):
        (folder / 'midi').mkdir(exist_ok=True)
        (folder / 'midi' / f'song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid').write_bytes(
            song(seed=n)
        )
    build_store(folder / 'midi', folder / 'store', BuildSettings(ExtractSettings()), 1)
    run = save_tiny(folder / 'run', 'drums', 2, 'flat')
    done = _release(
        '--run', run, '--data', folder / 'store', '--out', folder / 'out', '--name', 'tiny2'
    )
    assert done.returncode == 0, done.stderr
    return run, folder / 'store', folder / 'out', done.stdout


def _release(*arguments):
    words = ['--about', 'made-up songs (public domain)', '--hardware', 'no training at all']
    words += [] if '--license' in arguments else ['--license', 'cc0-1.0']
    command = [sys.executable, '-m', 'mvae', 'release', *map(str, arguments), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


def test_a_released_model_and_its_card_are_written(released):
    run, _, out, said = released
    assert (
        sorted(path.name for path in out.iterdir()) == ['tiny2.md', 'tiny2.npz']
        and 'differ from those of float32' in said
    )
    card = (out / 'tiny2.md').read_text()
    assert card.startswith('---\nlibrary_name: "mvae"\n') and 'license: "cc0-1.0"\n' in card
    assert all(
        words in card
        for words in (
            'made-up songs (public domain)',
            'seed 0',
            '2-bar drums',
            "mvae.load('tiny2')",
        )
    )
    z = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    assert (
        mvae.load(run).decode_tokens(z) != mvae.load(out / 'tiny2.npz').decode_tokens(z)
    ).mean() < 0.1, 'untrained: many near ties'


def test_wrong_names_and_missing_data_leave_nothing(released, tmp_path):
    run, store, _, _ = released
    for arguments, message in [
        (['--name', '../evil', '--data', store], 'letters and digits'),
        (['--name', 'tiny2', '--data', tmp_path / 'none'], 'does not exist'),
        (['--name', 'tiny2', '--data', store, '--license', 'free!'], 'hubs have names'),
    ]:
        done = _release('--run', run, '--out', tmp_path / 'out', *arguments)
        assert done.returncode == 2 and message in done.stderr and 'Traceback' not in done.stderr
        assert not (tmp_path / 'out').exists()
