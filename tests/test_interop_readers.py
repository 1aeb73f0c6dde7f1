"""Checkpoints are read whole or refused in a sentence: every format, every break.

With -m slow, ten thousand random breaks too.
"""

import dataclasses
import json
import time
from pathlib import Path

import compiled
import jax
import numpy as np
import pytest
from checkpoint_maker import entry, index, write_bundle, write_tar, write_tfjs

from mvae.errors import InputError
from mvae.interop import magenta, names
from mvae.interop.crc32c import crc32c, masked_crc32c
from mvae.interop.recognise import recognise
from mvae.model.config import ModelConfig
from mvae.model.heads import Categorical, DrumRoll

LINE, DRUMS = Categorical(90), Categorical(512)
CFG = ModelConfig((LINE,), 1, 32, (5,), 3, (4,))


@pytest.fixture(scope='module')
def tensors():
    """A tiny cat-mel under Magenta's names."""
    params = compiled.init(jax.random.key(0), CFG)
    params = jax.tree.map(lambda x: np.asarray(x) + np.float32(0.01), params)
    return names.to_magenta(params, CFG) | {
        'global_step': np.int64(7),
        'encoder/mu/kernel/Adam': np.zeros((10, 3), np.float32),
    }


def load(path, **options):
    return magenta.load(path, 'cat-mel_2bar_small', **options)


def test_checksums():
    assert (
        crc32c(b'123456789') == 0xE3069283 and crc32c(b'') == 0 and crc32c(bytes(32)) == 0x8A9136AA
    )
    data = np.random.default_rng(0).integers(0, 256, 70_001, dtype=np.uint8).tobytes()
    for size in (
        1,
        511,
        512,
        4_097,
        70_001,
    ):  # stretches side by side give what one byte after the other gives
        register = 0xFFFFFFFF
        for byte in data[:size]:
            register ^= byte
            for _ in range(8):
                register = register >> 1 ^ 0x82F63B78 * (register & 1)
        assert crc32c(data[:size]) == register ^ 0xFFFFFFFF


def test_every_format_gives_the_same_model(tensors, tmp_path):
    write_bundle(tmp_path / 'run/model.ckpt-7', tensors)
    (tmp_path / 'run/checkpoint').write_text('model_checkpoint_path: "/training/model.ckpt-7"\n')
    files = {path.name: path.read_bytes() for path in (tmp_path / 'run').iterdir()}
    write_tar(
        tmp_path / 'a.tar',
        {f'cat-mel_2bar_small/{name}': content for name, content in files.items()},
    )
    weights = {name: values for name, values in tensors.items() if name != 'global_step'}
    write_tfjs(tmp_path / 'js', weights)
    np.savez(tmp_path / 'a.npz', **tensors)
    sources = [
        tmp_path / name
        for name in (
            'run',
            'run/model.ckpt-7',
            'run/model.ckpt-7.index',
            'a.tar',
            'js',
            'js/weights_manifest.json',
            'a.npz',
        )
    ]
    for source in sources:
        imported, model = load(source), load(source).model
        assert (imported.skipped, model.step) == ((1, 0) if 'js' in str(source) else (2, 7))
        back = names.to_magenta(model.params, model.architecture)
        assert set(back) == set(tensors) - {'global_step', 'encoder/mu/kernel/Adam'}
        for name, values in back.items():
            np.testing.assert_array_equal(values, tensors[name])


@pytest.mark.parametrize('cfg', [
    ModelConfig((LINE,), 16, 16, (6, 5), 4, (5, 4), (6, 4)),
    ModelConfig((LINE, LINE, DRUMS), 16, 16, (6,), 4, (5,), (4,), encoder_bars=16),
    ModelConfig((DrumRoll(512),), 1, 32, (6,), 4, (5,)),
    ModelConfig((LINE, LINE, DRUMS), 1, 256, (6, 5), 4, (5, 4)),
], ids=['hierdec-mel', 'hier-trio', 'cat-drums', 'flat-trio'])  # fmt: skip
def test_the_name_map_runs_both_ways_and_the_architecture_is_recognised(cfg, tmp_path):
    params = compiled.init(jax.random.key(1), cfg)
    np.savez(tmp_path / 'x.npz', **names.to_magenta(params, cfg))
    name = 'cat-drums_2bar_small' if cfg.heads == (DrumRoll(512),) else None
    model = magenta.load(tmp_path / 'x.npz', name).model
    for field in (
        'heads',
        'bars',
        'steps',
        'encoder_sizes',
        'latent_size',
        'decoder_sizes',
        'conductor_sizes',
        'encoder_bars',
    ):
        assert getattr(model.architecture, field) == getattr(cfg, field), field
    jax.tree.map(np.testing.assert_array_equal, model.params, params)


