"""`mvae train` learns a prior at its end, once; `mvae prior` learns it anew."""

import numpy as np
import pytest
from midi_maker import song
from run_maker import random_denoiser, tiny_model

from mvae import commands
from mvae.commands import compute, train
from mvae.dataset.build import BuildSettings, build_store
from mvae.music.extract import ExtractSettings
from mvae.runs import learned
from mvae.runs.checkpoint import Checkpoints
from mvae.runs.load import load, write_file
from mvae.training import loop, prior


@pytest.fixture
def fits(monkeypatch):
    """What was learned from, in how many updates, of how many windows. Nothing is trained."""
    calls = []

    def fit(cfg, codes, p, seed, stop):
        mu, outline = codes
        assert np.isfinite(mu).all() and outline.plan.shape == mu.shape[:-1]
        assert set(np.unique(outline.traits[:, :12])) == {-1, 1} and not outline.transposed.any()
        calls.append((mu.shape, p.steps, p.batch_size))
        return random_denoiser(cfg, len(calls))

    def train_model(config, folder):
        Checkpoints(folder, config, '').save_params(tiny_model('melody', 2, 'flat').params, 2)

    monkeypatch.setattr(compute, 'prepare', lambda: None)
    monkeypatch.setattr(loop, 'train_and_evaluate', train_model)
    monkeypatch.setattr(train, '_summarise', lambda *_: None)
    monkeypatch.setattr(prior, '_fit', fit)
    return calls


@pytest.fixture
def store(tmp_path):
    (tmp_path / 'midi').mkdir()
    for n in range(40):
        name = f'song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid'
        (tmp_path / 'midi' / name).write_bytes(song(seed=n))
    build_store(tmp_path / 'midi', tmp_path / 'store', BuildSettings(ExtractSettings()), 1)
    return tmp_path / 'store'


def test_a_training_leaves_a_learned_prior_and_the_command_learns_it_anew(
    fits, store, tmp_path, capsys
):
    run = tmp_path / 'run'

    def mvae(*arguments):
        code = commands.main(list(map(str, arguments)))
        return code, capsys.readouterr()

    command = 'train', '--exp', 'mel2', '--scale', 'tiny', '--data', store, '--run', run
    code, said = mvae(*command)
    assert code == 0 and not fits and not (run / learned.FILE).exists(), 'as tiny has it'

    code, said = mvae(*command, '--config.prior.steps=5')
    assert code == 0 and f'Learned prior: {run / learned.FILE}' in said.out
    shape = (32, 1, 1, 8)  # windows of config.prior, bars, parts, numbers
    assert fits == [(shape, 5, 8)] and load(run).usual_prior == 'learned'
    first = (run / learned.FILE).read_bytes()

    code, said = mvae(*command, '--config.prior.steps=5')
    assert code == 0 and len(fits) == 1 and 'Learned' not in said.out, 'it is there'

    code, _ = mvae('prior', run, '--steps', 7)
    assert code == 0 and fits[1:] == [(shape, 7, 8)]
    assert (run / learned.FILE).read_bytes() != first

    code, _ = mvae('prior', run, '--windows', 16, '--batch', 4)
    assert code == 0 and fits[2:] == [((16, 1, 1, 8), 3000, 4)], 'its config has no steps'

    (run / learned.FILE).write_bytes(first[:100])
    code, said = mvae('prior', run)
    assert code == 2 and f'remove it, and learn it anew: mvae prior {run}' in said.err
    (run / learned.FILE).unlink()
    write_file(tmp_path / 'a.npz', load(run))
    for path in (tmp_path / 'a.npz', run / 'checkpoints' / '2'):
        code, said = mvae('prior', path)
        assert code == 2 and f'{path} is no run folder' in said.err and '--out NAME.npz' in said.err
    assert len(fits) == 3 and not (run / learned.FILE).exists()


def test_a_model_file_gets_a_prior_of_other_music_and_stays_as_it_is(fits, store, tmp_path, capsys):
    model = tiny_model('melody', 2, 'flat')
    mine, out = tmp_path / 'a.npz', tmp_path / 'b.npz'
    write_file(mine, model, bits=19)
    before = mine.read_bytes()

    def prior(*arguments):
        code = commands.main(['prior', *map(str, (mine, '--data', store, *arguments))])
        return code, capsys.readouterr()

    code, said = prior('--out', out, '--width', 32, '--steps', 3)
    assert code == 0 and f'Model with a learned prior: {out}' in said.out
    assert fits == [((32, 1, 1, 8), 3, 8)] and mine.read_bytes() == before
    found = load(out)
    assert found.usual_prior == 'learned' and found.learned.config.width == 32
    assert load(mine).learned is None
    tokens = np.zeros((1, 32, 1), np.int32)
    np.testing.assert_array_equal(found.posterior(tokens)[0], load(mine).posterior(tokens)[0])

    for wrong, reason in (
        (('--out', tmp_path / 'b'), 'name it NAME.npz'),
        (('--out', out, '--width', 33), 'no multiple of prior.heads 2'),
    ):
        code, said = prior(*wrong)
        assert code == 2 and reason in said.err
    assert len(fits) == 1
