"""Timed program: updates of an experiment, on random tokens.

Argument: JSON of exp, scale, dtype, batch_size (null: that of the scale), accumulation, calls.
Prints JSON: seconds of each call, and the arithmetic that an update needs at least.
"""

import json
import sys
import time

import jax
import numpy as np
import works
from ml_collections import ConfigDict, FrozenConfigDict

from mvae.batch import Batch
from mvae.commands import experiments
from mvae.model.config import model_config
from mvae.music.form import Form
from mvae.musicvae import form_of
from mvae.training.step import by_device, init_state, make_train_step, replicate


def random_batch(form: Form, size: int) -> Batch:
    """Tokens int32 [B, T, C] of each stream and condition, uniform in their sizes."""
    rng, steps = np.random.default_rng(0), form.segments * form.steps_per_segment
    streams, told = (
        tuple(rng.integers(0, sizes, (size, steps, len(sizes)), np.int32) for _, sizes in layout)
        for layout in (form.layout, form.told_layout)
    )
    return Batch.of(streams, 0, told)


def measure(c: ConfigDict, calls: int) -> dict:
    """Seconds of so many updates, each until its loss is known, after a first one that compiles."""
    form, t = form_of(c), FrozenConfigDict(c.training)
    cfg, key = model_config(c, form), jax.random.key(0)
    state = replicate(init_state(key, cfg, t))
    batch, update = by_device(random_batch(form, t.batch_size)), make_train_step(cfg, t)
    times = []
    for _ in range(calls + 1):
        start = time.perf_counter()
        state, metrics = update(state, batch, key)
        float(metrics['loss'])
        times.append(time.perf_counter() - start)
    first, *seconds = times
    return {
        'device': jax.devices()[0].device_kind,
        'devices': jax.device_count(),
        'parameters': sum(x.size for x in jax.tree.leaves(state.params)),
        'batch_size': t.batch_size,
        'accumulation': t.accumulation,
        'first': first,
        'seconds': seconds,
        'flops': works.training_flops(works.Work('', cfg, t.batch_size)),
    }


def main(about: dict) -> None:
    c = experiments.load(about['exp'], None, about['scale'])
    c.model.dtype = about['dtype']
    c.training.batch_size = about['batch_size'] or c.training.batch_size
    c.training.accumulation = about['accumulation']
    print(json.dumps(measure(c, about['calls'])))


if __name__ == '__main__':
    main(json.loads(sys.argv[1]))
