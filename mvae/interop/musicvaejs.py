"""A model as the folder that MusicVAE of magenta-js (@magenta/music) loads.

config.json says which of its converters turns notes into numbers. weights_manifest.json and shards
hold the weights under Magenta's names, rounded to float16. prior.json is the fitted prior, of which
magenta-js knows nothing: it draws codes from N(0, I). See docs/export.md.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from mvae.errors import InputError
from mvae.files import write_folder
from mvae.interop import names, prior, told
from mvae.interop.tfjs import MANIFEST
from mvae.model.config import ModelConfig
from mvae.model.heads import Nade
from mvae.music.codec import Codec
from mvae.music.drums import DrumCodec, class_pitches
from mvae.music.form import Form
from mvae.music.line import LineCodec
from mvae.musicvae import MusicVAE

_SHARD = 4 * 2**20  # bytes of a file, as TensorFlow.js cuts them: browsers keep files of this size

_Converter = dict[str, Any]  # 'type' and 'args' of a DataConverter of magenta-js


def _line(codec: LineCodec) -> _Converter:
    pitches = {'minPitch': codec.min_pitch, 'maxPitch': codec.max_pitch}
    return {'type': 'MelodyConverter', 'args': pitches}


def _drums(codec: DrumCodec) -> _Converter:
    """Its DrumsConverter reads a drum roll, but notes a silent step one step too early."""
    classes = {'pitchClasses': class_pitches(codec.drum_map)}  # its own are those of the old map
    return {'type': 'DrumsOneHotConverter', 'args': classes}


def _trio(melody: LineCodec, bass: LineCodec, drums: DrumCodec) -> _Converter:
    parts = {'melArgs': _line(melody), 'bassArgs': _line(bass), 'drumsArgs': _drums(drums)}
    return {'type': 'TrioConverter', 'args': {name: own['args'] for name, own in parts.items()}}


# By the codecs of a form's streams. All of them give the encoder one-hot vectors.
_CONVERTERS: dict[tuple[type[Codec], ...], Callable[..., _Converter]] = {
    (LineCodec,): _line,
    (DrumCodec,): _drums,
    (LineCodec, LineCodec, DrumCodec): _trio,
}


def write(model: MusicVAE, folder: Path) -> str:
    """Writes the folder, which must not be there yet, or be empty.

    Raises InputError for models that magenta-js cannot play, and where it cannot be written.
    """
    told.refuse(model, 'magenta-js')
    cfg, form = model.architecture, model.form
    check(cfg)
    config = {'type': 'MusicVAE', 'dataConverter': converter(form, cfg)}
    tensors = _tensors(model)
    files = {'config.json': _json(config)} | _weights(tensors) | prior.file(model)
    write_folder(folder, files)
    size = sum(map(len, files.values()))
    return f'{len(tensors)} tensors in {size / 1e6:.1f} MB'


def check(cfg: ModelConfig) -> None:
    """Raises InputError that says why magenta-js cannot play a model."""
    names.check(cfg)
    by_bars = cfg.encoder_bars > 1
    alike = all(len(set(sizes)) <= 1 for sizes in (cfg.decoder_sizes, cfg.conductor_sizes))
    wrong = {
        'it has no encoder': not cfg.encoder_sizes,
        'its encoder has several layers': len(cfg.encoder_sizes) > 1,
        'its encoder goes by bars and its decoder does not': by_bars and not cfg.hierarchical,
        'its decoder goes by bars and its encoder does not': cfg.hierarchical and not by_bars,
        'its one decoder plays several streams': not cfg.hierarchical and len(cfg.heads) > 1,
        'it writes drums class by class (NADE)': any(isinstance(head, Nade) for head in cfg.heads),
        'the layers of a decoder or of its conductor differ in size': not alike,
    }
    if reasons := [reason for reason, is_so in wrong.items() if is_so]:
        raise InputError(
            f'MusicVAE of magenta-js cannot play this model: {reasons[0]}; it takes one layer of '
            'encoder, flat for one stream, or hierarchical in encoder and decoder '
            '(--variant hier --config.model.bar_codes=False)'
        )


def converter(form: Form, cfg: ModelConfig) -> _Converter:
    """Which converter of magenta-js is a form's, and with which arguments.

    Raises InputError for streams that none of them knows.
    """
    codecs = [stream.codec for stream in form.streams]
    make = _CONVERTERS.get(tuple(map(type, codecs)))
    if make is None:
        raise InputError(f'magenta-js has no converter for the streams of {form.name}')
    found = make(*codecs)
    steps = {'numSteps': form.steps} | ({'numSegments': form.bars} if cfg.hierarchical else {})
    return {'type': found['type'], 'args': found['args'] | steps}


def _tensors(model: MusicVAE) -> dict[str, np.ndarray]:
    """Weights by Magenta's names, without those of sigma, which magenta-js does not draw by."""
    params, cfg = dict(model.params), model.architecture
    params['encoder'] = {k: x for k, x in params['encoder'].items() if k != 'sigma'}
    (first,) = params['encoder']['layers']
    one_hot = {way: _reads_one_hot(cell, cfg) for way, cell in first.items()}
    params['encoder']['layers'] = [one_hot]
    return names.to_magenta(params, cfg)


def _reads_one_hot(cell: dict[str, Any], cfg: ModelConfig) -> dict[str, Any]:
    """A cell of the encoder's layer with a row for each value of each stream."""
    kernel, rows, start = jnp.asarray(cell['kernel']), [], 0
    for head in cfg.heads:
        own = kernel[start : start + head.in_width]
        rows.append(head.read(own, jnp.arange(head.out_width)[:, None]))
        start += head.in_width
    return {**cell, 'kernel': jnp.concatenate([*rows, kernel[start:]])}


def _weights(tensors: dict[str, np.ndarray]) -> dict[str, bytes]:
    """The manifest and the shards, as files. Raises InputError for weights beyond float16."""
    with np.errstate(over='ignore'):  # said below
        halves = {name: values.astype('<f2') for name, values in tensors.items()}
    if not all(np.isfinite(values).all() for values in halves.values()):
        raise InputError('a weight is not finite in float16 (its largest number is 65,504)')
    data = b''.join(values.tobytes() for values in halves.values())
    shards = [data[start : start + _SHARD] for start in range(0, len(data), _SHARD)]
    paths = [f'group1-shard{n + 1}of{len(shards)}.bin' for n in range(len(shards))]
    quantised = {'dtype': 'float16', 'original_dtype': 'float32'}
    listed = [
        {'name': name, 'shape': list(x.shape), 'dtype': 'float32', 'quantization': quantised}
        for name, x in halves.items()
    ]
    manifest = _json([{'paths': paths, 'weights': listed}])
    return {MANIFEST: manifest} | dict(zip(paths, shards, strict=True))


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(',', ':')).encode() + b'\n'
