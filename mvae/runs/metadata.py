"""What is kept beside weights, and whether this mvae can read it."""

import importlib.metadata
import json
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from ml_collections import ConfigDict
from msgspec import Meta

from mvae.config import base_config
from mvae.errors import InputError
from mvae.files import Missing, conform, damaged, read_json, reason
from mvae.music.form import differences
from mvae.musicvae import form_of
from mvae.runs import settings

FORMAT = 2
_PACKAGES = ('jax', 'flax', 'optax', 'orbax-checkpoint', 'numpy')
Count = Annotated[int, Meta(ge=0, le=2**53)]


class Kept(msgspec.Struct):
    """What `describe` gives."""

    format: int
    config: dict[str, Any]
    form: dict[str, Any]
    corpus: str
    versions: dict[str, str]


class KeptInFile(Kept):
    """What stands in a model file; metrics: of the validation split."""

    step: Count
    metrics: dict[str, float]


class Metrics(msgspec.Struct):
    """What stands beside a checkpoint that was evaluated; and more numbers."""

    loss: float


_Kept = TypeVar('_Kept', bound=Kept)


def versions() -> dict[str, str]:
    """Of the packages that decide what training gives."""
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


def describe(config: ConfigDict, corpus: str) -> dict[str, Any]:
    """JSON values to keep beside weights; corpus: digest of the files that the data came from."""
    return {
        'format': FORMAT,
        'config': as_json(config),
        'form': form_of(config).fingerprint(),
        'corpus': corpus,
        'versions': versions(),
    }


def as_json(config: ConfigDict) -> dict[str, Any]:
    """A config as JSON values: lists for tuples."""
    return json.loads(config.to_json_best_effort())


def read(checkpoint: Path, remedy: str = '') -> dict[str, Any]:
    """What `describe` gave, of a checkpoint's folder; `check` looks inside."""
    try:
        return read_json(checkpoint / 'meta' / 'metadata', dict[str, Any], remedy)
    except Missing as error:
        raise damaged(f'{checkpoint} is not a checkpoint of mvae, or', str(error), remedy) from None


def check(path: Path, meta: dict[str, Any], kind: type[_Kept]) -> tuple[ConfigDict, _Kept]:
    """The config of what `describe` gave, and all of it.

    Raises InputError where it is damaged, of another version or of other notation.
    """
    version = meta.get('format')
    if type(version) is int and version != FORMAT:
        raise InputError(
            f'{path} was made by another version of mvae (model format {version}, this one reads '
            f'{FORMAT}); train it anew, or play it with the mvae that made it'
        )
    kept = conform(meta, kind, f'{path} is not a checkpoint of mvae, or')
    try:
        config = base_config()
        config.update(settings.without_gone(kept.config))
        settings.check(config)
        form = form_of(config)
    except Exception as error:  # whatever a damaged file may hold
        raise damaged(path, reason(error)) from None
    if changed := differences(json.loads(json.dumps(form.fingerprint())), kept.form):
        raise InputError(
            f'{path} was made for another {form.name} ({changed[:200]}); train it anew'
        )
    return config, kept
