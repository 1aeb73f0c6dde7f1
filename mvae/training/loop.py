"""`train_and_evaluate`: from a config and a store to a run folder, resumable at any moment."""

import contextlib
import dataclasses
import signal
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
from ml_collections import ConfigDict, FrozenConfigDict

from mvae import remote
from mvae.batch import Batch
from mvae.dataset.loader import Loader
from mvae.dataset.store import Store
from mvae.errors import InputError, Interrupted
from mvae.files import owned
from mvae.model.config import ModelConfig, model_config
from mvae.model.types import Params
from mvae.musicvae import MusicVAE, form_of
from mvae.render.collection import is_whole
from mvae.runs import settings
from mvae.runs.checkpoint import Checkpoints, Training
from mvae.runs.load import load
from mvae.training import memory, processes, schedules
from mvae.training.evaluate import evaluate
from mvae.training.log import RunLog, evaluation_sentence, training_line
from mvae.training.pictures import write_pictures
from mvae.training.signals import StopSignals
from mvae.training.step import TrainState, by_device, init_state, make_train_step, replicate


def train_and_evaluate(c: ConfigDict, run: str | Path) -> dict[str, float]:
    """Trains until `training.steps`. Returns the last validation metrics, {} with nothing to do.

    Starts from the run's latest checkpoint, else from the weights of `checkpoint.init_from`, else
    from new ones. With several processes each calls this with the same config. Process 0 writes the
    run folder.

    Raises:
        InputError: settings, data or a run folder that do not fit; another process trains there.
        Interrupted: after SIGTERM or SIGINT; the same command goes on.
    """
    _check(c)
    run = remote.local(run)
    store, form = Store.open(c.data.path), form_of(c)
    shard = {'process_index': jax.process_index(), 'process_count': jax.process_count()}
    augmentation = tuple(c.data.transpose), c.data.drop_drums, c.data.mix_drums
    loader = Loader(store, form, c.training.batch_size, c.seed, *augmentation, **shard)
    writes = processes.is_first()
    with owned(run, 'trains') if writes else contextlib.nullcontext():
        checkpoints = Checkpoints(run, c, store.corpus) if writes else None
        trainer = _Trainer(c, loader, run, checkpoints)
        log = RunLog(run, trainer.start, c.training.steps, c.training.batch_size, writes)
        with log, StopSignals() as stop:
            return trainer.run(log, stop)


def _check(c: ConfigDict) -> None:
    """Raises InputError for settings that cannot be trained."""
    t = c.training
    settings.check(c)
    schedules.check(t)
    if not c.model.encoder_sizes:
        raise InputError('model.encoder_sizes is empty: a decoder alone cannot be trained')
    if t.batch_size % (jax.device_count() * t.accumulation):
        raise InputError(
            f'training.batch_size {t.batch_size} is not divisible by {jax.device_count()} devices '
            f'x accumulation {t.accumulation}'
        )


