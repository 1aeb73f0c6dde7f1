"""Magenta's checkpoint becomes a run: it plays, is exported again, and training starts from it;
without its encoder it decodes only.
"""

import console
import numpy as np
import pytest
from magenta_numbers import folder
from midi_maker import song

import mvae
from mvae.dataset.build import BuildSettings, build_store
from mvae.errors import InputError
from mvae.music.extract import ExtractSettings
from mvae.music.notation import Notation

NAME = 'cat-drums_2bar_small'
CHECKPOINT = folder(NAME) / f'{NAME}.ckpt'


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp('runs') / 'drums'
    done = console.mvae('import', '--checkpoint', CHECKPOINT, '--output', out)
    assert (
        done.returncode == 0
        and '124,960 parameters of step 100; 1 other tensors skipped' in done.stdout
    ), done.stderr
    return out


def test_an_imported_model_gives_magentas_numbers(run):
    model, fixtures = mvae.load(run), np.load(folder(NAME) / 'fixtures.npz')
    assert (str(model.form), model.config.music.drum_map) == ('2-bar drums', 'old')
    whole = fixtures['length'] == 32
    tokens = fixtures['x_output'].argmax(-1)[whole][..., None]
    np.testing.assert_allclose(model.encode_tokens(tokens).mu, fixtures['mu'][whole], atol=1e-5)
    np.testing.assert_array_equal(
        model.decode_tokens(fixtures['dec_z'])[..., 0], fixtures['greedy_samples'].argmax(-1)
    )


def test_it_is_exported_as_it_came(run, tmp_path):
    from mvae.interop.bundle import open_prefix

    done = console.mvae('export', '--run', run, '--output', tmp_path / 'x.npz')
    assert done.returncode == 0, done.stderr
    exported, original = np.load(tmp_path / 'x.npz'), open_prefix(CHECKPOINT)
    assert set(exported.files) == set(original.specs)
    for name in exported.files:
        np.testing.assert_array_equal(exported[name], original.read(name))


def test_training_starts_from_it_with_its_sizes_but_not_in_its_folder(run, tmp_path):
    for n in range(40):
        (tmp_path / f'{chr(97 + n % 26)}{chr(97 + n // 26)} song.mid').write_bytes(song(seed=n))
    build_store(
        tmp_path,
        tmp_path / 'store',
        BuildSettings(ExtractSettings(notation=Notation(drum_map='old'), forms=('drums',))),
        1,
    )
    arguments = [
        '--exp',
        'drum2',
        '--scale',
        'tiny',
        '--data',
        tmp_path / 'store',
        '--steps',
        1,
        f'--config.checkpoint.init_from={run}',
    ]
    done = console.mvae('train', *arguments, '--run', tmp_path / 'new')
    assert done.returncode == 0 and '124,960 parameters' in done.stdout, done.stderr
    other_kind = console.mvae('train', '--exp', 'mel2', *arguments[2:], '--run', tmp_path / 'other')
    assert other_kind.returncode == 2 and 'is a model of drums, not of melody' in other_kind.stderr
    inside = console.mvae('train', *arguments, '--run', run)
    assert inside.returncode == 2 and 'holds another run' in inside.stderr


def test_a_decoder_alone_decodes_and_says_that_it_cannot_encode(run, tmp_path):
    from mvae.interop.bundle import open_prefix

    original = open_prefix(CHECKPOINT)
    np.savez(
        tmp_path / f'{NAME}.npz',
        **{name: original.read(name) for name in original.specs if 'rnn/fw' not in name},
    )
    done = console.mvae(
        'import', '--checkpoint', tmp_path / f'{NAME}.npz', '--output', tmp_path / 'whole'
    )
    assert (
        done.returncode == 2
        and 'lacks 2 of 16 tensors: encoder/cell_0/bidirectional_rnn/fw' in done.stderr
        and not (tmp_path / 'whole').exists()
    )
    done = console.mvae(
        'import',
        '--checkpoint',
        tmp_path / f'{NAME}.npz',
        '--output',
        tmp_path / 'part',
        '--decoder-only',
    )
    assert done.returncode == 0, done.stderr
    model, fixtures = mvae.load(tmp_path / 'part'), np.load(folder(NAME) / 'fixtures.npz')
    np.testing.assert_array_equal(
        model.decode_tokens(fixtures['dec_z'])[..., 0], fixtures['greedy_samples'].argmax(-1)
    )
    with pytest.raises(InputError, match='a decoder alone'):
        model.encode_tokens(np.zeros((1, 32, 1), int))


def test_a_folder_that_is_not_empty_is_left_alone(run, tmp_path):
    (tmp_path / 'mine').write_text('mine')
    for output in (run, tmp_path, tmp_path / 'mine'):
        done = console.mvae('import', '--checkpoint', CHECKPOINT, '--output', output)
        assert done.returncode == 2 and 'exists and is not empty' in done.stderr
    assert (tmp_path / 'mine').read_text() == 'mine'
