"""A model's card: README.md with what hubs read at its top."""

import json
import re
from pathlib import PurePath

from mvae.errors import InputError
from mvae.musicvae import MusicVAE

_LICENSE = re.compile(r'[a-z0-9]+(?:[.+-][a-z0-9.]+)*')


def front_matter(model: MusicVAE, license: str | None = None) -> str:
    """The block of YAML at the top of a card, by which hubs find and show a model.

    license: its name on hubs, such as cc-by-4.0. Raises InputError for what is no such name.
    """
    if license is not None and not _LICENSE.fullmatch(license):
        raise InputError(f'hubs have names for licences, such as cc-by-4.0, and not {license!r}')
    tags = ['music', 'midi', 'symbolic-music', 'music-generation', 'musicvae', 'jax']
    fields = {
        'library_name': 'mvae',
        'pipeline_tag': 'audio-to-audio',  # the nearest that hubs have: music in, music out
        'license': license,
        'tags': tags + [stream.name for stream in model.form.streams],
    }
    lines = [f'{name}: {json.dumps(value)}' for name, value in fields.items() if value is not None]
    return '\n'.join(['---', *lines, '---', ''])


def notation(model: MusicVAE) -> str:
    """What its values mean, in words: meter, grid, pitches and drums."""
    m = model.config.music
    grid = f'{m.meter}, {m.steps_per_quarter} steps to a quarter'
    return f'{grid}, pitches {m.min_pitch}..{m.max_pitch}, {m.drum_map} drum map'


def card(model: MusicVAE, name: str, license: str | None = None, about: str = '') -> str:
    """README.md of a saved model.

    name: its title. license: see `front_matter`. about: the data and their licence, in words.
    """
    c = model.config
    numbers = ', '.join(f'{key} {value:.4g}' for key, value in sorted(model.metrics.items()))
    trained = f'{model.step:,} updates of {c.training.batch_size} windows; seed {c.seed}'
    return f"""{front_matter(model, license)}
# {name}

{c.bars} bars of {c.form}, {c.variant}, scale {c.scale}: {model.parameters:,} parameters. It is a
MusicVAE (Roberts et al., 2018) of mvae: an encoder turns a piece into a code of {model.latent_size}
numbers, a decoder turns a code into a piece.

- Data: {about or f'the dataset {PurePath(c.data.path).name}'}.
- Training: {trained}.
- Validation: {numbers or 'none'}.
- New pieces: priors {', '.join(model.priors)}.
- Notation: {notation(model)}. It plays nothing finer.

## Use

    import mvae
    model = mvae.load('this folder')        # or 'hf://OWNER/NAME', from a hub
    pieces = model.sample(4)
"""
