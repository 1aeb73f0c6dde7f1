"""A saved model comes back whole and plays; its programs write what they say; wrong input is
refused in one line.
"""

import dataclasses
import json
import shutil
import subprocess
import sys

import console
import jax
import numpy as np
import pytest
from midi_maker import song
from ml_collections import FrozenConfigDict
from run_maker import save_tiny, tiny_model, tiny_prior

import mvae
from mvae import musicvae
from mvae.errors import InputError
from mvae.model import vae
from mvae.model.config import model_config
from mvae.runs.checkpoint import Checkpoints, Training
from mvae.training.step import init_state


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """An untrained tiny trio in a run folder of its own."""
    return save_tiny(tmp_path_factory.mktemp('runs') / 'trio16', 'trio', 16, 'hierdec')


@pytest.fixture(scope='module')
def model(run):
    return mvae.load(run)


def test_a_loaded_model_is_the_saved_one(model):
    like = vae.init(jax.random.split(jax.random.key(0), 3)[0], model.architecture)
    assert jax.tree.structure(like) == jax.tree.structure(model.params)
    assert str(model.form) == '16-bar trio'
    assert (model.latent_size, model.step, model.metrics) == (48, 0, {'loss': 1.5})
    assert 'trio16' in repr(model) and f'{model.parameters:,}' in repr(model)


def test_samples_do_not_depend_on_their_number_and_follow_the_seed(model):
    three, _ = model.sample_tokens(3, seed=5)
    np.testing.assert_array_equal(three, model.sample_tokens(6, seed=5)[0][:3])
    assert not np.array_equal(three, model.sample_tokens(3, seed=6)[0])
    sequences = model.sample(2, seed=5)
    assert [s.SerializeToString() for s in sequences] == [
        s.SerializeToString() for s in model.sample(2, seed=5)
    ]


def test_samples_are_of_the_fitted_prior_where_there_is_one(model):
    fitted, standard = (
        model.sample_tokens(4, seed=5, prior=name)[1] for name in ('fitted', 'standard')
    )
    np.testing.assert_allclose(fitted, standard + 1, atol=1e-6)  # see save_tiny
    np.testing.assert_array_equal(model.sample_tokens(4, seed=5)[1], fitted)
    without = dataclasses.replace(model, prior=None)
    np.testing.assert_array_equal(without.sample_tokens(4, seed=5)[1], standard)
    with pytest.raises(InputError, match="no prior 'fitted', but standard"):
        without.sample_tokens(1, prior='fitted')


def test_the_usual_prior_is_the_learned_one_where_there_is_one(model):
    knows = dataclasses.replace(model, learned=tiny_prior(model))
    assert list(knows.priors) == ['learned', 'fitted', 'standard']
    assert list(dataclasses.replace(knows, prior=None).priors) == ['learned', 'standard']
    assert (knows.usual_prior, model.usual_prior) == ('learned', 'fitted')


def test_sections_of_one_letter_are_the_same_music(model):
    knows = dataclasses.replace(model, learned=tiny_prior(model))
    tokens, z = knows.sample_tokens(3, 1.0, seed=5, sections='ABBA')
    for values in (tokens, z.reshape(3, 16, 3)):
        first, second, third, fourth = np.split(values, 4, 1)
        np.testing.assert_array_equal(first, fourth)
        np.testing.assert_array_equal(second, third)
        assert not np.array_equal(first, second)


def test_bars_of_a_part_that_have_the_same_code_are_the_same(model):
    z = np.random.default_rng(0).standard_normal((4, 16, 3, 1))
    own = model.decode_tokens(z.reshape(4, 48), 1.0)
    z[1:, 9, 2], z[1:, 5, 0] = z[1:, 3, 2], z[1:, 4, 0]
    bars = model.decode_tokens(z.reshape(4, 48), 1.0).reshape(4, 16, 16, 3)
    np.testing.assert_array_equal(bars[0], own[0].reshape(16, 16, 3))
    np.testing.assert_array_equal(bars[1:, 9, :, 2], bars[1:, 3, :, 2])
    np.testing.assert_array_equal(bars[1:, 5, :, 0], bars[1:, 4, :, 0])
    for u, part in ((9, 0), (9, 1), (5, 1), (5, 2)):
        assert not np.array_equal(bars[1:, u, :, part], bars[1:, u - 1, :, part])


