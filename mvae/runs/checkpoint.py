"""Checkpoints of a run: the state, with what made it. orbax writes each beside and renames it.

Kept are the latest, the one before, should the disk damage it, and the one of the best validation
loss. Each has digests of what it holds: see `runs.digests`.
"""

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import jax
import orbax.checkpoint as ocp
from ml_collections import ConfigDict
from orbax.checkpoint import checkpoint_managers

from mvae.errors import InputError
from mvae.files import Missing, check_name, check_tree, damaged, read_json, reason
from mvae.model.prior import Gaussian
from mvae.model.types import Params
from mvae.music.form import differences
from mvae.runs import digests, metadata
from mvae.runs.metadata import FORMAT, Kept, Metrics, describe

_SPARE_BYTES = 2**18  # for what lies beside the weights
_MOST_BYTES = 2**44
_REMEDY = 'remove this checkpoint to go on'


class _Damaged(Exception):
    """A checkpoint that is not what was written."""


class Training(NamedTuple):
    """What training goes on from: updates done, and float32 trees."""

    step: int
    params: Params
    opt_state: Any


class Checkpoints:
    """The checkpoints folder of a run."""

    def __init__(self, run: Path, config: ConfigDict, corpus: str):
        """Opens the folder, or makes it.

        config: what the checkpoints shall hold. corpus: digest of the files of the data. `restore`
        refuses an existing run of another experiment, model, seed or corpus. Raises InputError
        where the folder cannot be written.
        """
        self._path = Path(run).absolute() / 'checkpoints'
        check_name(self._path)
        self._meta = describe(config, corpus)
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
                [checkpoint_managers.LatestN(2), best]
            ),
            best_fn=lambda m: m['loss'],
            best_mode='min',
            enable_async_checkpointing=False,
            create=False,
            multiprocessing_options=peers,
        )
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            _check_folder(self._path)
            self._manager = ocp.CheckpointManager(
                self._path, options=options, item_handlers=handlers
            )
        except OSError as error:
            raise InputError(
                f'cannot write checkpoints to {self._path}: {error.strerror}'
            ) from None
        except (ValueError, RecursionError) as error:
            raise damaged(self._path, reason(error), 'remove what is no checkpoint of it') from None

    def save(
        self,
        state: Training,
        metrics: dict[str, float] | None = None,
        prior: Gaussian | None = None,
    ) -> None:
        """Writes the state, once for every step.

        metrics: of the validation split, with 'loss'. prior: the Gaussian of its codes. Both are
        None for a checkpoint between evaluations. Raises InputError where it cannot be written.
        """
        if state.step in self._manager.all_steps():
            return
        trees = {'params': state.params, 'optimizer': {'opt_state': state.opt_state}}
        self._save(state.step, trees | ({'prior': prior._asdict()} if prior else {}), metrics)

    def save_params(self, params: Params, step: int) -> None:
        """Writes a model that was not trained here.

        It has no optimizer: training can start from it but not go on in its folder.
        """
        if step not in self._manager.all_steps():
            self._save(step, {'params': params}, None)

    def _save(self, step: int, trees: Params, metrics: dict[str, float] | None) -> None:
        size = sum(x.nbytes for x in jax.tree.leaves(trees))
        # orbax on a full disk says much besides our line.
        if shutil.disk_usage(self._path).free < size + _SPARE_BYTES:
            raise self._cannot_write('no space left on device')
        trees = jax.device_get(trees)
        items = {name: ocp.args.StandardSave(tree) for name, tree in trees.items()}
        items['meta'] = ocp.args.JsonSave(digests.sign(self._meta, trees, metrics))
        try:
            self._manager.save(step, args=ocp.args.Composite(**items), metrics=metrics)
        except (OSError, ValueError) as error:  # tensorstore: ValueError where the disk is full
            self._remove_halves()
            why = getattr(error, 'strerror', None) or str(error).rsplit(': ', 1)[-1]
            raise self._cannot_write(why) from None

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
            f'cannot write a checkpoint to {self._path}: {reason}; the one before is whole: '
            'make room, and run the same command'
        )

    def restore(self, like: Training) -> Training | None:
        """The latest state that is whole, in the shapes of `like`; None in a new run.

        Damaged ones after it are renamed, and said. Raises InputError for another run's folder, and
        where none is whole.
        """
        damaged = []
        for step in sorted(self._manager.all_steps(), reverse=True):
            try:
                kept = self._read(step, like)
            except InputError:
                raise
            except Exception as error:  # orbax raises many kinds for damaged files
                damaged.append(
                    (step, str(error) if type(error) is _Damaged else type(error).__name__)
                )
                continue
            self._set_aside(damaged, step)
            return kept
        if damaged:
            step, why = damaged[0]
            raise InputError(
                f'{self._path}/{step} is damaged ({why}), and no checkpoint before it is whole; '
                'remove the run folder to begin anew, or name another one with --run'
            )
        return None

    def _read(self, step: int, like: Training) -> Training:
        folder = self._path / str(step)
        try:
            meta = metadata.read(folder)
        except InputError as error:
            raise _Damaged(str(error)) from None
        if digests.damaged_meta(meta, self._manager.metrics(step) or {}):
            raise _Damaged('its metadata are not what was written')
        self._check_version(meta)
        self._check_same(folder, meta)
        items = ocp.args.Composite(
            params=ocp.args.StandardRestore(like.params),
            optimizer=ocp.args.StandardRestore({'opt_state': like.opt_state}),
        )
        trees = self._manager.restore(step, args=items)
        if why := digests.damage(meta, params=trees['params'], optimizer=trees['optimizer']):
            raise _Damaged(why)
        return Training(step, trees['params'], trees['optimizer']['opt_state'])

    def _check_version(self, meta: dict[str, Any]) -> None:
        run = self._path.parent
        if meta.get('format') != FORMAT:
            raise InputError(
                f'{run} was made by another version of mvae (model format {meta.get("format")}, '
                f'this one reads {FORMAT}); name another folder with --run'
            )

    def _check_same(self, folder: Path, meta: dict[str, Any]) -> None:
        run = self._path.parent
        config, _ = metadata.check(folder, meta, Kept)
        if changed := _differences(meta | {'config': metadata.as_json(config)}, self._meta):
            raise InputError(
                f'{run} holds another run ({"; ".join(changed)}); name another folder with --run, '
                f'or start there from the weights of this one with '
                f'--config.checkpoint.init_from={run}'
            )

    def _set_aside(self, damaged: list[tuple[int, str]], whole: int) -> None:
        for step, why in damaged:
            aside = self._path / f'damaged-{step}'
            shutil.rmtree(aside, ignore_errors=True)
            os.replace(self._path / str(step), aside)
            print(
                f'{self._path}/{step} is damaged ({why}); training goes on from step {whole}. '
                f'What is left of it is {aside}',
                file=sys.stderr,
            )
        if damaged:
            self._manager.reload()


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What makes two checkpoints' runs two.

    Everything but the length of training, its objective, and what is logged when.
    """
    a, b = old['config'], new['config']
    names = ('experiment', 'form', 'bars', 'variant', 'seed')
    changed = [f'{k} {a.get(k)} -> {b[k]}' for k in names if a.get(k) != b[k]]
    before = a['model']
    changed += [f'{k} {before[k]} -> {v}' for k, v in b['model'].items() if before[k] != v]
    if not changed and (other := differences(old['form'], new['form'])):
        changed.append(other)
    elif old['corpus'] != new['corpus']:
        changed.append(f'data {a["data"]["path"]} -> {b["data"]["path"]}')
    return changed


def _check_folder(checkpoints: Path) -> None:
    """Raises InputError for what orbax would wait for or fall over.

    These are devices and pipes, and losses that are no numbers.
    """
    check_tree(checkpoints, _MOST_BYTES)
    for folder in checkpoints.iterdir():
        with contextlib.suppress(Missing):  # none were taken
            read_json(folder / 'metrics' / 'metrics', Metrics, _REMEDY)


def single_process() -> ocp.options.MultiprocessingOptions:
    """Of several processes the one that reads or writes waits for no other."""
    process = jax.process_index()
    return ocp.options.MultiprocessingOptions(
        primary_host=process, active_processes={process} if jax.process_count() > 1 else None
    )
