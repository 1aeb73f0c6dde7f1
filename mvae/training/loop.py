"""`train_and_evaluate`: from a config and a store to a run folder, resumable at any moment."""

import json
import signal
from pathlib import Path

import jax
import numpy as np
from ml_collections import ConfigDict, FrozenConfigDict

from mvae import config as configs
from mvae.dataset.loader import Loader
from mvae.dataset.store import Store
from mvae.errors import InputError, Interrupted
from mvae.music.vocabulary import STREAMS, Vocabulary
from mvae.training import memory, processes, schedules
from mvae.training.checkpoint import Checkpoints
from mvae.training.evaluate import evaluate
from mvae.training.log import RunLog, evaluation_sentence, training_line
from mvae.training.pictures import write_pictures
from mvae.training.saved import read_run
from mvae.training.step import TrainState, init_state, make_train_step, replicate


def train_and_evaluate(c: ConfigDict, run: Path) -> dict[str, float]:
    """Trains until `training.steps`.

    Returns the last validation metrics, {} where nothing was left to do.

    Starts from the run's latest checkpoint, else from the weights of `checkpoint.init_from`, else
    from new ones. With several processes each calls this with the same config; process 0 writes the
    run folder.

    Raises:
        InputError: settings, data or a run folder that do not fit.
        Interrupted: after SIGTERM or SIGINT; the same command goes on.
    """
    t, e = FrozenConfigDict(c.training), c.evaluation
    schedules.check(t)
    if not c.model.encoder_sizes:
        raise InputError('model.encoder_sizes is empty: a decoder alone cannot be trained')
    devices = jax.local_device_count()
    if t.batch_size % (jax.device_count() * t.accumulation):
        raise InputError(
            f'training.batch_size {t.batch_size} is not divisible by {jax.device_count()} devices x accumulation {t.accumulation}'
        )
    store = Store.open(c.data.path)
    vocabulary = Vocabulary(**c.music)
    store.require(vocabulary)
    cfg = configs.model_config(c, vocabulary.sizes(c.kind))
    shard = {'process_index': jax.process_index(), 'process_count': jax.process_count()}
    loader = Loader(
        store,
        c.kind,
        c.bars,
        t.batch_size,
        c.seed,
        tuple(c.data.transpose),
        c.data.drop_drums,
        **shard,
    )
    validation = list(loader.evaluation_batches('validation', e.batch_size, limit=e.windows))
    init_key, noise_key, evaluation_key = jax.random.split(jax.random.key(c.seed), 3)
    state = init_state(init_key, cfg, t)
    writes = processes.is_first()
    checkpoints = (
        Checkpoints(run, json.loads(c.to_json_best_effort()), vocabulary.to_dict(), store.corpus)
        if writes
        else None
    )
    state = replicate(_first_state(c, cfg, state, checkpoints))
    start, results = int(state.step), {}
    step_function = make_train_step(cfg, t)
    stop = _catch_signals()
    with RunLog(run, start, t.steps, t.batch_size, writes) as log:
        log.say(memory.describe(state.params, run, start, t.steps))
        batches = loader.iterate(start)
        pending = None
        for step in range(start, t.steps):
            tokens = np.asarray(next(batches))
            tokens = tokens.reshape(devices, -1, *tokens.shape[1:])
            if step == start:
                log.say(memory.check(step_function, state, tokens, noise_key, t.accumulation))
            state, metrics = step_function(state, tokens, noise_key)
            if pending:  # the step before this one, so that the device never waits for us
                _report(log, c, *pending)
            pending = step + 1, metrics
            log.step_done()
            done = step + 1 == t.steps
            if t.check_replicas_every and (step + 1) % t.check_replicas_every == 0:
                if wrong := processes.replicas_differ(state.params):
                    raise RuntimeError(
                        f'replicas differ after step {step + 1} in {", ".join(wrong[:3])}: a bug of mvae or a broken device'
                    )
            if jax.process_count() == 1 or (step + 1) % c.logging.every == 0:
                leave = processes.any_process(bool(stop['signal']))
            else:
                leave = False
            if done or (step + 1) % e.every == 0:
                results, prior = evaluate(
                    state.params, cfg, validation, evaluation_key, t.max_beta, t.free_bits
                )
                _check_finite(step + 1, results['loss'], results['gap_bits'])
                log.metrics(step + 1, {f'validation/{k}': v for k, v in results.items()})
                log.say(evaluation_sentence(step + 1, results, STREAMS[c.kind]))
                if writes:
                    checkpoints.save(state, results, prior)
                    folder = run / 'samples' / f'step_{step + 1:06d}'
                    write_pictures(
                        folder,
                        state.params,
                        cfg,
                        c.kind,
                        vocabulary,
                        validation[0][0][: e.samples],
                        prior,
                        e.temperature,
                        c.seed,
                    )
            elif writes and (leave or (step + 1) % c.checkpoint.every == 0):
                checkpoints.save(state)
            if leave and not done:
                raise Interrupted(
                    f'stopped at step {step + 1}, state saved; the same command goes on'
                )
        if pending:
            _report(log, c, *pending)
    return results


def _first_state(
    c: ConfigDict, cfg: configs.ModelConfig, new: TrainState, checkpoints: Checkpoints | None
) -> TrainState:
    """Own latest checkpoint, then `init_from`, then new weights; read by process 0 and sent to the
    others.
    """
    state = new
    if checkpoints is not None:
        state = checkpoints.restore(new)
        if state is None and c.checkpoint.init_from:
            saved = read_run(c.checkpoint.init_from)
            fields = [
                f
                for f in configs.ModelConfig.__dataclass_fields__
                if f not in ('bars', 'steps', 'encoder_bars')
            ]
            differ = [f for f in fields if getattr(saved.model, f) != getattr(cfg, f)]
            if differ:
                words = '; '.join(
                    f'{f} {getattr(saved.model, f)} there, {getattr(cfg, f)} here' for f in differ
                )
                raise InputError(f'{c.checkpoint.init_from} holds another model ({words})')
            state = new.replace(params=saved.params)
        state = state or new
    return processes.from_first(state)


def _report(log: RunLog, c: ConfigDict, step: int, metrics: dict) -> None:
    values = {name: float(v) for name, v in metrics.items()}
    _check_finite(step, values['loss'], values['gradient_norm'])
    if step % c.logging.every == 0 or step == c.training.steps:
        line = training_line(values)
        log.metrics(step, line)
        log.show(line)


def _check_finite(step: int, *values: float) -> None:
    if not np.isfinite(values).all():
        raise InputError(
            f'loss or gradient is not finite at step {step}; lower training.learning_rate, and start from the last checkpoint'
        )


def _catch_signals() -> dict:
    """The first SIGTERM or SIGINT is noted, to leave after the running step; the second stops at
    once.
    """
    seen = {'signal': 0}

    def note(number, _):
        if seen['signal']:
            raise KeyboardInterrupt
        seen['signal'] = number

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    return seen
