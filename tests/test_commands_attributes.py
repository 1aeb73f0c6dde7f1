"""`mvae attributes` at tiny: fit, apply, measure, and wrong input."""

import json

import console
import pytest
from midi_maker import song
from run_maker import save_tiny

from mvae.dataset.build import BuildSettings, build_store
from mvae.music.extract import ExtractSettings

OWN = 'def highest(notes, steps):\n    return float(notes.pitch.max(initial=0))\n'


def _program(*arguments):
    return console.mvae('attributes', *arguments)


@pytest.fixture(scope='module')
def fitted(tmp_path_factory):
    """(untrained run with vectors, the user's file, what fit said): songs in quarters, whose
    density and syncopation do not vary.
    """
    folder = tmp_path_factory.mktemp('attributes')
    (folder / 'midi').mkdir()
    for n in range(16):
        (folder / f'midi/song number {chr(97 + n)}.mid').write_bytes(song(seed=n))
    build_store(folder / 'midi', folder / 'store', BuildSettings(ExtractSettings()), 1)
    (folder / 'mine.py').write_text(OWN)
    run = save_tiny(folder / 'run', 'melody', 2, 'flat')
    done = _program(
        'fit',
        run,
        '--data',
        folder / 'store',
        '--limit',
        60,
        '--attribute',
        f'{folder / "mine.py"}:highest',
    )
    assert done.returncode == 0, done.stderr
    return run, folder / 'mine.py', done.stdout


def test_fit_says_what_it_found_and_keeps_what_made_it(fitted):
    run, own, said = fitted
    about = json.loads((run / 'attributes.json').read_text())
    assert (about['step'], about['latent_size'], about['pieces'], about['seed'], about['own']) == (
        0,
        8,
        60,
        0,
        [f'{own}:highest'],
    )
    assert set(about['vectors']) == {'c_diatonic', 'mean_interval', 'highest'}
    assert all(len(v['vector']) == 8 and v['low'] < v['high'] for v in about['vectors'].values())
    assert (
        'no vector: 60 of 60 pieces have the same note_density, 0.25' in said and 'step 0' in said
    )


def test_apply_moves_a_file(fitted, tmp_path):
    run, own, _ = fitted
    (tmp_path / 'a.mid').write_bytes(song(seed=3))
    arguments = [
        '--run',
        run,
        '--attribute',
        f'{own}:highest',
        '--amount',
        -1,
        0.5,
        '--input',
        tmp_path / 'a.mid',
        '--no-wav',
        '--out',
        tmp_path / 'out',
    ]
    done = _program('apply', *arguments)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / 'out').iterdir()}
    pieces = {'reconstruction.mid', 'reconstruction_-1.0.mid', 'reconstruction_+0.5.mid'}
    others = {'given_1_a.mid', 'attribute.png', 'attribute.json'}
    assert names - {'index.html', '.collection'} == pieces | others
    assert 'the reconstruction is ' in done.stdout and ' notes kept)' in done.stdout
    made = json.loads((tmp_path / 'out/attribute.json').read_text())['pieces']
    assert [piece['amount'] for piece in made] == [-1, 0, 0.5] and {
        piece['file'] for piece in made
    } == pieces
    assert all('highest' in piece['values'] for piece in made) and 'highest' in done.stdout
    vector = json.loads((run / 'attributes.json').read_text())['vectors']['highest']['vector']
    assert made[2]['z'] == pytest.approx(
        [z + 0.5 * v for z, v in zip(made[1]['z'], vector, strict=True)], abs=1e-6
    )


def test_measure_fills_both_matrices(fitted, tmp_path):
    run, own, _ = fitted
    lacking = _program('measure', run)
    assert (
        lacking.returncode == 2
        and f'--attribute {own}:highest' in lacking.stderr
        and lacking.stderr.count('\n') == 1
    )
    arguments = [
        '--run',
        run,
        '--n',
        6,
        '--temperature',
        1,
        '--attribute',
        f'{own}:highest',
        '--out',
        tmp_path,
    ]
    done = _program('measure', *arguments)
    assert done.returncode == 0, done.stderr
    effects = json.loads((tmp_path / 'effects.json').read_text())
    for word in ('add', 'subtract'):
        assert (
            set(effects[word]['change'])
            == set(effects[word]['interval'])
            == {'c_diatonic', 'mean_interval', 'highest'}
        )
        assert all(set(row) == set(effects['before']) for row in effects[word]['change'].values())
    assert (
        len(effects['before']) == 6
        and (tmp_path / 'effects.png').read_bytes().startswith(b'\x89PNG')
        and 'subtract the vector' in done.stdout
    )


def test_an_attribute_without_a_vector_is_one_clear_line(fitted):
    done = _program('apply', '--run', fitted[0], '--attribute', 'note_density')
    assert done.returncode == 2 and done.stderr.count('\n') == 1
    assert (
        'there is no vector of note_density: 60 of 60 pieces have the same note_density, 0.25'
        in done.stderr
    )
