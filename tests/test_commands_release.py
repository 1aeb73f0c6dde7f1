"""`mvae release` on a tiny run: the file, its card, and what it refuses."""

import json

import console
import jax
import numpy as np
import pytest
from midi_maker import song
from run_maker import save_tiny

import mvae
from mvae import commands
from mvae.commands import compute
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
    return console.mvae('release', *arguments, *words)


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


def test_attribute_vectors_come_along_and_move_pieces_without_data(
    released, tmp_path, monkeypatch, capsys
):
    run, _, out, _ = released
    model = mvae.load(out / 'tiny2.npz')
    assert 'hi_hat_density' in model.attributes and mvae.load(run).attributes == {}
    assert f'Attribute vectors: {", ".join(model.attributes)}.' in (out / 'tiny2.md').read_text()
    for vector in model.attributes.values():
        assert vector.shape == (8,) and vector.dtype == np.float32 and vector.any()
    monkeypatch.setattr(compute, 'prepare', lambda: None)
    monkeypatch.chdir(tmp_path)

    def apply(attribute):
        command = ['attributes', 'apply', str(out / 'tiny2.npz'), '--attribute', attribute]
        return commands.main([*command, '--amount', '2', '--n', '2', '--no-wav', '--out', 'made'])

    assert apply('hi_hat_density') == 0
    pieces = json.loads((tmp_path / 'made' / 'attribute.json').read_text())['pieces']
    z = {(piece['piece'], piece['amount']): np.array(piece['z']) for piece in pieces}
    vector = 2 * model.attributes['hi_hat_density']
    for name in ('sample 1', 'sample 2'):
        np.testing.assert_allclose(z[name, 2], z[name, 0] + vector, atol=1e-5)
    capsys.readouterr()
    assert apply('hi_hat_densty') == 2 and 'did you mean hi_hat_density' in capsys.readouterr().err
    (tmp_path / 'own.py').write_text('def loud(notes, steps):\n    return 1.0\n')
    assert apply('own.py:loud') == 2 and 'find them first' in capsys.readouterr().err


def test_a_released_model_can_be_released_again(released, tmp_path):
    _, store, out, _ = released
    done = _release(out / 'tiny2.npz', '--data', store, '--out', tmp_path, '--name', 'tiny2')
    assert done.returncode == 0 and ' bits, as it was given' in done.stdout, done.stderr
    one, two = mvae.load(out / 'tiny2.npz'), mvae.load(tmp_path / 'tiny2.npz')
    for x, y in zip(jax.tree.leaves(one.params), jax.tree.leaves(two.params), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-6, atol=1e-8)
    assert (one.step, one.metrics) == (two.step, two.metrics)


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