class _Trainer:
    """One call of `train_and_evaluate`: what its updates and evaluations share."""

    def __init__(self, c: ConfigDict, loader: Loader, run: Path, checkpoints: Checkpoints | None):
        self.c, self.t, self.loader = c, FrozenConfigDict(c.training), loader
        self.folder, self.checkpoints = run, checkpoints
        e = c.evaluation
        self.validation = list(loader.evaluation_batches('validation', e.batch_size, e.windows))
        self.cfg = model_config(c, loader.form)
        init_key, self.noise_key, self.evaluation_key = jax.random.split(jax.random.key(c.seed), 3)
        new = init_state(init_key, self.cfg, self.t)
        self.state = replicate(_first_state(c, self.cfg, new, checkpoints))
        self.start = int(self.state.step)
        self.update = make_train_step(self.cfg, self.t)

    def run(self, log: RunLog, stop: StopSignals) -> dict[str, float]:
        """All updates that are left."""
        t, results, pending = self.t, {}, None
        self._make_missing_pictures()
        if self.checkpoints:
            remote.push(self.folder)  # before anything is computed: can it be sent at all?
        log.say(memory.describe(self.state.params, self.folder, self.start, t.steps))
        batches: Iterator[Batch] = self.loader.iterate(self.start)
        for done in range(self.start + 1, t.steps + 1):
            batch = by_device(next(batches))
            if done == self.start + 1:
                arguments = self.state, batch, self.noise_key
                log.say(memory.check(self.update, *arguments, t.accumulation))
            self.state, metrics = self.update(self.state, batch, self.noise_key)
            if pending:  # the update before this one, so that the device never waits for us
                _report(log, self.c, *pending)
            pending = done, metrics
            log.step_done()
            self._check_replicas(done)
            leave = self._asked_to_leave(done, stop)
            evaluates = self._evaluates(done)
            if evaluates or leave or done % self.c.checkpoint.every == 0:
                _report(log, self.c, *pending)  # first: what is saved is not done again
                pending = None
                if evaluates:
                    results = self._evaluate(done, log)
                elif self.checkpoints:
                    self.checkpoints.save(self._training())
                self._send(log)
            if leave and done < t.steps:
                said = f'stopped at step {done}, state saved; the same command goes on'
                raise Interrupted(said, stop.seen or signal.SIGINT)
        return results

    def _send(self, log: RunLog) -> None:
        """What is new, where the run folder is a copy. A storage that is away stops no training."""
        if self.checkpoints:
            try:
                remote.push(self.folder)
            except remote.Unreachable as error:
                log.say(f'{error}')

    def _evaluates(self, done: int) -> bool:
        return done == self.t.steps or (done > 0 and done % self.c.evaluation.every == 0)

    def _training(self) -> Training:
        return Training(int(self.state.step), self.state.params, self.state.opt_state)

    def _check_replicas(self, done: int) -> None:
        every = self.t.check_replicas_every
        if every and done % every == 0 and (wrong := processes.replicas_differ(self.state.params)):
            names = ', '.join(wrong[:3])
            raise RuntimeError(
                f'replicas differ after step {done} in {names}: a bug of mvae or a broken device'
            )

    def _asked_to_leave(self, done: int, stop: StopSignals) -> bool:
        """Whether any process got a signal; several processes ask each other now and then."""
        if jax.process_count() > 1 and done % self.c.logging.every:
            return False
        return processes.any_process(bool(stop.seen))

    def _evaluate(self, done: int, log: RunLog) -> dict[str, float]:
        c, form = self.c, self.loader.form
        weights = c.training.max_beta, c.training.free_bits
        results, prior = evaluate(
            self.state.params, self.cfg, form, self.validation, self.evaluation_key, *weights
        )
        _check_finite(done, results['loss'], results['marginal_kl_bits'])
        log.metrics(done, {f'validation/{k}': v for k, v in results.items()})
        log.say(evaluation_sentence(done, results, [stream.name for stream in form.streams]))
        if self.checkpoints:
            self.checkpoints.save(self._training(), results, prior)
            model = MusicVAE(processes.on_one_device(self.state.params), c, prior, done, results)
            self._write_pictures(model)
        return results

    def _write_pictures(self, model: MusicVAE) -> None:
        e = self.c.evaluation
        originals = self.loader.form.join(self.validation[0].parts)[: e.samples]
        write_pictures(self._pictures(model.step), model, originals, e.temperature, self.c.seed)

    def _pictures(self, step: int) -> Path:
        return self.folder / 'samples' / f'step_{step:06d}'

    def _make_missing_pictures(self) -> None:
        """Makes those of the checkpoint that training goes on from, where a kill came first."""
        evaluated = self.checkpoints and self._evaluates(self.start) and self.start > 0
        if evaluated and self.c.evaluation.samples and not is_whole(self._pictures(self.start)):
            model = load(self.folder, self.start)
            if model.prior is not None:  # else it was saved at a signal
                self._write_pictures(model)


def _first_state(
    c: ConfigDict, cfg: ModelConfig, new: TrainState, checkpoints: Checkpoints | None
) -> TrainState:
    """Own latest checkpoint, then `init_from`, then new weights.

    Read by process 0 and sent to the others.
    """
    state = new
    if checkpoints is not None:
        kept = checkpoints.restore(Training(0, new.params, new.opt_state))
        if kept is not None:
            state = TrainState(new.step + kept.step, kept.params, kept.opt_state)
        elif c.checkpoint.init_from:
            state = dataclasses.replace(new, params=_weights_of(c.checkpoint.init_from, cfg))
    return processes.from_first(state)


def _weights_of(source: str, cfg: ModelConfig) -> Params:
    """The weights of another run; its windows may be of another length."""
    model = load(source)
    length = ('bars', 'steps', 'encoder_bars')
    fields = [f.name for f in dataclasses.fields(ModelConfig) if f.name not in length]
    theirs = model.architecture
    differ = [name for name in fields if getattr(theirs, name) != getattr(cfg, name)]
    if differ:
        words = '; '.join(
            f'{name} {getattr(theirs, name)} there, {getattr(cfg, name)} here' for name in differ
        )
        raise InputError(f'{source} holds another model ({words})')
    return model.params


def _report(log: RunLog, c: ConfigDict, step: int, metrics: dict[str, jax.Array]) -> None:
    values = {name: float(v) for name, v in metrics.items()}
    _check_finite(step, values['loss'], values['gradient_norm'])
    if step % c.logging.every == 0 or step == c.training.steps:
        line = training_line(values)
        log.metrics(step, line)
        log.show(line)


def _check_finite(step: int, *values: float) -> None:
    if not np.isfinite(values).all():
        raise InputError(
            f'loss or gradient is not finite at step {step}; lower training.learning_rate, '
            'and start from the last checkpoint'
        )
