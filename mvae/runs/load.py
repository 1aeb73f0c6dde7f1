"""Trained models, read from a run's checkpoints, a model file, or by a released name."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
from ml_collections import ConfigDict

from mvae.errors import InputError
from mvae.model import vae
from mvae.model.config import ModelConfig, model_config
from mvae.model.prior import Prior
from mvae.model.types import Params
from mvae.musicvae import MusicVAE, form_of
from mvae.runs import compact, digests, metadata
from mvae.runs.checkpoint import single_process
from mvae.runs.released import find, released


def load(path: str | Path, which: str | int = 'best') -> MusicVAE:
    """A trained model of a run folder, of one checkpoint in it, of a model file, or a released one.

    which: 'best' by validation loss (the latest where none was evaluated), 'latest', or a step. A
    model file and a single checkpoint hold one. Raises InputError if there is none, or if it is not
    whole or not ours.
    """
    if (file := find(path)) is not None:
        return _load_file(file, which)
    folder = _choose(Path(path).absolute(), which)
    config, meta = _read_meta(folder)
    model = _architecture(config)
    try:
        params = _restore(folder / 'params', _shapes(model))
        prior = None
        if (folder / 'prior').exists():
            prior = Prior(**jax.device_get(_restore(folder / 'prior', _prior_shapes(model))))
    except Exception as error:
        raise _damaged(folder, type(error).__name__) from None
    trees = {'params': params} | ({'prior': prior._asdict()} if prior else {})
    if why := digests.damage(meta, **trees):
        raise _damaged(folder, why)
    step, metrics = int(folder.name), _metrics(folder)
    return MusicVAE(params, config, prior, step, metrics, meta['versions'])


def load_config(path: str | Path, which: str | int = 'best') -> ConfigDict:
    """The config of a model, without its weights. Raises InputError as `load` does."""
    if (file := find(path)) is not None:
        meta = compact.read(file)[-1]
        config = metadata.read_config(file, meta)
        _check_which(file, meta['step'], which)
        return config
    return _read_meta(_choose(Path(path).absolute(), which))[0]


def write_file(
    path: str | Path, model: MusicVAE, corpus: str = '', bits: int = compact.BITS[0]
) -> None:
    """A model as one file, a third of a checkpoint without its optimizer: see `runs.compact`."""
    meta = metadata.describe(model.config, corpus)
    meta |= {'step': model.step, 'metrics': dict(model.metrics), 'versions': dict(model.versions)}
    compact.write(path, model.params, model.prior, meta, bits)


def _load_file(file: Path, which: str | int) -> MusicVAE:
    arrays, prior, meta = compact.read(file)
    config = metadata.read_config(file, meta)
    _check_which(file, meta['step'], which)
    params = compact.unflatten(file, arrays, _shapes(_architecture(config)))
    return MusicVAE(params, config, prior, meta['step'], meta['metrics'], meta['versions'])


def _check_which(path: Path, step: int, which: str | int) -> None:
    if which not in ('best', 'latest') and str(which) != str(step):
        raise InputError(f'{path} holds one checkpoint, of step {step}, and not {which!r}')


def _architecture(config: ConfigDict) -> ModelConfig:
    return model_config(config, form_of(config))


def _shapes(model: ModelConfig) -> Params:
    return jax.eval_shape(lambda: vae.init(jax.random.key(0), model))


def _prior_shapes(model: ModelConfig) -> Params:
    size = model.latent_size
    return jax.eval_shape(lambda: {'mean': jnp.zeros(size), 'covariance': jnp.zeros((size, size))})


def _restore(folder: Path, like: Params) -> Params:
    here = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    like = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=here), like)
    reader = ocp.StandardCheckpointHandler(multiprocessing_options=single_process())
    return reader.restore(folder, args=ocp.args.StandardRestore(like))


def _read_meta(folder: Path) -> tuple[ConfigDict, dict[str, Any]]:
    try:
        meta = json.loads((folder / 'meta' / 'metadata').read_text())
    except (OSError, ValueError) as error:
        why = type(error).__name__
        raise InputError(f'{folder} is not a checkpoint of mvae, or damaged ({why})') from None
    config = metadata.read_config(folder, meta)
    if digests.damaged_meta(meta, _metrics(folder)):
        raise _damaged(folder, 'its metadata are not what was written')
    return config, meta


def _damaged(folder: Path, why: str) -> InputError:
    others = [str(p) for p in sorted(folder.parent.glob('*')) if p.name.isdigit() and p != folder]
    advice = f'take another checkpoint: {", ".join(others)}' if others else 'train it anew'
    return InputError(f'{folder} is damaged ({why}); {advice}')


def _choose(path: Path, which: str | int) -> Path:
    if (path / 'params').is_dir() and path.name.isdigit():
        _check_which(path, int(path.name), which)
        return path
    steps = sorted(int(p.name) for p in (path / 'checkpoints').glob('*') if p.name.isdigit())
    if not steps:
        names = ', '.join(released()) or 'none'
        raise InputError(
            f'{path} holds no checkpoints; give the folder of a run, such as runs/trio16; '
            f'released models: {names}'
        )
    if which == 'latest':
        step = steps[-1]
    elif which == 'best':
        losses = {
            step: loss
            for step in steps
            if (loss := _metrics(path / 'checkpoints' / str(step)).get('loss')) is not None
        }
        step = min(losses, key=lambda step: losses[step]) if losses else steps[-1]
    elif str(which).isdigit() and int(which) in steps:
        step = int(which)
    else:
        raise InputError(
            f'{path} has no checkpoint {which!r}; it has best, latest, {", ".join(map(str, steps))}'
        )
    return path / 'checkpoints' / str(step)


def _metrics(folder: Path) -> dict[str, float]:
    try:
        return json.loads((folder / 'metrics' / 'metrics').read_text())
    except (OSError, ValueError):
        return {}
