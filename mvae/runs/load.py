"""Trained models: read from checkpoints, model files, by a released name or a hub; and saved."""

import math
import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from mvae import remote
from mvae.checks import natural
from mvae.errors import InputError
from mvae.files import check_name, check_tree, damaged, read_json, write_atomically
from mvae.model import vae
from mvae.model.config import ModelConfig, model_config
from mvae.model.prior import Gaussian, is_sound
from mvae.model.types import Params
from mvae.musicvae import MusicVAE, form_of
from mvae.runs import attributes, compact, digests, learned, metadata
from mvae.runs.card import card
from mvae.runs.hub import FILE
from mvae.runs.metadata import Kept, KeptInFile
from mvae.runs.released import find, released

# Of the bytes of weights in memory, to those on the disk: weights are noise, and hardly compress.
_MOST_RATIO, _SMALL = 64, 2**24


class TrainedModel(MusicVAE):
    """What `load` gives: a MusicVAE that knows how it is kept."""

    def save(self, path: str | Path, license: str | None = None, about: str = '') -> None:
        """Writes the model as a file, NAME.npz, or into a folder with a card; `load` reads both.

        The file is that of released models, with 19 bits of every weight. In the folder it is
        model.npz, beside README.md, which hubs read; one that is there stays.

        Args:
            path: of the file, or of the folder.
            license: what hubs call it, such as 'cc-by-4.0'. about: the data and their licence, in
                words. Both are for the card.

        Raises InputError where it cannot be written, and for what is no name of a licence.
        """
        path = Path(path)
        if path.suffix == '.npz':
            return write_file(path, self, bits=compact.BITS[-1])
        if os.path.isdir(path / 'checkpoints'):
            raise InputError(f'{path} is the folder of a run; name another for the model')
        said = card(self, path.absolute().name, license, about)
        write_file(path / FILE, self, bits=compact.BITS[-1])
        if not os.path.lexists(path / 'README.md'):
            write_atomically(path / 'README.md', said.encode())


def load(path: str | Path, which: str | int = 'best') -> TrainedModel:
    """A trained model of a run folder, of one checkpoint in it, of a model file, or a released one.

    hf://OWNER/NAME is one on the Hugging Face hub (`pip install 'mvae[hub]'`). A folder that `save`
    wrote is read as its model file.

    which: 'best' by validation loss (the latest where none was evaluated), 'latest', or a step. A
    model file and a single checkpoint hold one. Raises InputError if there is none, or if it is not
    whole or not ours.
    """
    path = remote.local(path)
    if (file := find(path)) is not None:
        return _load_file(file, which)
    folder = _choose(Path(path).absolute(), which)
    check_name(folder)
    config, meta = _read_meta(folder)
    model = _architecture(config)
    try:
        params = _restore(folder / 'params', _shapes(model))
        prior = None
        if os.path.exists(folder / 'prior'):
            prior = Gaussian(**jax.device_get(_restore(folder / 'prior', _prior_shapes(model))))
    except InputError:
        raise
    except Exception as error:
        raise _damaged(folder, type(error).__name__) from None
    trees = {'params': params} | ({'prior': prior._asdict()} if prior else {})
    if why := digests.damage(meta, **trees):
        raise _damaged(folder, why)
    _check_prior(folder, prior, model)
    step, metrics = int(folder.name), _metrics(folder)
    own = learned.read(folder.parent.parent, model, params)
    return TrainedModel(params, config, prior, step, metrics, meta['versions'], own)


def load_config(path: str | Path, which: str | int = 'best') -> ConfigDict:
    """The config of a model, without its weights. Raises InputError as `load` does."""
    path = remote.local(path)
    if (file := find(path)) is not None:
        config, kept = metadata.check(file, compact.read(file)[-1], KeptInFile)
        _check_which(file, kept.step, which)
        return config
    return _read_meta(_choose(Path(path).absolute(), which))[0]


