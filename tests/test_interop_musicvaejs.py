"""The folder for MusicVAE of magenta-js: what it says, what it refuses, and, where node and
@magenta/music are installed, the same greedy tokens, notes and mu there as here.

`npm install @magenta/music@1.23.1` in any folder, and NODE_PATH=FOLDER/node_modules, runs the last.
"""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from run_maker import lively, tiny_model

from mvae.errors import InputError
from mvae.interop import musicvaejs, names
from mvae.interop.tfjs import TfjsTensors
from mvae.model.prior import Gaussian
from mvae.music.drums import drum_classes

ALIKE = {'bar_codes': False, 'decoder_sizes': (24, 24)}
SCRIPT = Path(__file__).with_name('musicvaejs.cjs')
MODELS = {
    'mel2': ('melody', 2, 'flat', ALIKE),
    'drum2': ('drums', 2, 'flat', ALIKE),
    'drum2 without a roll': ('drums', 2, 'flat', ALIKE | {'drum_roll_input': False}),
    'drum16': ('drums', 16, 'hier', ALIKE | {'conductor_sizes': (16, 16)}),
    'trio16': ('trio', 16, 'hier', ALIKE),
}


@pytest.fixture(params=MODELS)
def model(request):
    form, bars, variant, settings = MODELS[request.param]
    return lively(tiny_model(form, bars, variant, **settings))


def test_weights_are_those_of_the_model_in_float16(model, tmp_path):
    said = musicvaejs.write(model, tmp_path / 'js')
    read = TfjsTensors(tmp_path / 'js')
    assert said.startswith(f'{len(read.specs)} tensors')
    ours = names.to_magenta(model.params, model.architecture)
    assert {*read.specs, 'encoder/sigma/kernel', 'encoder/sigma/bias'} == set(ours)
    for name, spec in read.specs.items():
        if spec.shape == ours[name].shape:
            np.testing.assert_array_equal(read.read(name), ours[name].astype(np.float16))
        else:
            assert name.startswith('encoder/') and model.config.model.drum_roll_input


def test_streams_are_read_one_hot(tmp_path):
    model = lively(tiny_model('trio', 16, 'hier', **ALIKE))
    musicvaejs.write(model, tmp_path / 'js')
    name = names.table(model.architecture)['encoder/layers/{l}/{d}/{w}']
    kernel = TfjsTensors(tmp_path / 'js').read(name.format(l=0, d='fw', w='kernel'))
    assert len(kernel) == 130 + 130 + 512 + 24
    head, rows = model.architecture.heads[2], model.params['encoder']['layers'][0]['fw']['kernel']
    np.testing.assert_allclose(kernel[260:772], head.features() @ rows[260:270], atol=0.01)
    np.testing.assert_array_equal(kernel[772:], rows[270:])


@pytest.mark.parametrize(
    ('form', 'bars', 'variant', 'converter', 'args'),
    [
        ('bass', 4, 'flat', 'MelodyConverter', {'numSteps': 64, 'minPitch': 0, 'maxPitch': 127}),
        ('drums', 2, 'flat', 'DrumsOneHotConverter', {'numSteps': 32}),
        ('melody', 16, 'hier', 'MelodyConverter', {'numSteps': 256, 'numSegments': 16}),
        ('trio', 16, 'hier', 'TrioConverter', {'numSteps': 256, 'numSegments': 16}),
    ],
)
def test_the_converter_of_a_form(form, bars, variant, converter, args):
    model = tiny_model(form, bars, variant, **ALIKE)
    found = musicvaejs.converter(model.form, model.architecture)
    assert found['type'] == converter and args.items() <= found['args'].items()
    assert ('numSegments' in found['args']) == (variant == 'hier')


@pytest.mark.parametrize('drum_map', ['current', 'old'])
def test_drums_are_read_by_the_map_of_the_model(drum_map):
    model = tiny_model('drums', 2, 'flat', **ALIKE)
    model.config.music.drum_map = drum_map
    pitches = musicvaejs.converter(model.form, model.architecture)['args']['pitchClasses']
    assert [own[0] for own in pitches] == [36, 38, 42, 46, 45, 48, 50, 49, 51]
    classes = np.full(128, -1)
    for n, own in enumerate(pitches):
        classes[own] = n
    np.testing.assert_array_equal(classes, drum_classes(drum_map))


