"""Checkpoints of a run: the state, with the config, the vocabulary and the versions that made it. orbax writes each beside and renames it.

Two are kept: the latest, and the one of the best validation loss.
"""

import importlib.metadata
import json
from pathlib import Path
from typing import NamedTuple

import jax
import orbax.checkpoint as ocp
from ml_collections import ConfigDict
from orbax.checkpoint import checkpoint_managers

from mvae.config import ModelConfig, base_config, model_config
from mvae.errors import InputError
from mvae.model import vae
from mvae.music.vocabulary import Vocabulary
from mvae.training.step import TrainState

FORMAT = 1
_PACKAGES = ('jax', 'flax', 'optax', 'orbax-checkpoint', 'numpy')


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


class Checkpoints:
    """The checkpoints folder of a run."""

    def __init__(self, run: Path, config: dict, vocabulary: dict):
        """config, vocabulary: what the checkpoints shall hold, JSON values; an existing run of another config is refused by `restore`."""
        self._path = Path(run).absolute() / 'checkpoints'
        self._meta = {'format': FORMAT, 'config': config, 'vocabulary': vocabulary, 'versions': versions()}
        best = checkpoint_managers.BestN(get_metric_fn=lambda m: m['loss'], reverse=True, n=1, keep_checkpoints_without_metrics=False)
        peers = _alone()
        handlers = {name: ocp.StandardCheckpointHandler(multiprocessing_options=peers) for name in ('params', 'optimizer')}
        handlers['meta'] = ocp.JsonCheckpointHandler(multiprocessing_options=peers)
        options = ocp.CheckpointManagerOptions(
            preservation_policy=checkpoint_managers.AnyPreservationPolicy([checkpoint_managers.LatestN(1), best]),
            best_fn=lambda m: m['loss'],
            best_mode='min',
            enable_async_checkpointing=False,
            create=False,
            multiprocessing_options=peers,
        )
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self._manager = ocp.CheckpointManager(self._path, options=options, item_handlers=handlers)
        except OSError as error:
            raise InputError(f'cannot write checkpoints to {self._path}: {error.strerror}') from None

    def save(self, state: TrainState, metrics: dict[str, float] | None = None) -> None:
        """metrics: of the validation split, with 'loss'; None for a checkpoint between evaluations."""
        step = int(state.step)
        if step in self._manager.all_steps():
            return
        items = ocp.args.Composite(
            params=ocp.args.StandardSave(jax.device_get(state.params)),
            optimizer=ocp.args.StandardSave({'opt_state': jax.device_get(state.opt_state)}),
            meta=ocp.args.JsonSave(self._meta),
        )
        try:
            self._manager.save(step, args=items, metrics=metrics)
        except OSError as error:
            raise InputError(f'cannot write a checkpoint to {self._path}: {error.strerror}; the one before is whole') from None

    def restore(self, like: TrainState) -> TrainState | None:
        """The latest state, or None in a new run. Raises InputError for the run of another config, and for damaged files."""
        step = self._manager.latest_step()
        if step is None:
            return None
        try:
            meta = self._manager.restore(step, args=ocp.args.Composite(meta=ocp.args.JsonRestore()))['meta']
        except Exception as error:  # orbax raises many kinds for damaged files
            raise InputError(f'{self._path}/{step} is not a readable checkpoint ({type(error).__name__}); remove it to go on') from None
        if meta['config']['model'] != self._meta['config']['model'] or meta['vocabulary'] != self._meta['vocabulary']:
            old, new = meta['config']['model'], self._meta['config']['model']
            changed = [f'{k} {old.get(k)} -> {new[k]}' for k in new if old.get(k) != new[k]] or ['the vocabulary']
            raise InputError(f'{self._path.parent} holds a run of another model ({"; ".join(changed)}); name another run folder')
        try:
            items = ocp.args.Composite(
                params=ocp.args.StandardRestore(like.params), optimizer=ocp.args.StandardRestore({'opt_state': like.opt_state})
            )
            restored = self._manager.restore(step, args=items)
        except Exception as error:
            raise InputError(f'{self._path}/{step} is damaged ({type(error).__name__}); remove it to go on from the one before') from None
        return TrainState(like.step + step, restored['params'], restored['optimizer']['opt_state'])


class Saved(NamedTuple):
    """A trained model as a checkpoint holds it. params: float32 trees of `vae.init`; metrics: of the validation split, {} where none were taken."""

    params: dict
    config: ConfigDict
    vocabulary: Vocabulary
    model: ModelConfig
    step: int
    metrics: dict[str, float]
    versions: dict[str, str]


def read_run(path: str | Path, which: str | int = 'best') -> Saved:
    """The model of a run folder, or of one folder `checkpoints/<step>` inside it; nothing else is needed.

    which: 'best' by validation loss (the latest where none was evaluated), 'latest', or a step. Raises InputError if there is none, or if it is
    not whole or not ours.
    """
    folder = _choose(Path(path).absolute(), which)
    try:
        meta = json.loads((folder / 'meta' / 'metadata').read_text())
        config = base_config()
        config.update(meta['config'])
        vocabulary = Vocabulary(**meta['vocabulary'])
    except Exception as error:  # orbax raises many kinds for damaged files
        raise InputError(f'{folder} is not a checkpoint of mvae, or damaged ({type(error).__name__})') from None
    if meta['format'] != FORMAT:
        raise InputError(f'{folder} has checkpoint format {meta["format"]}, this mvae reads {FORMAT}; load it with mvae of its time')
    model = model_config(config, vocabulary.sizes(config.kind))
    like = jax.eval_shape(lambda: vae.init(jax.random.key(0), model))
    like = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=jax.sharding.SingleDeviceSharding(jax.local_devices()[0])), like)
    try:
        reader = ocp.StandardCheckpointHandler(multiprocessing_options=_alone())
        params = reader.restore(folder / 'params', args=ocp.args.StandardRestore(like))
    except Exception as error:
        raise InputError(f'{folder} is damaged ({type(error).__name__}); take another checkpoint of the run') from None
    return Saved(params, config, vocabulary, model, int(folder.name), _metrics(folder), meta['versions'])


def _alone() -> ocp.options.MultiprocessingOptions:
    """Of several processes the one that reads or writes waits for no other."""
    process = jax.process_index()
    return ocp.options.MultiprocessingOptions(primary_host=process, active_processes={process} if jax.process_count() > 1 else None)


def _choose(path: Path, which: str | int) -> Path:
    if (path / 'params').is_dir() and path.name.isdigit():
        return path
    steps = sorted(int(p.name) for p in (path / 'checkpoints').glob('*') if p.name.isdigit())
    if not steps:
        raise InputError(f'{path} holds no checkpoints; give the folder of a run, such as runs/trio16')
    if which == 'latest':
        step = steps[-1]
    elif which == 'best':
        losses = {step: loss for step in steps if (loss := _metrics(path / 'checkpoints' / str(step)).get('loss')) is not None}
        step = min(losses, key=losses.get) if losses else steps[-1]
    elif str(which).isdigit() and int(which) in steps:
        step = int(which)
    else:
        raise InputError(f'{path} has no checkpoint {which!r}; it has best, latest, {", ".join(map(str, steps))}')
    return path / 'checkpoints' / str(step)


def _metrics(folder: Path) -> dict[str, float]:
    try:
        return json.loads((folder / 'metrics' / 'metrics').read_text())
    except (OSError, ValueError):
        return {}
