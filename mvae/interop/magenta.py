"""A checkpoint of Magenta's as a model of ours: opened, recognised, renamed, checked."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
from ml_collections import ConfigDict

from mvae.errors import InputError
from mvae.interop import names
from mvae.interop.bundle import Bundle, open_prefix, shard_names
from mvae.interop.files import latest_checkpoint, tar_members
from mvae.interop.recognise import recognise
from mvae.interop.tensors import NpzTensors, Spec, Tensors
from mvae.interop.tfjs import MANIFEST, TfjsTensors
from mvae.model import vae
from mvae.model.config import ModelConfig, model_config
from mvae.model.types import Params
from mvae.musicvae import MusicVAE, form_of


@dataclass(frozen=True)
class Architecture:
    """What a checkpoint's names and shapes say.

    like: the tree of `vae.init` as shapes, nothing of it allocated.
    """

    config: ConfigDict
    model: ModelConfig
    like: Params

    def magenta_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the tensors that the model needs."""
        flat = names.flatten(self.like)
        renamed = names.magenta_names(flat, self.model)
        return {theirs: flat[ours].shape for ours, theirs in renamed.items()}


@dataclass(frozen=True)
class Imported:
    """A checkpoint as a model of ours.

    skipped: how many tensors no model needs (optimizer slots, counters).
    """

    model: MusicVAE
    skipped: int


def open_checkpoint(path: Path) -> Tensors:
    """The tensors of a checkpoint.

    It is a .tar, a prefix (the path without .index) or its .index file, an .npz, or a folder with a
    `checkpoint` file or a TensorFlow.js manifest. Raises InputError where there is none.
    """
    if os.path.isdir(path):
        if os.path.lexists(path / MANIFEST):
            return TfjsTensors(path)
        prefix = latest_checkpoint(path)
        if prefix is None:
            raise InputError(
                f'{path} holds neither a `checkpoint` file of TensorFlow nor {MANIFEST}; '
                f'give a prefix, such as {path}/model.ckpt-100'
            )
        return open_prefix(prefix)
    if path.name == MANIFEST:
        return TfjsTensors(path.parent)
    if path.suffix == '.npz':
        return NpzTensors(path)
    if path.suffix == '.index':
        return open_prefix(path.with_suffix(''))
    if os.path.isfile(f'{path}.index'):
        return open_prefix(path)
    if not os.path.lexists(path):
        raise InputError(
            f'{path} does not exist: give a .tar, a prefix (the path without .index), '
            'a folder, or an .npz'
        )
    return _open_tar(path)


def _open_tar(path: Path) -> Bundle:
    members = tar_members(path)
    index = next((name for name in members if name.endswith('.index')), None)
    if index is None:
        raise InputError(f'{path} holds no checkpoint: no member is named *.index')
    prefix = index.removesuffix('.index')
    shards = {n: members[name] for n, name in shard_names(prefix, members)}
    return Bundle(f'{path}:{prefix}', members[index], shards)


def describe(
    specs: Mapping[str, Spec],
    file: str,
    name: str | None = None,
    drum_map: str | None = None,
    decoder_only: bool = False,
) -> Architecture:
    """The model of tensors of these names and shapes; arguments and errors are `recognise`'s."""
    config = recognise(specs, file, name, drum_map, decoder_only)
    cfg = model_config(config, form_of(config))
    like = jax.eval_shape(lambda: vae.init(jax.random.key(0), cfg))
    return Architecture(config, cfg, like)


def load(
    path: str | Path,
    name: str | None = None,
    drum_map: str | None = None,
    decoder_only: bool = False,
) -> Imported:
    """Reads a checkpoint of Magenta's.

    Args:
        path: see `open_checkpoint`.
        name: of Magenta's config, where neither shapes nor the file's name say it.
        drum_map: see `recognise`.
        decoder_only: for checkpoints without a whole encoder.

    Raises InputError: what is wrong with the file, or which tensors are missing or of another
    shape.
    """
    path = Path(path)
    tensors = open_checkpoint(path)
    architecture = describe(tensors.specs, str(path), name, drum_map, decoder_only)
    wanted = architecture.magenta_shapes()
    _check(path, tensors.specs, wanted)
    read = {name: np.asarray(tensors.read(name), np.float32) for name in wanted}
    if broken := [name for name, values in read.items() if not np.isfinite(values).all()]:
        raise InputError(f'{path}: {broken[0]} holds values that are not finite')
    params = names.from_magenta(read, architecture.like, architecture.model)
    model = MusicVAE(params, architecture.config, step=_global_step(tensors))
    return Imported(model, len(tensors.specs) - len(wanted))


def _global_step(tensors: Tensors) -> int:
    spec = tensors.specs.get('global_step')
    if spec is None or spec.dtype is None or spec.shape != ():
        return 0
    return max(int(tensors.read('global_step')), 0)


def _check(path: Path, specs: Mapping[str, Spec], wanted: Mapping[str, tuple[int, ...]]) -> None:
    missing = [name for name in wanted if name not in specs]
    if missing:
        only_encoder = all(name.startswith('encoder/') for name in missing)
        advice = '; --decoder-only loads what can be decoded' if only_encoder else ''
        some = ', '.join(missing[:4]) + '...' * (len(missing) > 4)
        raise InputError(f'{path} lacks {len(missing)} of {len(wanted)} tensors: {some}{advice}')
    for name, shape in wanted.items():
        if specs[name].shape != shape or specs[name].dtype is None:
            raise InputError(
                f'{path}: {name} has the shape {list(specs[name].shape)}, '
                f'its other tensors ask for {list(shape)}'
            )
