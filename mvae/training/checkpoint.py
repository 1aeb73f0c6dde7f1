"""Checkpoints of a run: the state, with the config, the vocabulary and the versions that made it.

orbax writes each beside and renames it.

Two are kept: the latest, and the one of the best validation loss.
"""

import importlib.metadata
import json
import shutil
import time
from pathlib import Path

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from mvae.config import base_config
from mvae.errors import InputError
from mvae.model.prior import Prior
from mvae.training.step import TrainState

FORMAT = 1
_SPARE_BYTES = 2**18  # for what lies beside the weights
_PACKAGES = ('jax', 'flax', 'optax', 'orbax-checkpoint', 'numpy')


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


class Checkpoints:
    """The checkpoints folder of a run."""

    def __init__(self, run: Path, config: dict, vocabulary: dict, corpus: str):
        """config, vocabulary: what the checkpoints shall hold, JSON values; corpus: digest of the
        files that the data were built from.

        An existing run of another experiment, model, seed or corpus is refused by `restore`.
        """
        self._path = Path(run).absolute() / 'checkpoints'
        self._meta = {
            'format': FORMAT,
            'config': config,
            'vocabulary': vocabulary,
            'corpus': corpus,
            'versions': versions(),
        }
        best = checkpoint_managers.BestN(
            get_metric_fn=lambda m: m['loss'],
            reverse=True,
            n=1,
            keep_checkpoints_without_metrics=False,
        )
        peers = single_process()
        handlers = {
            name: ocp.StandardCheckpointHandler(multiprocessing_options=peers)
            for name in ('params', 'optimizer', 'prior')
        }
        handlers['meta'] = ocp.JsonCheckpointHandler(multiprocessing_options=peers)
        options = ocp.CheckpointManagerOptions(
            preservation_policy=checkpoint_managers.AnyPreservationPolicy(
                [checkpoint_managers.LatestN(1), best]
            ),
            best_fn=lambda m: m['loss'],
            best_mode='min',
            enable_async_checkpointing=False,
            create=False,
            multiprocessing_options=peers,
        )
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self._manager = ocp.CheckpointManager(
                self._path, options=options, item_handlers=handlers
            )
        except OSError as error:
            raise InputError(
                f'cannot write checkpoints to {self._path}: {error.strerror}'
            ) from None

    def save(
        self, state: TrainState, metrics: dict[str, float] | None = None, prior: Prior | None = None
    ) -> None:
        """metrics: of the validation split, with 'loss', and the Gaussian of its codes; None for a
        checkpoint between evaluations.
        """
        step = int(state.step)
        if step in self._manager.all_steps():
            return
        trees = {'params': state.params, 'optimizer': {'opt_state': state.opt_state}}
        self._save(step, trees | ({'prior': prior._asdict()} if prior else {}), metrics)

    def save_params(self, params: dict, step: int) -> None:
        """A model that was not trained here: without an optimizer, so that training can start from
        it but not go on in its folder.
        """
        if step not in self._manager.all_steps():
            self._save(step, {'params': params}, None)

    def _save(self, step: int, trees: dict, metrics: dict[str, float] | None) -> None:
        size = sum(x.nbytes for x in jax.tree.leaves(trees))
        if (
            shutil.disk_usage(self._path).free < size + _SPARE_BYTES
        ):  # orbax on a full disk says much besides our line
            raise self._cannot_write('no space left on device')
        items = {name: ocp.args.StandardSave(jax.device_get(tree)) for name, tree in trees.items()}
        items['meta'] = ocp.args.JsonSave(self._meta)
        try:
            self._manager.save(step, args=ocp.args.Composite(**items), metrics=metrics)
        except (
            OSError,
            ValueError,
        ) as error:  # ValueError is how tensorstore says that the disk is full
            self._remove_halves()
            raise self._cannot_write(
                getattr(error, 'strerror', None) or str(error).rsplit(': ', 1)[-1]
            ) from None

    def _remove_halves(self) -> None:
        """Removes what a failed save began.

        Writes that tensorstore still has under way may add a file while a folder is being emptied.
        """
        for _ in range(50):
            halves = list(self._path.glob(f'*{ocp.utils.TMP_DIR_SUFFIX}*'))
            if not halves:
                return
            for half in halves:
                shutil.rmtree(half, ignore_errors=True)
            time.sleep(0.1)  # and again: a late write makes its folder anew

    def _cannot_write(self, reason: str) -> InputError:
        return InputError(
            f'cannot write a checkpoint to {self._path}: {reason}; the one before is whole: make room, and run the same command'
        )

    def restore(self, like: TrainState) -> TrainState | None:
        """The latest state, or None in a new run.

        Raises InputError for another run's folder, and for damaged files.
        """
        step = self._manager.latest_step()
        if step is None:
            return None
        try:
            meta = self._manager.restore(
                step, args=ocp.args.Composite(meta=ocp.args.JsonRestore())
            )['meta']
        except Exception as error:  # orbax raises many kinds for damaged files
            raise InputError(
                f'{self._path}/{step} is not a readable checkpoint ({type(error).__name__}); remove it to go on'
            ) from None
        if changed := _differences(meta, self._meta):
            run = self._path.parent
            raise InputError(
                f'{run} holds another run ({"; ".join(changed)}); name another folder with --run, or start there from the '
                f'weights of this one with --config.checkpoint.init_from={run}'
            )
        try:
            items = ocp.args.Composite(
                params=ocp.args.StandardRestore(like.params),
                optimizer=ocp.args.StandardRestore({'opt_state': like.opt_state}),
            )
            restored = self._manager.restore(step, args=items)
        except Exception as error:
            raise InputError(
                f'{self._path}/{step} is damaged ({type(error).__name__}); remove it to go on from the one before'
            ) from None
        return TrainState(like.step + step, restored['params'], restored['optimizer']['opt_state'])


def _differences(old: dict, new: dict) -> list[str]:
    """What makes two checkpoints' runs two: everything but the length of training, its objective,
    and what is logged when.
    """
    a, b = old['config'], new['config']
    changed = [
        f'{k} {a.get(k)} -> {b[k]}'
        for k in ('experiment', 'kind', 'bars', 'variant', 'seed')
        if a.get(k) != b[k]
    ]
    before = (
        json.loads(base_config().model.to_json_best_effort()) | a['model']
    )  # a setting that was made later had its default
    changed += [f'{k} {before[k]} -> {v}' for k, v in b['model'].items() if before[k] != v]
    if old['vocabulary'] != new['vocabulary']:
        changed.append('another vocabulary')
    elif old.get('corpus', new['corpus']) != new['corpus']:
        changed.append(f'data {a["data"]["path"]} -> {b["data"]["path"]}')
    return changed


def single_process() -> ocp.options.MultiprocessingOptions:
    """Of several processes the one that reads or writes waits for no other."""
    process = jax.process_index()
    return ocp.options.MultiprocessingOptions(
        primary_host=process, active_processes={process} if jax.process_count() > 1 else None
    )