def test_the_fitted_prior_stands_beside_it(tmp_path):
    model, rng = tiny_model('melody', 2, 'flat', **ALIKE), np.random.default_rng(0)
    half = rng.standard_normal((8, 8), np.float32)
    object.__setattr__(model, 'prior', Gaussian(np.arange(8, dtype=np.float32), half @ half.T))
    musicvaejs.write(model, tmp_path / 'js')
    kept = json.loads((tmp_path / 'js/prior.json').read_text())
    root = np.array(kept['root'])
    np.testing.assert_allclose(root @ root.T, model.prior.covariance, atol=1e-3)
    np.testing.assert_array_equal(kept['mean'], np.arange(8))
    object.__setattr__(model, 'prior', None)
    musicvaejs.write(model, tmp_path / 'none')
    assert not (tmp_path / 'none/prior.json').exists()


@pytest.mark.parametrize(
    ('form', 'bars', 'variant', 'settings', 'reason'),
    [
        ('melody', 16, 'hier', {'bar_codes': True}, 'have no code for each bar'),
        ('melody', 2, 'flat', {'encoder_sizes': ()}, 'it has no encoder'),
        ('melody', 2, 'flat', {'encoder_sizes': (8, 8)}, 'its encoder has several layers'),
        ('melody', 4, 'hierdec', {}, 'its decoder goes by bars and its encoder does not'),
        ('melody', 4, 'hierenc', {}, 'its encoder goes by bars and its decoder does not'),
        ('trio', 4, 'flat', {}, 'its one decoder plays several streams'),
        ('melody', 2, 'flat', {'decoder_sizes': (24, 16)}, 'differ in size'),
        ('melody', 4, 'hier', {'conductor_sizes': (16, 8)}, 'differ in size'),
    ],
)
def test_what_it_cannot_play_is_said_in_a_sentence_and_nothing_is_written(
    form, bars, variant, settings, reason, tmp_path
):
    model = tiny_model(form, bars, variant, **(ALIKE | settings))
    with pytest.raises(InputError, match=reason):
        musicvaejs.write(model, tmp_path / 'js')
    assert not list(tmp_path.iterdir())


def test_weights_beyond_float16_are_refused(tmp_path):
    model = tiny_model('melody', 2, 'flat', **ALIKE)
    model.params['decoders'][0]['output']['bias'] += 1e5
    with pytest.raises(InputError, match='65,504'):
        musicvaejs.write(model, tmp_path / 'js')
    assert not list(tmp_path.iterdir())


def test_long_weights_are_cut_into_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(musicvaejs, '_SHARD', 1000)
    model = tiny_model('melody', 2, 'flat', **ALIKE)
    musicvaejs.write(model, tmp_path / 'js')
    assert len(list((tmp_path / 'js').glob('group1-shard*of*.bin'))) > 10
    whole = TfjsTensors(tmp_path / 'js')
    ours = names.to_magenta(model.params, model.architecture)
    for name in whole.specs:
        np.testing.assert_array_equal(whole.read(name), ours[name].astype(np.float16))


def _no_magenta():
    """Why magenta-js cannot be asked here; '' where it can."""
    if shutil.which('node') is None:
        return 'no node'
    words = ['node', '-e', "require.resolve('@magenta/music/node/music_vae')"]
    found = subprocess.run(words, capture_output=True).returncode == 0
    return '' if found else 'no @magenta/music on NODE_PATH'


def _ask_magenta(folder, z):
    done = subprocess.run(
        ['node', SCRIPT, folder],
        input=json.dumps(z.tolist()),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _compare(model, folder, count):
    """Writes, asks, compares; returns how many tokens of how many differ."""
    musicvaejs.write(model, folder)
    z = np.random.default_rng(0).standard_normal((count, model.latent_size)).astype(np.float32)
    found, tokens = _ask_magenta(folder, z), model.decode_tokens(z)
    differ = int((np.array(found['tokens']) != tokens).sum())
    print(f'{model.form}: {differ} of {tokens.size} greedy tokens differ')
    assert differ == 0
    for notes, piece in zip(found['notes'], tokens, strict=True):
        ours = []
        for stream, columns in zip(model.form.streams, model.form.split(piece), strict=True):
            own, sound = stream.codec.decode(columns), stream.sound
            track = min(sound.track, 2) if len(model.form.streams) > 1 else 0
            rows = zip(own.start.tolist(), own.end.tolist(), own.pitch.tolist(), strict=True)
            ours += [[*row, sound.is_drum, track] for row in rows]
        assert sorted(notes) == sorted(ours)
    heard = np.stack([model.form.canonical(piece) for piece in tokens])
    np.testing.assert_allclose(found['mu'], model.encode_tokens(heard).mu, atol=2e-3)


@pytest.mark.skipif(bool(_no_magenta()), reason=_no_magenta())
def test_magenta_js_plays_and_reads_the_same(model, tmp_path):
    _compare(model, tmp_path / 'js', 4)
