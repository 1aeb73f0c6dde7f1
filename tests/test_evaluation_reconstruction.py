"""Accuracies, baselines and intervals against plain counts in numpy."""

import compiled
import jax
import numpy as np
import pytest
from midi_maker import song
from run_maker import save_tiny, tiny_model

from mvae.batch import Batch
from mvae.dataset.build import build_store
from mvae.errors import InputError
from mvae.evaluation.reconstruction import evaluate_reconstruction, format_table
from mvae.evaluation.runs import evaluate_run
from mvae.model import vae
from mvae.music.forms import make_form
from mvae.runs.load import load


def test_reconstruction_counts_are_those_of_a_plain_count():
    """Against numpy on what the model generates: greedy accuracy from z, with the last batch half
    masked.
    """
    model, rng = tiny_model('trio', 16, 'hierdec'), np.random.default_rng(0)
    tokens = np.stack([rng.integers(0, 5, (4, 256)) for _ in range(3)], -1).astype(np.int32)
    mask = np.array([1, 1, 1, 0], np.float32)
    batch = Batch(model.form.split(tokens), (), mask, np.arange(4))
    result = evaluate_reconstruction(model, [batch], np.array([7, 2, 7]), seed=3)
    z_key, draw_key = jax.random.split(jax.random.fold_in(jax.random.key(3), 0))
    q = compiled.encode(model.params, model.architecture, batch.streams)
    z = vae.sample_posterior(jax.random.normal(z_key, q.mu.shape), q)
    streams = compiled.generate(model.params, model.architecture, z, draw_key, 0.0)
    greedy = model.form.join(streams)
    for k, (stream, first) in enumerate([('melody', 2), ('bass', 2), ('drums', 1)]):
        truth, guess = tokens[:3, :, k], greedy[:3, :, k]
        row = result['streams'][stream]
        np.testing.assert_allclose(row['greedy']['accuracy'], (truth == guess).mean())
        np.testing.assert_allclose(
            row['classes']['onset']['greedy'], (truth == guess)[truth >= first].mean()
        )
        np.testing.assert_allclose(row['baseline'], np.bincount(truth.ravel()).max() / truth.size)
        np.testing.assert_allclose(row['classes']['onset']['share'], (truth >= first).mean())
        np.testing.assert_allclose(
            sum(row_of_class['share'] for row_of_class in row['classes'].values()), 1
        )
        curve, sung = row['onsets_by_bar']['greedy'], (truth >= first).reshape(3, 16, 16)
        hits = (truth == guess).reshape(3, 16, 16) & sung
        np.testing.assert_allclose(curve['mean'], hits.sum((0, 2)) / sung.sum((0, 2)))
        assert all(
            low <= mean <= high
            for low, mean, high in zip(curve['low'], curve['mean'], curve['high'], strict=True)
        )
        assert row['steps_of_songs'] == [256, 512] and row['greedy']['hits_of_songs'] == [
            (truth == guess)[1].sum(),
            (truth == guess)[[0, 2]].sum(),
        ]
        by_song = sorted([(truth == guess)[[0, 2]].mean(), (truth == guess)[1].mean()])
        low, high = row['greedy']['interval']
        assert by_song[0] <= low <= row['greedy']['accuracy'] <= high <= by_song[1]
    assert (
        result['windows'] == 3
        and result['songs'] == 2
        and result['latent_size'] == 48
        and 'bass' in format_table(result)
    )
    np.testing.assert_allclose(
        result['loss'], result['reconstruction'] + result['kl_bits'] * np.log(2), rtol=1e-6
    )


def test_a_store_of_test_windows_alone_is_evaluated(tmp_path):
    """A corpus whose own split puts every file into test."""
    (tmp_path / 'midi').mkdir()
    rows = ['midi_filename,split', *(f'{number}.mid,test' for number in range(3))]
    (tmp_path / 'midi' / 'info.csv').write_text('\n'.join(rows))
    for number in range(3):
        (tmp_path / 'midi' / f'{number}.mid').write_bytes(song(number))
    store = build_store(tmp_path / 'midi', tmp_path / 'store', workers=1, quiet=True)
    run = save_tiny(tmp_path / 'run', 'trio', 2, 'flat')
    model = load(run)
    result, file = evaluate_run(run, model, store, split='test')
    assert file == run / 'evaluation-test-store.json', 'it was not trained on this dataset'
    assert result['windows'] == store.count(make_form('trio', 2), 'test') > 0
    with pytest.raises(InputError, match='no 2-bar trio windows in validation'):
        evaluate_run(run, model, store, split='validation')
