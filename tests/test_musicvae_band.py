"""Bands from files to files: a store, updates, an evaluation, and a model that plays."""

import functools

import jax
import numpy as np
import pytest
from ml_collections import FrozenConfigDict

from mvae.commands import experiments
from mvae.dataset.build import BuildSettings, build_store
from mvae.dataset.loader import Loader
from mvae.errors import InputError
from mvae.evaluation.harmony import evaluate_harmony
from mvae.evaluation.novelty import novelty
from mvae.evaluation.repetition import repetition
from mvae.interop import musicvaejs
from mvae.latent.infill import infill
from mvae.model.config import model_config
from mvae.music.extract import ExtractSettings
from mvae.music.midi import write_midi
from mvae.music.notes import Notes
from mvae.musicvae import MusicVAE
from mvae.render import pianoroll
from mvae.training.evaluate import evaluate
from mvae.training.step import init_state, train_step


def song(seed, bars=8):
    """Guitar chords, a bass and drums, other ones in each bar, at 120."""
    rng, parts = np.random.default_rng(seed), []
    for bar in range(bars):
        for track, (program, drums, low) in enumerate(
            [(25, False, 60), (33, False, 36), (0, 1, 36)]
        ):
            start = 2 * bar + np.sort(rng.choice(8, 3, replace=False)) / 4
            pitch = low + rng.integers(0, 12, 3)
            columns = start, start + 0.25, pitch, rng.integers(40, 120, 3)
            parts.append(Notes.make(*columns, [program] * 3, [bool(drums)] * 3, [track] * 3))
    return Notes.concatenate(parts)


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp('midi')
    for n in range(16):
        title = 'tune ' + 'abcdefghijklmnop'[n]
        (folder / f'{title}.mid').write_bytes(write_midi(song(n), title=title))
    extract = ExtractSettings(forms=('band', 'band_of_chords'), bars=(1,))
    out = tmp_path_factory.mktemp('data') / 'store'
    return build_store(folder, out, BuildSettings(extract), 1, quiet=True)


@pytest.fixture(scope='module')
def model(store):
    return trained(store, 'band1')


@pytest.fixture(scope='module')
def told_model(store):
    return trained(store, 'chords1')


def trained(store, experiment):
    """At tiny, after three updates."""
    c = experiments.load(experiment, None, 'tiny')
    form = store.form(c.form, c.bars)
    cfg, t = model_config(c, form), FrozenConfigDict(c.training)
    loader = Loader(store, form, 8, 0, tuple(c.data.transpose))
    update = jax.jit(functools.partial(train_step, cfg=cfg, t=t))
    state = init_state(jax.random.key(0), cfg, t)
    for step in range(3):
        state, metrics = update(state, loader.batch(step), jax.random.key(1))
        assert np.isfinite(metrics['loss']) and 0 < metrics['tokens'] < 8 * form.steps
    return MusicVAE(state.params, c, step=3)


def test_every_bar_is_a_window(store):
    counts = store.meta['funnel']['forms']['band-1']
    assert sum(counts['windows'].values()) == 16 * 8 and counts['rejected'] == {}
    windows = store.gather(store.windows(store.form('band', 1), 'train')[:4], store.form('band', 1))
    assert windows.shape == (4, 512, 1)


def test_an_evaluation_counts_what_is_written_alone(store, model):
    loader = Loader(store, model.form, None, 0)
    batches = list(loader.evaluation_batches('train', 8, 16))
    key, cfg = jax.random.key(2), model.architecture
    found, prior = evaluate(model.params, cfg, model.form, batches, key, 1.0, 0.0)
    assert found['baseline_0'] == 0 and 0 <= found['accuracy_0'] <= 1
    assert prior.mean.shape == (model.latent_size,)
    pieces = np.concatenate([model.form.join(batch.streams) for batch in batches])
    known = novelty(pieces, model.form, np.arange(len(pieces)), store)
    assert known['band']['share']['mean'] == 1.0
    assert repetition(pieces, model.form, np.arange(len(pieces))) == {'band': {}}


def test_it_plays(store, model, tmp_path):
    """Files in, pieces out, of whatever instruments; a piece does not depend on its neighbours."""
    (tmp_path / 'a.mid').write_bytes(write_midi(song(1)))
    (tmp_path / 'b.mid').write_bytes(write_midi(song(2)))
    tokens, note = model.read(tmp_path / 'a.mid')
    assert note == 'all 3 tracks, cropped 8 bars to 1'
    heard = model.write(tokens).notes
    assert {(n.program, n.is_drum) for n in heard} == {(25, False), (33, False), (0, True)}
    assert model.read_all(tmp_path / 'a.mid').shape == (8, 512, 1)
    three, z = model.sample_tokens(3, seed=5)
    np.testing.assert_array_equal(model.sample_tokens(2, seed=5)[0], three[:2])
    assert len(model.interpolate(tmp_path / 'a.mid', tmp_path / 'b.mid', 3)) == 3
    assert len(model.reconstruct([tmp_path / 'a.mid'])) == 1
    pianoroll.draw(tmp_path / 'band.png', [('a', tokens), ('new', three[0])], model.form)
    assert (tmp_path / 'band.png').stat().st_size > 1000


def test_a_band_plays_over_chords(store, told_model, tmp_path):
    """What a model is told comes back above its pieces; files say it or imply it."""
    form = told_model.form
    windows = store.gather(store.windows(form, 'train')[:4], form)
    assert windows.shape == (4, 512, 2) and windows[..., 1].any()
    bars, _ = told_model.sample_tokens(2, seed=1, told={'chords': 'Am'})
    for bar in bars:
        (chords,) = form.told_by_step(bar)
        assert set(chords.ravel().tolist()) == {22}
    (tmp_path / 'a.mid').write_bytes(write_midi(song(1)))
    tokens, note = told_model.read(tmp_path / 'a.mid')
    assert note == 'all 3 tracks, chords by what sounds, cropped 8 bars to 1'
    np.testing.assert_array_equal(form.canonical(tokens), tokens)
    heard = told_model.write(tokens)
    assert [a.text for a in heard.text_annotations] == [text for _, text in form.symbols(tokens)]
    assert len(told_model.reconstruct([tmp_path / 'a.mid'])) == 1
    found = evaluate_harmony(told_model, store, 'train', 8)['band']
    assert 0 < found['music under its chords']['share'] <= 1


def test_onnx_is_refused(model, tmp_path):
    pytest.importorskip('onnx')
    from mvae.interop import onnx_model

    with pytest.raises(InputError, match='not in ONNX'):
        onnx_model.write(model, tmp_path / 'onnx')


def test_what_bands_cannot_do_is_said(model):
    with pytest.raises(InputError, match='no learned prior'):
        infill(model, np.zeros((512, 1), int), [0])
    with pytest.raises(InputError, match='no converter for the streams of band'):
        musicvaejs.converter(model.form, model.architecture)