def write_file(
    path: str | Path, model: MusicVAE, corpus: str = '', bits: int = compact.BITS[0]
) -> None:
    """A model as one file, a third of a checkpoint without its optimizer: see `runs.compact`."""
    meta = metadata.describe(model.config, corpus)
    meta |= {'step': model.step, 'metrics': dict(model.metrics), 'versions': dict(model.versions)}
    more = learned.to_arrays(model.learned) if model.learned else {}
    more |= attributes.to_arrays(model.attributes)
    compact.write(path, model.params, model.prior, meta, bits, more)


def _load_file(file: Path, which: str | int) -> TrainedModel:
    arrays, prior, meta = compact.read(file)
    config, kept = metadata.check(file, meta, KeptInFile)
    _check_which(file, kept.step, which)
    model = _architecture(config)
    own = learned.from_arrays(file, learned.take_arrays(arrays), model)
    vectors = attributes.take(file, arrays, model.latent_size)
    params = compact.unflatten(file, arrays, _shapes(model))
    _check_prior(file, prior, model)
    about = kept.step, kept.metrics, kept.versions
    return TrainedModel(params, config, prior, *about, own, vectors)


def _check_prior(path: Path, prior: Gaussian | None, model: ModelConfig) -> None:
    if prior and not is_sound(prior, model.latent_size):
        raise damaged(path, f'its prior is no Gaussian over {model.latent_size} numbers')


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
    """Raises InputError for a folder that holds what no checkpoint does, or claims too much."""
    import orbax.checkpoint as ocp  # a quarter of a second, for run folders alone

    from mvae.runs.checkpoint import single_process

    size = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(like))
    held = check_tree(folder, _SMALL + 2 * size)
    if size > _SMALL + _MOST_RATIO * held:
        raise damaged(folder, f'its {held:,} bytes cannot hold weights of {size:,}')
    here = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    like = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=here), like)
    reader = ocp.StandardCheckpointHandler(multiprocessing_options=single_process())
    return reader.restore(folder, args=ocp.args.StandardRestore(like))


def _read_meta(folder: Path) -> tuple[ConfigDict, dict[str, Any]]:
    meta = metadata.read(folder)
    if digests.damaged_meta(meta, _metrics(folder)):
        raise _damaged(folder, 'its metadata are not what was written')
    return metadata.check(folder, meta, Kept)[0], meta


def _damaged(folder: Path, why: str) -> InputError:
    others = [str(folder.parent / str(s)) for s in _steps(folder.parent) if str(s) != folder.name]
    advice = f'take another checkpoint: {", ".join(others)}' if others else 'train it anew'
    return damaged(folder, why, advice)


def _choose(path: Path, which: str | int) -> Path:
    if (step := natural(path.name)) is not None and os.path.isdir(path / 'params'):
        _check_which(path, step, which)
        return path
    steps = _steps(path / 'checkpoints')
    if not steps:
        names = ', '.join(released()) or 'none'
        raise InputError(
            f'{path} holds no checkpoints; give the folder of a run, such as runs/trio16; '
            f'released models: {names}'
        )
    if which == 'latest':
        step = steps[-1]
    elif which == 'best':
        losses = {step: _loss(path / 'checkpoints' / str(step)) for step in reversed(steps)}
        step = min(losses, key=lambda step: losses[step])
    elif (step := natural(str(which))) in steps:
        pass
    else:
        raise InputError(
            f'{path} has no checkpoint {which!r}; it has best, latest, {", ".join(map(str, steps))}'
        )
    return path / 'checkpoints' / str(step)


def _steps(checkpoints: Path) -> list[int]:
    """Steps whose folders are there, rising."""
    try:
        found = (natural(name) for name in os.listdir(checkpoints))
        return sorted(step for step in found if step is not None)
    except (OSError, ValueError):
        return []


def _loss(folder: Path) -> float:
    """Infinite where none was taken."""
    loss = _metrics(folder).get('loss', math.inf)
    return loss if math.isfinite(loss) else math.inf


def _metrics(folder: Path) -> dict[str, float]:
    """{} where none were taken, or they cannot be read: the weights are whole all the same."""
    try:
        return read_json(folder / 'metrics' / 'metrics', dict[str, float])
    except InputError:
        return {}