def test_sections_are_of_models_that_know_bars(model):
    for other in (model, dataclasses.replace(model, learned=None)):
        with pytest.raises(InputError, match='sections such as AABA are drawn by the learned'):
            other.sample_tokens(1, sections='AABA')
    knows = dataclasses.replace(model, learned=tiny_prior(model))
    with pytest.raises(InputError, match='sections such as AABA are drawn by the learned'):
        knows.sample_tokens(1, prior='standard', sections='AABA')
    with pytest.raises(InputError, match='16 bars are not 3 equal sections'):
        knows.sample(1, sections='ABC')


def test_a_key_is_told_to_the_network_in_its_pitch_classes(model):
    knows = dataclasses.replace(model, learned=tiny_prior(model))
    major, minor, other = (
        knows.sample_tokens(3, seed=5, key=key)[1] for key in ('C', 'A minor', 'Eb major')
    )
    np.testing.assert_array_equal(major, minor)
    assert (np.abs(major - other).max(1) > 1e-3).all()
    assert (np.abs(major - knows.sample_tokens(3, seed=5)[1]).max(1) > 1e-3).any()
    assert len(knows.sample(2, key='G')) == 2


def test_new_pieces_are_in_the_key_of_the_chords_that_they_are_told():
    lead = tiny_model('lead', 2, 'hier')
    lead = dataclasses.replace(lead, learned=tiny_prior(lead))

    def codes(**asked):
        return lead.sample_tokens(2, seed=5, **asked)[1]

    np.testing.assert_array_equal(codes(told={'chords': 'C G Am F'}), codes(key='C'))
    np.testing.assert_array_equal(codes(told={'chords': 'C G Am F'}, key='E'), codes(key='E'))
    np.testing.assert_array_equal(codes(told={'chords': 'N.C.'}), codes())
    both = np.stack([lead.form.tell({'chords': own})[0] for own in ('Eb Bb', 'N.C.')])
    mixed = codes(told={'chords': both})
    np.testing.assert_array_equal(mixed[0], codes(key='Eb')[0])
    np.testing.assert_array_equal(mixed[1], codes()[1])


def test_a_key_is_of_priors_that_were_told_pitch_classes(model):
    knows = dataclasses.replace(model, learned=tiny_prior(model))
    drums = tiny_model('drums', 2, 'hier')
    drums = dataclasses.replace(drums, learned=tiny_prior(drums))
    for asked, prior, reason in (
        (knows, 'standard', 'the standard prior of this model keeps to no key'),
        (model, None, 'the fitted prior of this model keeps to no key'),
        (drums, None, 'the learned prior of this model keeps to no key'),
    ):
        with pytest.raises(InputError, match=reason):
            asked.sample_tokens(1, prior=prior, key='C')
    with pytest.raises(InputError, match="'H' is no key"):
        knows.sample_tokens(1, key='H')
    every = np.ones_like(knows.learned.outlines.traits)
    all_notes = knows.learned.outlines._replace(traits=every)
    full = dataclasses.replace(knows.learned, outlines=all_notes)
    with pytest.raises(InputError, match='nothing that the prior learned from lies in any key'):
        dataclasses.replace(knows, learned=full).sample_tokens(1, key='C')


def test_numbers_of_one_bucket_share_a_compiled_program(model):
    model.sample_tokens(5)
    programs = musicvae._generate._cache_size()
    for n, temperature, seed in ((7, 0.5, 1), (8, 0.0, 2), (6, 1.0, 3)):
        model.sample_tokens(n, temperature, seed)
    assert musicvae._generate._cache_size() == programs


