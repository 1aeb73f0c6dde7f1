"""What the page knows of a model: form, sizes, weights, prior, and some pieces to begin with."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from mvae.drawing import keeps_to_keys
from mvae.errors import InputError
from mvae.model.config import ModelConfig
from mvae.model.heads import Categorical, Columns, DrumRoll, Head
from mvae.model.prior import Gaussian, Learned, Prior
from mvae.music import traits
from mvae.music.codec import Codec
from mvae.music.drums import DRUM_NAMES, DrumCodec, drum_classes, drum_pitches
from mvae.music.form import Form, Stream
from mvae.music.line import LineCodec
from mvae.music.tracks import AllDrums, Programs, Rule
from mvae.musicvae import MusicVAE
from mvae.render.voices import BASS, BASS_PROGRAMS, DRUMS, MELODY

STARTERS = 12  # new pieces that the page has before it has drawn any


class Contents(NamedTuple):
    """header: JSON values. tensors: float32 or integer arrays, by name."""

    header: dict[str, Any]
    tensors: dict[str, np.ndarray]


VOICES = {
    'melody': MELODY._asdict(),
    'bass': BASS._asdict(),
    'bass_programs': [BASS_PROGRAMS[0], BASS_PROGRAMS[-1]],
    'drums': [drum._asdict() for drum in DRUMS],
}


def contents(name: str, model: MusicVAE, seed: int = 0) -> Contents:
    """What the page gets of a model. Its `keys`: whether new pieces can be drawn in a key.

    name: as its tab says. seed: of the pieces to begin with. Raises InputError where the page
    cannot read its music or run it.
    """
    if 'encoder' not in model.params:
        raise InputError(
            f'{name} is a decoder alone, imported without its encoder: the studio reads music too'
        )
    if names := [condition.name for condition in model.form.conditions]:
        raise InputError(
            f'{name} is told {" and ".join(names)}, which the studio has no place for yet; '
            'mvae sample and mvae interpolate play it'
        )
    cfg, prior = model.architecture, model.priors[model.usual_prior]
    tokens, z = model.sample_tokens(STARTERS, seed=seed)
    about, own = _PRIORS[type(prior)](prior)
    if keeps_to_keys(prior, model.form):
        up = traits.into_c(own['traits'])[1]
        own |= {'in_key': np.flatnonzero(up >= 0), 'up': up[up >= 0]}
    tensors = {f'model/{path}': values for path, values in flat(model.params).items()}
    tensors |= {f'prior/{path}': values for path, values in own.items()}
    tensors |= {f'attributes/{title}': vector for title, vector in model.attributes.items()}
    tensors |= {'starters': z.astype(np.float32)}
    header = {
        'name': name,
        'title': f'{model.form.name.capitalize()}, {model.form.bars} bars',
        'form': about_form(model.form),
        'architecture': _architecture(cfg),
        'prior': about,
        'keys': len(own.get('in_key', ())) > 0,
        'attributes': list(model.attributes),
        # Of each piece each stream's columns.
        'starters': [[columns.tolist() for columns in model.form.split(piece)] for piece in tokens],
        'voices': VOICES,
    }
    return Contents(header, tensors)


def flat(params: Any) -> dict[str, np.ndarray]:
    """A tree of parameters as {'decoders/0/output/bias': float32 array}, without sigma."""
    leaves = jax.tree_util.tree_flatten_with_path(params)[0]
    named = {
        '/'.join(str(getattr(key, 'key', getattr(key, 'idx', key))) for key in path): values
        for path, values in leaves
    }
    return {
        name: np.asarray(values, np.float32)
        for name, values in named.items()
        if 'sigma' not in name.split('/')
    }


def about_form(form: Form) -> dict[str, Any]:
    """What the page must know to read and write music of a form, as JSON values.

    Raises InputError for codecs and rules that it does not know.
    """
    return {
        'name': form.name,
        'bars': form.bars,
        'steps_per_bar': form.steps_per_bar,
        'steps_per_quarter': form.steps_per_quarter,
        'steps_per_beat': form.steps_per_beat,
        'meter': list(form.meter),
        'streams': [_stream(stream) for stream in form.streams],
    }


def _stream(stream: Stream) -> dict[str, Any]:
    return {
        'name': stream.name,
        'tonal': stream.tonal,
        'sound': stream.sound._asdict(),
        'rule': _known(_RULES, stream.rule, 'tracks'),
        'codec': _known(_CODECS, stream.codec, 'notes'),
    }


def _drum_codec(codec: DrumCodec) -> dict[str, Any]:
    return {
        'classes': drum_classes(codec.drum_map).tolist(),
        'pitches': drum_pitches(codec.drum_map).tolist(),
        'names': list(DRUM_NAMES),
    }


def _line_codec(codec: LineCodec) -> dict[str, Any]:
    return {'min_pitch': codec.min_pitch, 'max_pitch': codec.max_pitch}


def _programs(rule: Programs) -> dict[str, Any]:
    return {'first': rule.first, 'last': rule.last, 'below': rule.below}


def _sizes(head: Head) -> dict[str, Any]:
    return {'columns': head.columns, 'in_width': head.in_width, 'out_width': head.out_width}


def _columns(head: Columns) -> dict[str, Any]:
    return _sizes(head) | {'heads': [_known(_HEADS, own, 'values') for own in head.heads]}


# What the page can do, by class: each becomes {'kind': its name} and what the page must know of it.
_About = Mapping[type, Callable[[Any], dict[str, Any]]]
_CODECS: _About = {LineCodec: _line_codec, DrumCodec: _drum_codec}
_RULES: _About = {Programs: _programs, AllDrums: lambda rule: {}}
_HEADS: _About = {Categorical: _sizes, DrumRoll: _sizes, Columns: _columns}


def _known(table: _About, value: Codec | Rule | Head, what: str) -> dict[str, Any]:
    if type(value) not in table:
        raise InputError(f'the studio cannot read {what} of the kind {type(value).__name__} yet')
    return {'kind': type(value).__name__, **table[type(value)](value)}


def _architecture(cfg: ModelConfig) -> dict[str, Any]:
    fields = dataclasses.asdict(cfg)
    names = ('bars', 'steps', 'latent_size', 'decoder_sizes', 'conductor_sizes', 'encoder_bars')
    return {name: fields[name] for name in names} | {
        'bar_codes': cfg.bar_codes,
        'total_steps': cfg.total_steps,
        'code_size': cfg.code_size,
        'bars_of_codes': cfg.codes // cfg.parts,
        'heads': [_known(_HEADS, head, 'values') for head in cfg.heads],
    }


def _learned(prior: Learned) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    network = {f'network/{path}': values for path, values in flat(prior.params).items()}
    said = {'plans': prior.outlines.plan, 'traits': prior.outlines.traits}
    own = {'mean': prior.mean, 'scale': prior.scale, **said}
    return {'kind': 'learned', 'config': dataclasses.asdict(prior.config)}, network | own


def _gaussian(prior: Gaussian) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    root = np.linalg.cholesky(prior.covariance.astype(np.float64)).astype(np.float32)
    return {'kind': 'gaussian'}, {'mean': prior.mean, 'root': root}


_PRIORS: dict[type[Prior], Callable[[Any], tuple[dict[str, Any], dict[str, np.ndarray]]]] = {
    Learned: _learned,
    Gaussian: _gaussian,
}
