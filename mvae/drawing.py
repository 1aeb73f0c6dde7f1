"""Codes of new pieces as a user asks for them: in sections that come back, in a key."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from mvae.errors import InputError
from mvae.model.denoiser import Outline
from mvae.model.prior import Learned, Prior
from mvae.music import traits
from mvae.music.form import Form
from mvae.music.letters import sections_of


def draw(
    name: str,
    prior: Prior,
    form: Form,
    n: int,
    seed: int,
    sections: str | None,
    key: str | None,
    conditions: Sequence[np.ndarray],
) -> np.ndarray:
    """z of n pieces by a prior of that name, float32 [n, Z]; see `MusicVAE.sample_tokens`.

    conditions: what the pieces are told, int [n, T, C] each. Where nobody says a key, pieces that
    are told chords are drawn in the key of these. Raises InputError where a prior knows no sections
    or no keys.
    """
    bars = _sections(name, prior, form, sections)
    keys = _keys(name, prior, form, n, key, conditions)
    if not isinstance(prior, Learned):
        return prior.draw(n, seed)
    outlines = None if keys is None else _in_keys(prior, keys, seed)
    return prior.draw(n, seed, bars, outlines)


def keeps_to_keys(prior: Prior, form: Form) -> bool:
    """Whether pieces of a form can be drawn in a key."""
    return isinstance(prior, Learned) and prior.config.traits > 0 and traits.classes(form) > 0


def _sections(name: str, prior: Prior, form: Form, sections: str | None) -> np.ndarray | None:
    if sections is None:
        return None
    own = isinstance(prior, Learned) and prior.config.bars == form.bars
    if not isinstance(prior, Learned) or prior.config.tokens == 1 or not own:
        raise InputError(
            f'sections such as {sections} are drawn by the learned prior of a model with a '
            f'code for each bar (model.bar_codes), not by the {name} prior of this one'
        )
    return sections_of(sections, form.bars)


def _keys(
    name: str,
    prior: Prior,
    form: Form,
    n: int,
    key: str | None,
    conditions: Sequence[np.ndarray],
) -> np.ndarray | None:
    """Major keys of the pieces, int64 [n]: -1 for any, None where all may be in any."""
    if key is None:
        return traits.keys_of(form, conditions) if keeps_to_keys(prior, form) else None
    number = traits.key_number(key)
    if not keeps_to_keys(prior, form):
        raise InputError(
            f'the {name} prior of this model keeps to no key; the learned one of music with '
            'pitches does: mvae prior fits it'
        )
    return np.full(n, number)


def _in_keys(prior: Learned, keys: np.ndarray, seed: int) -> Outline[np.ndarray]:
    """Outlines of music for pieces in major keys int [n]: those that lie in any, moved."""
    plain, (moved, up) = prior.pick(len(keys), seed), traits.into_c(prior.outlines.traits)
    if (up < 0).all():
        raise InputError('nothing that the prior learned from lies in any key')
    in_c = Outline(prior.outlines.plan, moved, up).take(up >= 0)
    found = dataclasses.replace(prior, outlines=in_c).pick(len(keys), seed)
    asked, told = keys >= 0, traits.move(found.traits, keys)
    return Outline(
        np.where(asked[:, None, None], found.plan, plain.plan),
        np.where(asked[:, None], told, plain.traits),
        np.where(asked, (found.transposed + keys) % traits.CLASSES > 0, plain.transposed),
    )