def test_whatever_it_decodes_it_encodes(model):
    for sequence in model.sample(3, seed=1):
        if sequence.notes:
            encoding = model.encode(sequence)
            assert (
                encoding.mu.shape == (1, 48)
                and (encoding.sigma > 0).all()
                and np.isfinite(encoding.z).all()
            )


def test_midi_goes_in_and_its_tokens_are_those_of_the_twin(model, tmp_path):
    (tmp_path / 'a.mid').write_bytes(song(seed=1))
    tokens, note = model.read(tmp_path / 'a.mid')
    assert tokens.shape == (256, 3) and 'melody' in note
    np.testing.assert_array_equal(
        model.encode(tmp_path / 'a.mid').mu, model.encode_tokens(tokens[None]).mu
    )
    steps = model.interpolate(tmp_path / 'a.mid', song(seed=2), 3)
    assert len(steps) == 3
    assert (
        steps[0].SerializeToString() == model.reconstruct(tmp_path / 'a.mid')[0].SerializeToString()
    )


@pytest.mark.parametrize(
    'call, message',
    [
        (lambda m: m.decode_tokens(np.zeros((1, 15))), r'\[B, 48\]'),
        (lambda m: m.decode_tokens(np.full((1, 48), np.nan)), 'finite'),
        (lambda m: m.decode_tokens(np.zeros((1, 48)), temperature=-1), 'temperature'),
        (lambda m: m.encode_tokens(np.zeros((1, 256, 2), int)), r'\[B, 256, 3\]'),
        (lambda m: m.encode_tokens(np.full((1, 256, 3), 600)), 'melody tokens lie in'),
        (lambda m: m.sample(0), 'at least 1'),
        (lambda m: m.sample(1, seed=-1), 'seed'),
        (lambda m: m.sample(1, qpm=0), 'tempo'),
        (lambda m: m.encode([]), 'empty'),
        (lambda m: m.encode(b'MThd nonsense'), 'the music'),
        (lambda m: m.encode('no/such.mid'), 'no/such.mid'),
        (lambda m: m.encode(5), 'the path of a MIDI file, its bytes, or a NoteSequence, not int'),
        (lambda m: m.encode(['a.mid', None]), 'not NoneType|does not exist|cannot read'),
        (lambda m: m.sample(1, seed=1.5), 'a seed is a whole number, not 1.5'),
        (lambda m: m.sample(1, seed='x'), 'a seed is a whole number'),
        (lambda m: m.sample(2.5), 'a number of pieces is a whole number'),
        (lambda m: m.sample(1, temperature='hot'), 'temperature'),
        (lambda m: m.sample(1, qpm='fast'), 'tempo'),
        (lambda m: m.decode_tokens('z'), 'z is an array of numbers'),
        (lambda m: m.encode_tokens([[['a']]]), 'integers of shape'),
        (lambda m: m.interpolate('a.mid', 'b.mid', 1), 'at least 2'),
    ],
)
def test_wrong_input_is_refused(model, call, message):
    with pytest.raises(InputError, match=message):
        call(model)


def test_foreign_and_damaged_checkpoints_are_refused(run, tmp_path):
    with pytest.raises(InputError, match='holds no checkpoints'):
        mvae.load(tmp_path)
    with pytest.raises(InputError, match='has no checkpoint 7'):
        mvae.load(run, 7)
    (tmp_path / 'foreign/checkpoints/3/params').mkdir(parents=True)
    with pytest.raises(InputError, match='not a checkpoint of mvae'):
        mvae.load(tmp_path / 'foreign')
    shutil.copytree(run, tmp_path / 'cut')
    for file in (tmp_path / 'cut/checkpoints/0/params').rglob('*'):
        if file.is_file() and file.stat().st_size > 1000:
            file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(InputError, match='damaged'):
        mvae.load(tmp_path / 'cut')


