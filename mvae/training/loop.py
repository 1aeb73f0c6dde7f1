"""`train_and_evaluate`: from a config and a store to a run folder, resumable at any moment."""

import json
import os
import signal
from pathlib import Path

import jax
import numpy as np
from ml_collections import ConfigDict, FrozenConfigDict
from tqdm import tqdm

from mvae import config as configs
from mvae.dataset.loader import Loader
from mvae.dataset.store import Store
from mvae.errors import InputError
from mvae.music.vocabulary import STREAMS, Vocabulary
from mvae.training import schedules
from mvae.training.checkpoint import Checkpoints
from mvae.training.evaluate import evaluate
from mvae.training.step import init_state, make_train_step


class Interrupted(Exception):
    """Training was stopped by a signal, its state saved."""


def train_and_evaluate(c: ConfigDict, run: Path) -> dict[str, float]:
    """Trains until `training.steps`, from the run's latest checkpoint if it has one. Returns the last validation metrics.

    Raises:
        InputError: settings, data or a run folder that do not fit.
        Interrupted: after SIGTERM or SIGINT; the same command goes on.
    """
    t, e = FrozenConfigDict(c.training), c.evaluation
    schedules.check(t)
    devices = jax.local_device_count()
    if t.batch_size % (devices * t.accumulation):
        raise InputError(f'training.batch_size {t.batch_size} is not divisible by {devices} devices x accumulation {t.accumulation}')
    store = Store.open(c.data.path)
    vocabulary = Vocabulary(**c.music)
    store.require(vocabulary)
    cfg = configs.model_config(c, vocabulary.sizes(c.kind))
    loader = Loader(store, c.kind, c.bars, t.batch_size, c.seed, transpose=tuple(c.data.transpose))
    init_key, noise_key, evaluation_key = jax.random.split(jax.random.key(c.seed), 3)
    state = init_state(init_key, cfg, t)
    checkpoints = Checkpoints(run, json.loads(c.to_json_best_effort()), vocabulary.to_dict())
    state = checkpoints.restore(state) or state
    start, results = int(state.step), {}
    parameters = sum(x.size for x in jax.tree.leaves(state.params))
    print(f'{devices} x {jax.devices()[0].device_kind}; {parameters:,} parameters; from step {start} to {t.steps} in {run}', flush=True)
    log = _open_log(run / 'metrics.jsonl', start)
    stop = _catch_signals()
    step_function = make_train_step(cfg, t)
    progress = tqdm(total=t.steps, initial=start, unit='step', dynamic_ncols=True)
    with log, progress:
        batches = loader.iterate(start)
        pending = None
        for step in range(start, t.steps):
            tokens = np.asarray(next(batches))
            state, metrics = step_function(state, tokens.reshape(devices, -1, *tokens.shape[1:]), noise_key)
            if pending:  # the step before this one, so that the device never waits for us
                _report(log, progress, c, *pending)
            pending = step + 1, metrics
            progress.update()
            done = step + 1 == t.steps
            if done or (step + 1) % e.every == 0:
                batches_of_split = loader.evaluation_batches('validation', e.batch_size, limit=e.windows)
                results = evaluate(state.params, cfg, batches_of_split, evaluation_key, t.max_beta, t.free_bits)
                log.write(json.dumps({'step': step + 1, **{f'validation/{k}': v for k, v in results.items()}}) + '\n')
                progress.write(_sentence(step + 1, results, STREAMS[c.kind]))
                checkpoints.save(state, results)
            elif stop['signal'] or (step + 1) % c.checkpoint.every == 0:
                checkpoints.save(state)
            if stop['signal'] and not done:
                raise Interrupted(f'stopped at step {step + 1}, state saved; the same command goes on')
        if pending:
            _report(log, progress, c, *pending)
    return results


def _report(log, progress, c: ConfigDict, step: int, metrics: dict) -> None:
    values = {name: float(v) for name, v in metrics.items()}
    if not np.isfinite(values['loss']) or not np.isfinite(values['gradient_norm']):
        raise InputError(f'loss or gradient is not finite at step {step}; lower training.learning_rate, and start from the last checkpoint')
    if step % c.logging.every and step != c.training.steps:
        return
    n = values.pop('examples')
    line = {
        'step': step,
        'loss': values['loss'] / n,
        'reconstruction': values['reconstruction'] / n,
        'kl_bits': values['kl'] / n / np.log(2),
        'accuracy': values['correct'] / values['tokens'],
        **{name: values[name] for name in ('gradient_norm', 'parameter_norm', 'update_norm')},
    }
    log.write(json.dumps(line) + '\n')
    progress.set_postfix(loss=f'{line["loss"]:.1f}', kl=f'{line["kl_bits"]:.0f} bits', accuracy=f'{line["accuracy"]:.3f}')


def _sentence(step: int, results: dict[str, float], streams: tuple[str, ...]) -> str:
    parts = [
        f'{name} {results[f"accuracy_{k}"]:.3f} (always hold {results[f"baseline_{k}"]:.3f}, onsets {results[f"onset_accuracy_{k}"]:.3f})'
        for k, name in enumerate(streams)
    ]
    return f'step {step}: validation loss {results["loss"]:.2f}, KL {results["kl_bits"]:.0f} bits, teacher-forced ' + '; '.join(parts)


def _open_log(path: Path, start: int):
    """The run's metrics, without lines of steps that will be done again; written beside, then renamed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [line for line in path.read_text().splitlines() if json.loads(line)['step'] <= start] if path.exists() else []
        beside = path.with_suffix('.partial')
        beside.write_text(''.join(line + '\n' for line in lines))
        os.replace(beside, path)
        return path.open('a', buffering=1)
    except OSError as error:
        raise InputError(f'cannot write {path}: {error.strerror}') from None


def _catch_signals() -> dict:
    """The first SIGTERM or SIGINT is noted, to leave after the running step; the second stops at once."""
    seen = {'signal': 0}

    def note(number, _):
        if seen['signal']:
            raise KeyboardInterrupt
        seen['signal'] = number

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    return seen
