"""The learned prior of a run or of a model file: arrays by name, float16 weights of its network."""

import dataclasses
import io
from pathlib import Path
from typing import Any

import jax
import numpy as np

from mvae.arrays import Npz
from mvae.errors import InputError
from mvae.files import damaged, reason, write_atomically
from mvae.model import denoiser
from mvae.model.config import ModelConfig
from mvae.model.denoiser import DenoiserConfig, Outline
from mvae.model.prior import Learned
from mvae.model.types import Params
from mvae.runs.digests import of_tree

FILE = 'learned_prior.npz'  # in a run folder
_WEIGHT, _FIELD = 'learned', 'learned '  # before the names of weights, and of all else
_OF = 'of'  # the digest of the weights of MusicVAE that its codes are of
_MOST = 2**14  # numbers of a width, a size, and so on


def to_arrays(learned: Learned) -> dict[str, np.ndarray]:
    """By name: weights in float16, and the rest as it is.

    Raises InputError where a weight is not finite there.
    """
    weights = jax.tree_util.tree_flatten_with_path(learned.params)[0]
    with np.errstate(over='ignore'):  # said below
        arrays = {
            _WEIGHT + jax.tree_util.keystr(path): np.asarray(x, np.float16) for path, x in weights
        }
    if not all(np.isfinite(values).all() for values in arrays.values()):
        raise InputError(
            'weights of the learned prior are not finite, or too large for float16; '
            'learn it anew with a lower prior.learning_rate'
        )
    fields = {
        'config': np.array(dataclasses.astuple(learned.config), np.int32),
        'mean': learned.mean,
        'scale': learned.scale,
        'plans': learned.outlines.plan,
        'traits': learned.outlines.traits,
        'transposed': learned.outlines.transposed,
    }
    return arrays | {_FIELD + name: values for name, values in fields.items()}


def take_arrays(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Those of a learned prior, taken out of a file's; {} where it has none."""
    return {name: arrays.pop(name) for name in list(arrays) if name.startswith(_WEIGHT)}


def from_arrays(path: Path, arrays: dict[str, np.ndarray], model: ModelConfig) -> Learned | None:
    """The prior of `take_arrays`, None of {}. Raises InputError where it is none of the model."""
    if not arrays:
        return None
    try:
        config = DenoiserConfig(*(int(x) for x in arrays[_FIELD + 'config']))
        mean, scale = (arrays[_FIELD + name].astype(np.float32) for name in ('mean', 'scale'))
        shape = config.parts, config.size
        if not _fits(config, model) or mean.shape != shape or scale.shape != shape:
            raise ValueError(f'it is not of {model.codes} codes of {model.latent_size} numbers')
        outlines = _outlines(arrays, config)
        params = _params(arrays, config)
        values = [*jax.tree.leaves(params), mean, scale, outlines.traits]
        if not all(np.isfinite(x).all() for x in values) or (scale <= 0).any():
            raise ValueError('it holds values that are not finite')
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise damaged(path, f'its learned prior: {reason(error)}') from None
    return Learned(params, config, mean, scale, outlines)


def _outlines(arrays: dict[str, np.ndarray], config: DenoiserConfig) -> Outline[np.ndarray]:
    """Of a file's; older ones have no traits, and none that was transposed. Raises ValueError."""
    plans = _plans(arrays[_FIELD + 'plans'], config)
    none = np.zeros((len(plans), 0), np.float32), np.zeros(len(plans), bool)
    names = 'traits', 'transposed'
    found = [arrays.get(_FIELD + name, old) for name, old in zip(names, none, strict=True)]
    traits, transposed = found[0].astype(np.float32), found[1].astype(bool)
    if traits.shape != (len(plans), config.traits) or transposed.shape != (len(plans),):
        raise ValueError('its traits are of another shape')
    return Outline(plans, traits, transposed)


def _plans(values: np.ndarray, config: DenoiserConfig) -> np.ndarray:
    """Of a file's: uint16 [N, U, K], each of bars that name themselves. Raises ValueError."""
    with np.errstate(invalid='ignore'):  # of what is no number: said below
        plans = values.astype(np.uint16)
    if (plans != values).any() or plans.shape[1:] != (config.bars, config.parts) or not len(plans):
        raise ValueError('its plans are of another kind or shape')
    if (plans > np.arange(config.bars)[:, None]).any() or (
        np.take_along_axis(plans, plans.astype(int), 1) != plans
    ).any():
        raise ValueError('its plans name bars that are not the first')
    return plans


def _fits(config: DenoiserConfig, model: ModelConfig) -> bool:
    *sizes, traits = dataclasses.astuple(config)
    return (
        all(1 <= size <= _MOST for size in sizes)
        and 0 <= traits <= _MOST
        and config.width % config.heads == 0
        and (config.tokens, config.parts) == (model.codes, model.parts)
        and config.tokens * config.size == model.latent_size
    )


def _params(arrays: dict[str, np.ndarray], config: DenoiserConfig) -> Params:
    like = jax.eval_shape(lambda: denoiser.init(jax.random.key(0), config))

    def weight(path: Any, shape: jax.ShapeDtypeStruct) -> np.ndarray:
        values = arrays[_WEIGHT + jax.tree_util.keystr(path)]
        if values.shape != shape.shape:
            raise ValueError(f'{jax.tree_util.keystr(path)} is of another shape')
        return values.astype(np.float32)

    return jax.device_put(jax.tree_util.tree_map_with_path(weight, like))


def write(run: Path, learned: Learned, params: Params) -> None:
    """Writes the prior of a run. params: of the model that gave its codes.

    Raises InputError where it cannot be written.
    """
    buffer = io.BytesIO()
    arrays: dict[str, Any] = to_arrays(learned)
    arrays[_OF] = np.frombuffer(of_tree(params).encode(), np.uint8)
    np.savez_compressed(buffer, **arrays)
    write_atomically(run / FILE, buffer.getvalue())


def read(run: Path, model: ModelConfig, params: Params) -> Learned | None:
    """The prior of a run; None where it has none, or one of other weights than these.

    Raises InputError where it is damaged.
    """
    path = run / FILE
    if not path.exists():
        return None
    remedy = f'remove it, and learn it anew: mvae prior {run}'
    try:
        file = Npz(path, 'learned prior of mvae')
        arrays = {name: file.read(name) for name in file.headers}
        if bytes(arrays.pop(_OF, np.zeros(0, np.uint16))) != of_tree(params).encode():
            return None
        return from_arrays(path, arrays, model)
    except InputError as error:
        raise InputError(f'{error}; {remedy}') from None
