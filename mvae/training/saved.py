"""Trained models as they are kept: in a run's checkpoints, in a compact file, or released with mvae
under a name.
"""

import json
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
from ml_collections import ConfigDict

from mvae.config import ModelConfig, base_config, model_config
from mvae.errors import InputError
from mvae.model import vae
from mvae.model.prior import Prior
from mvae.music.vocabulary import Vocabulary
from mvae.training import compact
from mvae.training.checkpoint import FORMAT, single_process


class Saved(NamedTuple):
    """A trained model as a checkpoint holds it.

    params: float32 trees of `vae.init`; metrics: of the validation split, {} where none were taken;
    prior: the Gaussian of its codes, None likewise.
    """

    params: dict
    config: ConfigDict
    vocabulary: Vocabulary
    model: ModelConfig
    step: int
    metrics: dict[str, float]
    versions: dict[str, str]
    prior: Prior | None = None


def read_run(path: str | Path, which: str | int = 'best') -> Saved:
    """The model of a run folder, of one folder `checkpoints/<step>` inside it, of a compact file,
    or a released model by its name.

    which: 'best' by validation loss (the latest where none was evaluated), 'latest', or a step.
    Raises InputError if there is none, or if it is not whole or not ours.
    """
    if (file := compact.find(path)) is not None:
        arrays, prior, meta = compact.read(file)
        config = _config(file, meta)
        vocabulary, model = _model(config, meta)
        params = compact.unflatten(file, arrays, _shapes(model))
        return Saved(
            params,
            config,
            vocabulary,
            model,
            meta['step'],
            meta['metrics'],
            meta['versions'],
            prior,
        )
    folder = _choose(Path(path).absolute(), which)
    config, meta = _read_meta(folder)
    vocabulary, model = _model(config, meta)
    try:
        params = _restore(folder / 'params', _shapes(model))
        prior = (
            _restore(folder / 'prior', _prior_shapes(model))
            if (folder / 'prior').exists()
            else None
        )
    except Exception as error:
        raise InputError(
            f'{folder} is damaged ({type(error).__name__}); take another checkpoint of the run'
        ) from None
    return Saved(
        params,
        config,
        vocabulary,
        model,
        int(folder.name),
        _metrics(folder),
        meta['versions'],
        prior and Prior(**jax.device_get(prior)),
    )


def read_config(path: str | Path, which: str | int = 'best') -> ConfigDict:
    """The config of a run's checkpoint, without its weights.

    Raises InputError as `read_run` does.
    """
    if (file := compact.find(path)) is not None:
        return _config(file, compact.read(file)[-1])
    return _read_meta(_choose(Path(path).absolute(), which))[0]


def write_compact(
    path: str | Path, saved: Saved, corpus: str = '', bits: int = compact.BITS[0]
) -> None:
    """A model as one file of float16 weights, a third of a checkpoint without its optimizer: see
    `mvae.training.compact`.
    """
    meta = {
        'format': FORMAT,
        'config': json.loads(saved.config.to_json_best_effort()),
        'vocabulary': saved.vocabulary.to_dict(),
        'corpus': corpus,
    }
    meta |= {'step': saved.step, 'metrics': saved.metrics, 'versions': saved.versions}
    compact.write(path, saved.params, saved.prior, meta, bits)


def _model(config: ConfigDict, meta: dict) -> tuple[Vocabulary, ModelConfig]:
    vocabulary = Vocabulary(**meta['vocabulary'])
    return vocabulary, model_config(config, vocabulary.sizes(config.kind))


def _shapes(model: ModelConfig) -> dict:
    return jax.eval_shape(lambda: vae.init(jax.random.key(0), model))


def _prior_shapes(model: ModelConfig) -> dict:
    return jax.eval_shape(
        lambda: {
            'mean': jnp.zeros(model.latent_size),
            'covariance': jnp.zeros(2 * (model.latent_size,)),
        }
    )


def _restore(folder: Path, like: dict) -> dict:
    here = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    like = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=here), like)
    reader = ocp.StandardCheckpointHandler(multiprocessing_options=single_process())
    return reader.restore(folder, args=ocp.args.StandardRestore(like))


def _read_meta(folder: Path) -> tuple[ConfigDict, dict]:
    try:
        meta = json.loads((folder / 'meta' / 'metadata').read_text())
    except (OSError, ValueError) as error:
        raise InputError(
            f'{folder} is not a checkpoint of mvae, or damaged ({type(error).__name__})'
        ) from None
    return _config(folder, meta), meta


def _config(path: Path, meta: dict) -> ConfigDict:
    try:
        config = base_config()
        config.update(meta['config'])
        Vocabulary(**meta['vocabulary'])
        version = meta['format']
    except Exception as error:  # whatever a damaged file may hold
        raise InputError(
            f'{path} is not a checkpoint of mvae, or damaged ({type(error).__name__})'
        ) from None
    if version != FORMAT:
        raise InputError(
            f'{path} has checkpoint format {version}, this mvae reads {FORMAT}; load it with mvae of its time'
        )
    return config


def _choose(path: Path, which: str | int) -> Path:
    if (path / 'params').is_dir() and path.name.isdigit():
        return path
    steps = sorted(int(p.name) for p in (path / 'checkpoints').glob('*') if p.name.isdigit())
    if not steps:
        names = ', '.join(compact.released()) or 'none'
        raise InputError(
            f'{path} holds no checkpoints; give the folder of a run, such as runs/trio16; released models: {names}'
        )
    if which == 'latest':
        step = steps[-1]
    elif which == 'best':
        losses = {
            step: loss
            for step in steps
            if (loss := _metrics(path / 'checkpoints' / str(step)).get('loss')) is not None
        }
        step = min(losses, key=losses.get) if losses else steps[-1]
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
