"""A model as one small file: float16 weights and what made them, in an .npz. Released models lie in mvae/released, each with its card.

float16 keeps 11 bits: rounding moves logits by a thousandth or so, which seldom turns a choice (experiments/release.py counts how often).
"""

import io
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from mvae.errors import InputError
from mvae.render.files import write_atomically

RELEASED = Path(__file__).parent.parent / 'released'
_META = 'meta.json'


def released() -> tuple[str, ...]:
    """Names of the models that come with mvae."""
    return tuple(sorted(path.stem for path in RELEASED.glob('*.npz')))


def find(path: str | Path) -> Path | None:
    """The compact file that a path or a released name means; None for anything else. A folder of that name goes before a released model."""
    path = Path(path)
    if path.suffix == '.npz':
        return path
    return RELEASED / f'{path}.npz' if not path.exists() and str(path) in released() else None


def write(path: str | Path, params: dict, meta: dict[str, Any]) -> None:
    """Raises InputError where a weight is too large for float16, or the file cannot be written."""
    with np.errstate(over='ignore'):  # said below
        arrays = {name: np.asarray(values).astype(np.float16) for name, values in _flatten(params).items()}
    if not all(np.isfinite(values).all() for values in arrays.values()):
        raise InputError('a weight is not finite in float16 (its largest number is 65,504); this model cannot be kept compactly')
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays, **{_META: np.frombuffer(json.dumps(meta).encode(), np.uint8)})
    write_atomically(path, buffer.getvalue())


def read(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays by name, float16, and what was given to `write`. Raises InputError where there is no such file, or it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        meta = json.loads(bytes(arrays.pop(_META)))
    except FileNotFoundError:
        raise InputError(f'{path} does not exist') from None
    except Exception as error:  # zipfile, numpy and json each have their own for a damaged file
        raise InputError(f'{path} is no model file of mvae, or damaged ({type(error).__name__})') from None
    return arrays, meta


def unflatten(path: Path, arrays: dict[str, np.ndarray], like: dict) -> dict:
    """float32 parameters of the shapes of `like`. Raises InputError where they do not fit."""
    shapes = {name: x.shape for name, x in _flatten(like).items()}
    if shapes != {name: values.shape for name, values in arrays.items()}:
        raise InputError(f'{path} is damaged: its weights are not those of its config')
    return jax.tree_util.tree_map_with_path(lambda name, _: jax.numpy.asarray(arrays[jax.tree_util.keystr(name)], jax.numpy.float32), like)


def _flatten(tree: dict) -> dict[str, Any]:
    return {jax.tree_util.keystr(name): x for name, x in jax.tree_util.tree_flatten_with_path(tree)[0]}
