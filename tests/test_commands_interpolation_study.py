"""`mvae interpolation-study` on an untrained trio: stream by stream, the same bytes twice,
and wrong input.
"""

import argparse
import json
from pathlib import Path

import console
import numpy as np
import pytest
from midi_maker import song
from run_maker import save_tiny

from mvae.commands import interpolation_study
from mvae.dataset.build import BuildSettings, build_store
from mvae.errors import InputError
from mvae.music.extract import ExtractSettings


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """(an untrained run, a store, options of the program)."""
    folder = tmp_path_factory.mktemp('between')
    (folder / 'midi').mkdir()
    for n in range(40):
        (folder / f'midi/song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid').write_bytes(
            song(seed=n, bars=4)
        )
    build_store(folder / 'midi', folder / 'store', BuildSettings(ExtractSettings()), 1)
    return save_tiny(folder / 'tiny', 'trio', 2, 'flat'), folder / 'store'


def _options(runs, store, **others):
    others = {
        'pairs': 4,
        'alphas': 3,
        'seed': 0,
        'temperature': 0.0,
        'checkpoint': 'best',
        'out': Path('none'),
        **others,
    }
    return argparse.Namespace(runs=list(map(str, runs)), data=store, **others)


def test_a_trio_is_measured_stream_by_stream_and_the_same_twice(made, tmp_path):
    run, store = made
    options = _options([run], store, out=tmp_path / 'one', temperature=1.0)
    interpolation_study.run(options)
    places = '--runs', run, '--data', store, '--out', tmp_path / 'two'
    asked = '--pairs', 4, '--alphas', 3, '--temperature', 1
    done = console.mvae('interpolation-study', *places, *asked)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / 'one/interpolation_study.json').read_bytes()
    assert text == (tmp_path / 'two/interpolation_study.json').read_bytes()
    result = json.loads(text)
    assert 2 <= result['pairs'] <= result['pairs_asked'] == 4 and result['runs']['tiny'] == {
        'run': str(run),
        'step': 0,
    }
    perplexity = result['language']['perplexity']
    assert perplexity['uniform'] == [130, 130, 512] and all(
        np.array(perplexity['5-gram']) < perplexity['unigram']
    )
    assert set(result['curves']) == {'tiny', 'data'}
    for curve in result['curves'].values():
        assert curve['distance']['mean'][0] == 0 and curve['cost']['mean'][::2] == pytest.approx(
            [1, 1]
        )


def test_a_groove_is_refused(made, tmp_path):
    run = save_tiny(tmp_path / 'run', 'groove', 2, 'flat')
    with pytest.raises(InputError, match='run plays groove, which has 27 numbers'):
        interpolation_study.run(_options([run], made[1]))


def test_what_cannot_be_compared_is_said(made, tmp_path):
    run, store = made
    melody = save_tiny(tmp_path / 'melody', 'melody', 2, 'flat')
    for options, message in [
        (
            _options([run, f'b={melody}'], store),
            'tiny plays 2-bar trio, b 2-bar melody: .*streams: no bass, no drums',
        ),
        (_options([f'data={run}'], store), 'called data'),
        (_options([run], store, pairs=1), 'at least 2 pairs'),
        (_options([run], store, alphas=2), 'at least 3 points'),
    ]:
        with pytest.raises(InputError, match=message):
            interpolation_study.run(options)
