"""Checkpoints of a run: the state, with the config, the vocabulary and the versions that made it. orbax writes each beside and renames it.

Two are kept: the latest, and the one of the best validation loss.
"""

import importlib.metadata
import json
import shutil
import time
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
_SPARE_BYTES = 2**18  # for what lies beside the weights
_PACKAGES = ('jax', 'flax', 'optax', 'orbax-checkpoint', 'numpy')


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


class Checkpoints:
    """The checkpoints folder of a run."""

    def __init__(self, run: Path, config: dict, vocabulary: dict, corpus: str):
        """config, vocabulary: what the checkpoints shall hold, JSON values; corpus: digest of the files that the data were built from.

        An existing run of another experiment, model, seed or corpus is refused by `restore`.
        """
        self._path = Path(run).absolute() / 'checkpoints'
        self._meta = {'format': FORMAT, 'config': config, 'vocabulary': vocabulary, 'corpus': corpus, 'versions': versions()}
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
        self._save(step, {'params': state.params, 'optimizer': {'opt_state': state.opt_state}}, metrics)

    def save_params(self, params: dict, step: int) -> None:
        """A model that was not trained here: without an optimizer, so that training can start from it but not go on in its folder."""
        if step not in self._manager.all_steps():
            self._save(step, {'params': params}, None)

    def _save(self, step: int, trees: dict, metrics: dict[str, float] | None) -> None:
        size = sum(x.nbytes for x in jax.tree.leaves(trees))
        if shutil.disk_usage(self._path).free < size + _SPARE_BYTES:  # orbax on a full disk says much besides our line
            raise self._cannot_write('no space left on device')
        items = {name: ocp.args.StandardSave(jax.device_get(tree)) for name, tree in trees.items()}
        items['meta'] = ocp.args.JsonSave(self._meta)
        try:
            self._manager.save(step, args=ocp.args.Composite(**items), metrics=metrics)
        except (OSError, ValueError) as error:  # ValueError is how tensorstore says that the disk is full
            self._remove_halves()
            raise self._cannot_write(getattr(error, 'strerror', None) or str(error).rsplit(': ', 1)[-1]) from None

    def _remove_halves(self) -> None:
        """Removes what a failed save began. Writes that tensorstore still has under way may add a file while a folder is being emptied."""
        for _ in range(50):
            halves = list(self._path.glob(f'*{ocp.utils.TMP_DIR_SUFFIX}*'))
            if not halves:
                return
            for half in halves:
                shutil.rmtree(half, ignore_errors=True)
            time.sleep(0.1)  # and again: a late write makes its folder anew

    def _cannot_write(self, reason: str) -> InputError:
        return InputError(f'cannot write a checkpoint to {self._path}: {reason}; the one before is whole: make room, and run the same command')

    def restore(self, like: TrainState) -> TrainState | None:
        """The latest state, or None in a new run. Raises InputError for another run's folder, and for damaged files."""
        step = self._manager.latest_step()
        if step is None:
            return None
        try:
            meta = self._manager.restore(step, args=ocp.args.Composite(meta=ocp.args.JsonRestore()))['meta']
        except Exception as error:  # orbax raises many kinds for damaged files
            raise InputError(f'{self._path}/{step} is not a readable checkpoint ({type(error).__name__}); remove it to go on') from None
        if changed := _differences(meta, self._meta):
            run = self._path.parent
            raise InputError(
                f'{run} holds another run ({"; ".join(changed)}); name another folder with --run, or start there from the '
                f'weights of this one with --config.checkpoint.init_from={run}'
            )
        try:
            items = ocp.args.Composite(
                params=ocp.args.StandardRestore(like.params), optimizer=ocp.args.StandardRestore({'opt_state': like.opt_state})
            )
            restored = self._manager.restore(step, args=items)
        except Exception as error:
            raise InputError(f'{self._path}/{step} is damaged ({type(error).__name__}); remove it to go on from the one before') from None
        return TrainState(like.step + step, restored['params'], restored['optimizer']['opt_state'])


def _differences(old: dict, new: dict) -> list[str]:
    """What makes two checkpoints' runs two: everything but the length of training, its objective, and what is logged when."""
    a, b = old['config'], new['config']
    changed = [f'{k} {a.get(k)} -> {b[k]}' for k in ('experiment', 'kind', 'bars', 'variant', 'seed') if a.get(k) != b[k]]
    changed += [f'{k} {a["model"].get(k)} -> {v}' for k, v in b['model'].items() if a['model'].get(k) != v]
    if old['vocabulary'] != new['vocabulary']:
        changed.append('another vocabulary')
    elif old.get('corpus', new['corpus']) != new['corpus']:
        changed.append(f'data {a["data"]["path"]} -> {b["data"]["path"]}')
    return changed


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
    config, meta = _read_meta(folder)
    vocabulary = Vocabulary(**meta['vocabulary'])
    model = model_config(config, vocabulary.sizes(config.kind))
    like = jax.eval_shape(lambda: vae.init(jax.random.key(0), model))
    like = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=jax.sharding.SingleDeviceSharding(jax.local_devices()[0])), like)
    try:
        reader = ocp.StandardCheckpointHandler(multiprocessing_options=_alone())
        params = reader.restore(folder / 'params', args=ocp.args.StandardRestore(like))
    except Exception as error:
        raise InputError(f'{folder} is damaged ({type(error).__name__}); take another checkpoint of the run') from None
    return Saved(params, config, vocabulary, model, int(folder.name), _metrics(folder), meta['versions'])


def read_config(path: str | Path, which: str | int = 'best') -> ConfigDict:
    """The config of a run's checkpoint, without its weights. Raises InputError as `read_run` does."""
    return _read_meta(_choose(Path(path).absolute(), which))[0]


def _read_meta(folder: Path) -> tuple[ConfigDict, dict]:
    try:
        meta = json.loads((folder / 'meta' / 'metadata').read_text())
        config = base_config()
        config.update(meta['config'])
        Vocabulary(**meta['vocabulary'])
    except Exception as error:  # orbax raises many kinds for damaged files
        raise InputError(f'{folder} is not a checkpoint of mvae, or damaged ({type(error).__name__})') from None
    if meta['format'] != FORMAT:
        raise InputError(f'{folder} has checkpoint format {meta["format"]}, this mvae reads {FORMAT}; load it with mvae of its time')
    return config, meta


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