def test_an_encoder_by_bars_with_a_flat_decoder_is_no_model_of_magentas(tmp_path):
    cfg = ModelConfig((LINE,), 1, 256, (6,), 4, (5,), encoder_bars=16)
    np.savez(tmp_path / 'x.npz', **names.to_magenta(compiled.init(jax.random.key(1), cfg), cfg))
    for name, message in (
        (None, 'as no config of Magenta is'),
        ('flat-mel_16bar', 'hierenc model of melody, not flat-mel_16bar'),
    ):
        with pytest.raises(InputError, match=message):
            magenta.load(tmp_path / 'x.npz', name)


def test_quantised_weights(tensors, tmp_path):
    weights = {name: values for name, values in tensors.items() if name != 'global_step'}
    kinds = {'encoder/mu/kernel': 'uint8', 'decoder/output_projection/kernel': 'uint16'}
    write_tfjs(tmp_path, weights, kinds)
    read = names.to_magenta(load(tmp_path).model.params, CFG)
    for name, dtype in kinds.items():
        span = tensors[name].max() - tensors[name].min()
        assert 0 < np.abs(read[name] - tensors[name]).max() <= 0.51 * span / np.iinfo(dtype).max


def test_what_is_missing_or_misshapen_is_named(tensors, tmp_path):
    def saved(changes):
        """The checkpoint with other tensors, None taking one away."""
        np.savez(
            tmp_path / 'x.npz',
            **{name: values for name, values in (tensors | changes).items() if values is not None},
        )
        return tmp_path / 'x.npz'

    no_mu = {'encoder/mu/kernel': None, 'encoder/mu/bias': None}
    with pytest.raises(InputError, match='no decoder of MusicVAE'):
        load(saved({'decoder/output_projection/kernel': None}))
    with pytest.raises(InputError, match='lacks 1 of 14 tensors: decoder/output_projection/bias$'):
        load(saved({'decoder/output_projection/bias': None}))
    with pytest.raises(InputError, match='lacks 2 of .*encoder/mu/.*--decoder-only'):
        load(saved(no_mu))
    with pytest.raises(
        InputError,
        match=r'encoder/sigma/kernel has the shape \[2, 2\], its other tensors ask for \[10, 3\]',
    ):
        load(saved({'encoder/sigma/kernel': np.zeros((2, 2), np.float32)}))
    with pytest.raises(InputError, match='not finite'):
        load(saved({'encoder/mu/bias': np.full(3, np.nan, np.float32)}))
    with pytest.raises(InputError, match='do not say how long its windows are.*--config'):
        magenta.load(saved({}))
    with pytest.raises(InputError, match='is no config of Magenta'):
        magenta.load(saved({}), 'cat-mel')
    with pytest.raises(InputError, match='holds a flat model of melody, not cat-drums_2bar_big'):
        magenta.load(saved({}), 'cat-drums_2bar_big')
    decoder = load(saved(no_mu), decoder_only=True).model
    assert decoder.architecture.encoder_sizes == () and 'encoder' not in decoder.params


def _bundle_of(folder: Path, entries, data=b'\x00' * 64, **options) -> Path:
    (folder / 'x.index').write_bytes(index(entries, **options))
    (folder / 'x.data-00000-of-00001').write_bytes(data)
    return folder / 'x'


HOSTILE_ENTRIES = {
    'overlap': {'a': entry((4,), 0, 0, 16), 'b': entry((4,), 0, 8, 16)},
    'ends behind': {'a': entry((4,), 0, 60, 16)},
    'should have': {'a': entry((5,), 0, 0, 16)},
    'impossible shape': {'a': entry((2**40, 2**40), 0, 0, 16)},
    'impossible shape ': {'a': entry((1,) * 9, 0, 0, 4)},
    'is missing': {'a': entry((4,), 3, 0, 16)},
    'ends behind the end': {'a': entry((4,), 0, 2**63, 16)},
    '64 bits': {'a': b'\x20' + b'\xff' * 11},
    'cut message': {'a': b'\x12\x7f'},
    'in place of a shape': {'a': b'\x10\x05'},
    'in place of a number': {'a': b'\x0a\x01\x01'},
}