def test_without_room_a_checkpoint_is_not_begun(run, tmp_path, monkeypatch):
    c = mvae.load(run).config
    cfg = model_config(c, musicvae.form_of(c))
    state = init_state(jax.random.key(0), cfg, FrozenConfigDict(c.training))
    checkpoints = Checkpoints(tmp_path, c, '')
    checkpoints.save(Training(0, state.params, state.opt_state), {'loss': 1.5})
    full = shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: full)
    with pytest.raises(InputError, match='no space left'):
        checkpoints.save(Training(1, state.params, state.opt_state))
    folders = [path.name for path in (tmp_path / 'checkpoints').iterdir() if path.is_dir()]
    assert folders == ['0']


def test_a_seed_serves_codes_and_drawing_by_keys_of_their_own(model, monkeypatch):
    """The noise of code i must not be that with which chunk i is drawn."""
    keys = []
    generate = musicvae._generate

    def spy(weights, cfg, z, key, *rest):
        keys.append(jax.random.key_data(key).tolist())
        return generate(weights, cfg, z, key, *rest)

    monkeypatch.setattr(musicvae, '_generate', spy)
    monkeypatch.setattr(musicvae, '_CHUNK', 2)
    model.sample_tokens(6, seed=5)
    root = jax.random.key(5)
    of_codes = [jax.random.fold_in(root, n) for n in range(6)]
    taken = [jax.random.key_data(key).tolist() for key in [*of_codes, root]]
    assert len(keys) == 3 and not [key for key in keys if key in taken]


def test_all_of_a_long_file_is_read(model):
    windows = model.read_all(song(seed=1, bars=20))
    assert windows.shape == (2, 256, 3) and windows.any((1, 2)).all()
    tokens, _ = model.read(song(seed=1, bars=20))
    np.testing.assert_array_equal(windows[0], tokens)


def test_sample_writes_music_the_same_twice(run, tmp_path):
    for out in ('one', 'two'):
        done = console.mvae('sample', '--run', run, '--n', 2, '--seed', 7, '--out', tmp_path / out)
        assert done.returncode == 0, done.stderr
    names = sorted(p.name for p in (tmp_path / 'one').iterdir())
    assert names == [
        '.collection',
        'index.html',
        'sample_1.mid',
        'sample_1.wav',
        'sample_2.mid',
        'sample_2.wav',
        'samples.json',
        'samples.png',
    ]
    for name in set(names) - {'index.html'}:
        assert (tmp_path / 'one' / name).read_bytes() == (tmp_path / 'two' / name).read_bytes()
    assert len(json.loads((tmp_path / 'one/samples.json').read_text())['z']) == 2


def test_interpolate_between_two_files(run, tmp_path):
    for name, seed in (('a', 1), ('b', 2)):
        (tmp_path / f'{name}.mid').write_bytes(song(seed=seed))
    out = tmp_path / 'out'
    ends = '--start', tmp_path / 'a.mid', '--end', tmp_path / 'b.mid'
    arguments = '--run', run, *ends, '--steps', 3, '--no-wav', '--out', out
    command = [sys.executable, 'experiments/interpolate.py', *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and 'a.mid: 2 windows of 16 bars' in done.stdout, done.stderr
    expected = [
        'given_1_a.mid',
        'given_2_b.mid',
        'index.html',
        'interpolation.json',
        'interpolation.png',
        'joined.mid',
        'step_01.mid',
        'step_02.mid',
        'step_03.mid',
    ]
    assert sorted(p.name for p in out.glob('[!.]*')) == expected
    assert np.array(json.loads((out / 'interpolation.json').read_text())['z']).shape == (
        3,
        2,
        48,
    ), 'all 20 bars: two windows'


@pytest.mark.parametrize('name', ['sample', 'interpolate', 'eval'])
def test_programs_say_in_one_line_what_is_wrong(name, tmp_path):
    done = console.mvae(name, '--run', tmp_path / 'none')
    assert (
        done.returncode == 2
        and done.stderr.count('\n') == 1
        and 'holds no checkpoints' in done.stderr
    )
    assert not (tmp_path / 'none').exists()
