"""Stretches of the training split in other music, and the measures of a whole model."""

import dataclasses
import json

import numpy as np
import pytest
from midi_maker import midi
from run_maker import tiny_model, tiny_prior

from mvae.dataset.build import BuildSettings, build_store
from mvae.evaluation.music import format_music, measure_music
from mvae.evaluation.novelty import novelty
from mvae.music.extract import ExtractSettings
from mvae.music.forms import make_form

BARS = 8
FORM = make_form('melody', BARS)


def _tune(seed):
    """Quarters at random: no two bars of all tunes are the same."""
    pitches = 60 + np.random.default_rng(seed).integers(0, 12, 4 * 2 * BARS)
    return midi([(4 * n, 4, int(pitch)) for n, pitch in enumerate(pitches)])


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp('novelty')
    (folder / 'midi').mkdir()
    names = 'alder birch cedar elm hazel lime maple oak pine rowan willow yew'.split()
    rows = ['midi_filename,split']
    for number, name in enumerate(names):
        (folder / 'midi' / f'{name}.mid').write_bytes(_tune(number))
        rows.append(f'{name}.mid,{"test" if number < 3 else "train"}')
    (folder / 'midi' / 'info.csv').write_text('\n'.join(rows))
    settings = BuildSettings(ExtractSettings(bars=(BARS,)))
    return build_store(folder / 'midi', folder / 'out', settings, workers=1, quiet=True)


def _known(pieces, store):
    return novelty(pieces, FORM, np.arange(len(pieces)), store)['melody']


def test_music_of_the_training_is_known_in_every_key_and_other_music_is_not(store):
    train, test = (store.gather(store.windows(FORM, s), FORM)[:4] for s in ('train', 'test'))
    assert len(train) == 4 and _known(train, store)['longest'] == BARS
    assert _known(train + 5 * (train > 1), store)['longest'] == BARS
    assert _known(train, store)['share'] == {'mean': 1, 'interval': (1, 1)}
    assert _known(test, store)['longest'] < 1 and _known(test, store)['share']['mean'] == 0


def test_the_longest_stretch_is_counted_in_bars(store):
    """Three bars of the training from the second on, then four, in music of another split."""
    train, test = (store.gather(store.windows(FORM, s), FORM)[:1] for s in ('train', 'test'))
    for first, count, share in ((1, 3, 0), (4, 4, 1)):
        piece = test.copy()
        place = slice(first * 16, (first + count) * 16)
        piece[:, place] = train[:, place]
        found = _known(piece, store)
        assert found['longest'] == count and found['share']['mean'] == share


def test_silent_bars_are_no_stretch(store):
    assert _known(np.zeros((1, FORM.steps, 1), np.int32), store)['longest'] == 0


def test_a_model_is_measured_beside_the_music(store):
    model = tiny_model('melody', BARS, 'hier')
    model = dataclasses.replace(model, learned=tiny_prior(model))
    found = measure_music(model, store, 'test', pieces=5)
    heats = {'new, learned': 0.0, 'new, fitted': 0.5, 'new, standard': 0.5}
    assert list(found['of']) == ['test', 'reconstructions', *heats]
    assert {name: found['of'][name]['temperature'] for name in heats} == heats
    assert found == measure_music(model, store, 'test', pieces=5), 'the seed decides'
    text = format_music(json.loads(json.dumps(found)))
    assert text == format_music(found) and text.count('melody') >= 4