@pytest.mark.parametrize('message', HOSTILE_ENTRIES)
def test_hostile_entries(message, tmp_path):
    with pytest.raises(InputError, match=message.strip()):
        magenta.open_checkpoint(_bundle_of(tmp_path, HOSTILE_ENTRIES[message]))


def test_broken_bundles(tensors, tmp_path):
    write_bundle(tmp_path / 'x', tensors)
    whole, data = (tmp_path / 'x.index').read_bytes(), tmp_path / 'x.data-00000-of-00001'
    with pytest.raises(InputError, match='big-endian'):
        magenta.open_checkpoint(_bundle_of(tmp_path, {}, header=b'\x10\x01'))
    for broken, why in (
        (whole[:-1], 'magic'),
        (whole[:40], 'bytes'),
        (b'\x01' + whole[1:], 'checksum'),
        (b'', 'bytes'),
    ):
        (tmp_path / 'x.index').write_bytes(broken)
        with pytest.raises(InputError, match=why):
            load(tmp_path / 'x')
    write_bundle(tmp_path / 'x', tensors)
    data.write_bytes(bytes([data.read_bytes()[0] ^ 1]) + data.read_bytes()[1:])
    with pytest.raises(InputError, match='are damaged .checksum'):
        load(tmp_path / 'x')
    data.write_bytes(data.read_bytes()[:100])
    with pytest.raises(InputError, match='truncated'):
        load(tmp_path / 'x')
    data.unlink()
    with pytest.raises(InputError, match='number 0 is missing'):
        load(tmp_path / 'x')


def test_nothing_is_read_or_written_outside(tensors, tmp_path):
    secret = tmp_path / 'secret'
    secret.write_bytes(bytes(4000))
    (tmp_path / 'in').mkdir()
    write_bundle(tmp_path / 'x', tensors)
    content = {path.name: path.read_bytes() for path in tmp_path.glob('x.*')}
    write_tar(tmp_path / 'in/up.tar', {f'../../{name}': data for name, data in content.items()})
    before = sorted(tmp_path.rglob('*'))
    assert load(tmp_path / 'in/up.tar').skipped == 2  # read where it lies, whatever it is called
    write_tar(
        tmp_path / 'in/link.tar',
        {'x.index': content['x.index']},
        {'x.data-00000-of-00001': str(secret)},
    )
    with pytest.raises(InputError, match='number 0 is missing'):
        load(tmp_path / 'in/link.tar')
    assert sorted(tmp_path.rglob('*')) == sorted([*before, tmp_path / 'in/link.tar'])
    write_tfjs(tmp_path / 'js', {'a': np.zeros(10, np.float32)})
    manifest = json.loads((tmp_path / 'js/weights_manifest.json').read_text())
    for name in ('../secret', str(secret), '..', '', 'a/b', 'a\x00', 7, None):
        manifest[0]['paths'] = [name]
        (tmp_path / 'js/weights_manifest.json').write_text(json.dumps(manifest))
        with pytest.raises(InputError):
            magenta.open_checkpoint(tmp_path / 'js')
    (tmp_path / 'js/link').symlink_to(secret)
    manifest[0]['paths'] = ['link']
    (tmp_path / 'js/weights_manifest.json').write_text(json.dumps(manifest))
    with pytest.raises(InputError, match='outside'):
        magenta.open_checkpoint(tmp_path / 'js')
    (tmp_path / 'js/link').unlink()
    (tmp_path / 'js/link').symlink_to('link')
    with pytest.raises(InputError, match='link'):
        magenta.open_checkpoint(tmp_path / 'js')


@pytest.mark.parametrize('change, message', [
    ({'shape': [10**9, 10**9]}, 'impossible shape'),
    ({'shape': [-1]}, 'damaged .*shape'),
    ({'shape': ['a']}, 'damaged .*(shape|dtype)'),
    ({'shape': [11]}, 'the manifest wants 44'),
    ({'dtype': 'complex64'}, 'damaged .*(shape|dtype)'),
    ({'name': 3}, 'damaged .*name'),
    ({'quantization': {'dtype': 'float64', 'scale': 1, 'min': 0}}, 'damaged .*quantization.dtype'),
    ({'quantization': {'dtype': 'uint8', 'scale': float('inf'), 'min': 0}}, 'quantisation'),
    ({'quantization': {'dtype': 'uint8'}}, 'damaged'),
])  # fmt: skip
def test_broken_manifests(change, message, tmp_path):
    write_tfjs(tmp_path, {'a': np.zeros(10, np.float32)})
    manifest = json.loads((tmp_path / 'weights_manifest.json').read_text())
    manifest[0]['weights'][0] |= change
    (tmp_path / 'weights_manifest.json').write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=message):
        magenta.open_checkpoint(tmp_path)


