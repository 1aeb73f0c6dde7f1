"""A model as one small file: float16 weights and what made them, in an .npz.

float16 keeps 11 bits. Rounding turns a choice between nearly equal tokens now and then, and greedy
decoding goes another way from there. Where that happens too often (`mvae release` counts it), the
file has 4 or 8 further bits: what rounding left, in units of the last place.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from mvae.arrays import Npz
from mvae.errors import InputError
from mvae.files import damaged, parse_json, reason, write_atomically
from mvae.model.prior import Gaussian
from mvae.model.types import Params

_META = 'meta.json'
_REST = ' rest'  # after a weight's name: int8, in 1/254 of the spacing of float16 there
_PRIOR = 'prior '  # before a field's name: float32
BITS = (11, 15, 19)


def write(
    path: str | Path,
    params: Params,
    prior: Gaussian | None,
    meta: dict[str, Any],
    bits: int = BITS[0],
    more: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Writes the file.

    meta: JSON values. bits: how many are kept of every weight, one of BITS. more: further arrays,
    kept as they are. Raises InputError where a weight is too large for float16, or the file cannot
    be written.
    """
    weights = _flatten(params)
    with np.errstate(over='ignore'):  # said below
        arrays: dict[str, Any] = {
            name: np.asarray(values).astype(np.float16) for name, values in weights.items()
        }
    if not all(np.isfinite(values).all() for values in arrays.values()):
        raise InputError(
            'a weight is not finite in float16 (its largest number is 65,504); '
            'this model cannot be kept compactly'
        )
    if bits > BITS[0]:
        # Of 4 bits every 17th number: compression does the rest.
        coarse = 255 // (2 ** (bits - BITS[0]) - 1)
        arrays |= {
            name + _REST: _rest(values, arrays[name], coarse) for name, values in weights.items()
        }
    if prior:
        fields = prior._replace(covariance=np.tril(prior.covariance))._asdict()
        arrays |= {_PRIOR + name: values for name, values in fields.items()}
    arrays |= more or {}
    arrays[_META] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomically(path, buffer.getvalue())


def _rest(values: Any, rounded: np.ndarray, coarse: int) -> np.ndarray:
    """What rounding to float16 left, in 1/254 of the last place, a multiple of coarse: int8."""
    rest = (np.asarray(values, np.float64) - rounded) / np.spacing(np.abs(rounded))
    return (coarse * np.round(254 * rest / coarse)).astype(np.int8)


def _with_rest(rounded: np.ndarray, rest: np.ndarray) -> np.ndarray:
    place = np.spacing(np.abs(rounded)).astype(np.float32)
    return rounded + rest / np.float32(254) * place


def _symmetric(lower: np.ndarray) -> np.ndarray:
    """A matrix of which the lower triangle is kept; zeros take hardly any room."""
    if lower.ndim != 2 or len(set(lower.shape)) > 1:
        return lower  # whoever reads it says that it is no covariance
    return np.where(np.tri(*lower.shape) > 0, lower, lower.T)


def read(path: str | Path) -> tuple[dict[str, np.ndarray], Gaussian | None, dict[str, Any]]:
    """Weights and further arrays by name, float32, and what else was given to `write`.

    Raises InputError where there is no such file, or it is damaged.
    """
    file = Npz(path, 'model file of mvae')
    arrays = {name: file.read(name) for name in file.headers}
    try:
        meta = bytes(arrays.pop(_META))
        prior = None
        if _PRIOR + 'mean' in arrays:
            fields = [arrays.pop(_PRIOR + name) for name in Gaussian._fields]
            mean, lower = (values.astype(np.float32) for values in fields)
            prior = Gaussian(mean, _symmetric(lower))
        rests = {name: arrays.pop(name + _REST) for name in list(arrays) if name + _REST in arrays}
        fine = {name: _with_rest(arrays[name], rest) for name, rest in rests.items()}
        arrays = {name: values.astype(np.float32) for name, values in (arrays | fine).items()}
    except (KeyError, ValueError, TypeError) as error:  # arrays missing, or of other kinds
        raise damaged(f'{path} is no model file of mvae, or', reason(error)) from None
    for name, values in arrays.items():
        if not np.isfinite(values).all():
            raise damaged(path, f'{name} holds values that are not finite')
    return arrays, prior, parse_json(meta, dict[str, Any], path)


def unflatten(path: Path, arrays: dict[str, np.ndarray], like: Params) -> Params:
    """float32 parameters of the shapes of `like`. Raises InputError where they do not fit."""
    shapes = {name: x.shape for name, x in _flatten(like).items()}
    if shapes != {name: values.shape for name, values in arrays.items()}:
        raise InputError(f'{path} is damaged: its weights are not those of its config')
    tree = jax.tree_util.tree_map_with_path(
        lambda name, _: arrays[jax.tree_util.keystr(name)], like
    )
    return jax.device_put(tree)


def _flatten(tree: Params) -> dict[str, Any]:
    return {
        jax.tree_util.keystr(name): x for name, x in jax.tree_util.tree_flatten_with_path(tree)[0]
    }
