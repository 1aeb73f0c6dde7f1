"""How drums are played, against a count by hand and a model that knows the answer."""

import json

import numpy as np
import pytest
from midi_maker import performed
from run_maker import save_tiny

from mvae.commands import main
from mvae.dataset.build import BuildSettings, build_store
from mvae.evaluation.performance import _errors, evaluate_performance, format_performance
from mvae.music.extract import ExtractSettings
from mvae.music.groove import Played
from mvae.musicvae import Encoding, MusicVAE
from mvae.runs.load import load


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp('groove')
    (folder / 'midi').mkdir()
    for number in range(12):
        (folder / 'midi' / f'song {chr(97 + number)}.mid').write_bytes(performed(number))
    settings = BuildSettings(ExtractSettings(forms=('groove',), bars=(2,)))
    return build_store(folder / 'midi', folder / 'store', settings, 1, quiet=True)


@pytest.fixture(scope='module')
def run(store):
    return save_tiny(store.path.parent / 'run', 'groove', 2, 'flat')


def _played(*hits):
    """Two steps with hits (step, class, velocity, late)."""
    hit, velocity, late = np.zeros((3, 1, 2, 9))
    for step, number, loud, behind in hits:
        hit[0, step, number], velocity[0, step, number], late[0, step, number] = 1, loud, behind
    return Played(hit > 0, velocity, late)


def test_errors_by_hand():
    """One of two hits is found, 10 too loud and a tenth of a step late; one more is invented."""
    true = _played((0, 0, 80, 0.1), (1, 2, 50, 0.0))
    said = _played((0, 0, 90, 0.2), (1, 5, 60, 0.0))
    usual = _played((0, 0, 70, 0.0), (1, 2, 70, 0.0))
    model, baseline = _errors(true, said, usual)[0]
    np.testing.assert_allclose(model, [(2, 4), (10, 1), (12.5, 1)])
    np.testing.assert_allclose(baseline, [(4, 4), (10, 1), (12.5, 1)])


def test_who_gives_all_back_makes_no_error(store, run, monkeypatch):
    def encode(self, tokens):
        return Encoding(tokens, tokens, tokens)

    monkeypatch.setattr(MusicVAE, 'encode_tokens', encode)
    monkeypatch.setattr(MusicVAE, 'decode_tokens', lambda self, z, *_: z)
    found = evaluate_performance(load(run), store, 'train')['groove']
    assert [found[name]['model'] for name in ('hits', 'velocity', 'timing')] == [1, 0, 0]
    # A kick on every beat is half of the hits; all else differs from bar to bar.
    assert 0.5 < found['hits']['baseline'] < 0.8
    assert 10 < found['velocity']['baseline'] < 60 and 5 < found['timing']['baseline'] < 40
    assert found['velocity']['interval'] == (0, 0)
    assert 'groove: timing  0.000 (0.000 to 0.000) ms off' in format_performance({'groove': found})


def test_other_music_has_no_performance(store, run):
    assert (
        evaluate_performance(load(save_tiny(run.parent / 'other', 'drums', 2, 'flat')), store) == {}
    )


def test_mvae_eval_says_it(store, run, capsys):
    arguments = [str(run), '--data', str(store.path), '--pieces', '4']
    assert main(['eval', *arguments]) == 0
    said = capsys.readouterr().out
    assert 'groove: velocity' in said and 'the usual groove' in said
    kept = json.loads((run / 'evaluation-test-store.json').read_text())
    row = kept['streams']['groove']
    assert 0 < row['baseline'] < 1 and set(kept['performance']['groove']) == {
        *('hits', 'velocity', 'timing')
    }
    # Hits alone are judged: a kick on a beat stands in most bars, whatever its velocity.
    assert row['classes']['onset']['baseline'] > 0.2


def test_mvae_train_learns_a_groove(store, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = '--scale tiny --steps 6 --run run --config.music.drum_map=current'.split()
    settings = ['--config.training.batch_size=4', '--config.evaluation.every=6']
    told = ['train', '--exp', 'groove2', '--data', str(store.path), *options, *settings]
    assert main(told) == 0, capsys.readouterr().err
    model = load('run')
    assert model.config.model.reads == 'hits' and np.isfinite(model.metrics['loss'])
    (piece,) = model.sample_tokens(1, 1.0)[0]
    notes = model.form.write(piece)
    assert len(np.unique(notes.velocity)) > 1 and len(np.unique(notes.start % 0.125)) > 1
