"""What is kept beside weights, and whether this mvae can read it."""

import importlib.metadata
import json
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from mvae.config import base_config
from mvae.errors import InputError
from mvae.music.form import differences
from mvae.musicvae import form_of

FORMAT = 2
_PACKAGES = ('jax', 'flax', 'optax', 'orbax-checkpoint', 'numpy')


def versions() -> dict[str, str]:
    """Of the packages that decide what training gives."""
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


def describe(config: ConfigDict, corpus: str) -> dict[str, Any]:
    """JSON values to keep beside weights; corpus: digest of the files that the data came from."""
    return {
        'format': FORMAT,
        'config': json.loads(config.to_json_best_effort()),
        'form': form_of(config).fingerprint(),
        'corpus': corpus,
        'versions': versions(),
    }


def read_config(path: Path, meta: Any) -> ConfigDict:
    """The config of what `describe` gave. Raises InputError where it is damaged or not of ours."""
    try:
        version = meta['format']
    except (KeyError, TypeError):
        raise _damaged(path, 'no format') from None
    if version != FORMAT:
        raise InputError(
            f'{path} was made by another version of mvae (model format {version}, this one reads '
            f'{FORMAT}); train it anew, or play it with the mvae that made it'
        )
    try:
        config = base_config()
        config.update(meta['config'])
        form, kept = form_of(config), meta['form']
    except Exception as error:  # whatever a damaged file may hold
        raise _damaged(path, type(error).__name__) from None
    if changed := differences(json.loads(json.dumps(form.fingerprint())), kept):
        raise InputError(f'{path} was made for another {form.name} ({changed}); train it anew')
    return config


def _damaged(path: Path, why: str) -> InputError:
    return InputError(f'{path} is not a checkpoint of mvae, or damaged ({why})')