def test_paths_that_hold_no_checkpoint(tmp_path):
    (tmp_path / 'a.txt').write_text('no tar')
    write_tar(tmp_path / 'empty.tar', {'readme': b'nothing'})
    messages = {
        'a.txt': 'not an uncompressed tar',
        'empty.tar': r'no member is named \*.index',
        'none': 'does not exist',
        '': 'holds neither',
    }
    for path, message in messages.items():
        with pytest.raises(InputError, match=message):
            magenta.open_checkpoint(tmp_path / path)


def _fuzz(tensors, folder: Path, cases: range) -> int:
    """Damages files at random; each case is read as it was, or refused, within a second.

    Returns how many were refused.
    """
    write_bundle(folder / 'b/x', tensors)
    write_tfjs(
        folder / 'js',
        {name: x for name, x in tensors.items() if name != 'global_step'},
        {'encoder/mu/kernel': 'uint8'},
        5000,
    )
    write_tar(folder / 'x.tar', {path.name: path.read_bytes() for path in (folder / 'b').iterdir()})
    np.savez(folder / 'n.npz', **tensors)
    sources = {
        folder / 'b/x': [
            folder / 'b/x.index',
            folder / 'b/x.index',
            folder / 'b/x.data-00000-of-00001',
        ],
        folder / 'js': [
            folder / 'js/weights_manifest.json',
            folder / 'js/weights_manifest.json',
            next((folder / 'js').glob('group1-shard1of*')),
        ],
        folder / 'x.tar': [folder / 'x.tar'],
        folder / 'n.npz': [folder / 'n.npz'],
    }
    refused = 0
    for seed in cases:
        rng = np.random.default_rng(seed)
        source = list(sources)[rng.integers(len(sources))]
        target = sources[source][rng.integers(len(sources[source]))]
        whole = target.read_bytes()
        data = np.frombuffer(whole, np.uint8).copy()
        how = rng.integers(4)
        if how == 0:
            data = data[: rng.integers(len(data))]
        elif how == 1:
            data[rng.integers(len(data), size=rng.integers(1, 9))] ^= np.uint8(1 << rng.integers(8))
        elif how == 2:
            data[rng.integers(len(data), size=rng.integers(1, 30))] = rng.integers(256)
        else:
            start, end = np.sort(rng.integers(len(data), size=2))
            data = np.concatenate([data[:end], data[start:]])
        target.write_bytes(data.tobytes())
        if (
            source.name == 'x' and how == 2 and target.suffix == '.index'
        ):  # checksums put right, so that what lies behind them is reached
            target.write_bytes(_with_checksums(data.tobytes(), whole))
        begin = time.monotonic()
        try:
            found = magenta.open_checkpoint(source)
            for name in found.specs:
                found.read(name)
            recognise(found.specs, 'x', 'cat-mel_2bar_small')
        except InputError:
            refused += 1
        assert time.monotonic() - begin < 1, seed
        target.write_bytes(whole)
    return refused


def _with_checksums(data: bytes, whole: bytes) -> bytes:
    """Both blocks of an index with checksums of what they hold now.

    The places of the blocks are those of the whole index.
    """
    out, footer = bytearray(data), whole[-48:]
    first = (
        footer[2] if footer[2] < 0x80 else footer[2] & 0x7F | footer[3] << 7
    )  # where the second block begins
    for start, end in ((0, first - 5), (first, len(whole) - 48 - 5)):
        out[end + 1 : end + 5] = masked_crc32c(bytes(out[start : end + 1])).to_bytes(4, 'little')
    return bytes(out)


def test_random_damage_is_refused_or_harmless(tensors, tmp_path):
    assert _fuzz(tensors, tmp_path, range(300)) > 100


@pytest.mark.slow
def test_much_random_damage(tensors, tmp_path):
    assert _fuzz(tensors, tmp_path, range(1_000, 11_000)) > 3_000


def test_codes_of_bars_cannot_be_exported():
    cfg = dataclasses.replace(CFG, bar_codes=True)
    with pytest.raises(InputError, match='no code for each bar.*--variant flat'):
        names.to_magenta({}, cfg)
