"""Timed program: training and sampling of one size by mvae.

Argument: the work as JSON (`works.to_dict`); see `answer.serve`.
"""

import functools
import json
import sys
from collections.abc import Callable

import jax
import numpy as np
import works
from answer import serve
from ml_collections import FrozenConfigDict

from mvae.batch import Batch
from mvae.config import base_config
from mvae.model import vae
from mvae.training.step import by_device, init_state, make_train_step, replicate


def main(about: dict) -> None:
    work = works.WORKS[about['work']]
    cfg, t = work.model, FrozenConfigDict(base_config().training)
    rng = np.random.default_rng(0)
    shape = work.batch_size, cfg.total_steps, 1
    drawn = [rng.integers(0, head.out_width, shape, dtype=np.int32) for head in cfg.heads]
    batch = by_device(Batch.of(tuple(drawn)))
    key = jax.random.key(0)
    state = replicate(init_state(key, cfg, t))
    step = make_train_step(cfg, t)

    def train() -> float:
        nonlocal state
        state, metrics = step(state, batch, key)
        return float(metrics['loss'])

    weights = jax.jit(vae.prepare, static_argnums=1)(state.params, cfg)
    generate = functools.partial(jax.jit, static_argnums=1)(vae.generate_prepared)

    def sampler(n: int) -> Callable[[], object]:
        z = rng.standard_normal((n, cfg.latent_size), dtype=np.float32)
        return lambda: jax.block_until_ready(generate(weights, cfg, z, key, np.float32(1)))

    count = sum(x.size for x in jax.tree.leaves(state.params))
    serve(
        {'train': train, 'sample': sampler(works.SAMPLES), 'sample1': sampler(1)},
        {'parameters': count, 'backend': jax.default_backend()},
    )


if __name__ == '__main__':
    main(json.loads(sys.argv[1]))
