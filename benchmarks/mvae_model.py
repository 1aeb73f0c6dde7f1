"""Timed program: training and sampling of one size by mvae.

Argument: the work as JSON (`works.to_dict`); see `answer.serve`.
"""

import functools
import json
import sys
from collections.abc import Callable

import jax
import numpy as np
from answer import serve
from ml_collections import FrozenConfigDict

from mvae.config import ModelConfig, base_config
from mvae.model import vae
from mvae.training.step import init_state, make_train_step, replicate


def main(work: dict) -> None:
    sizes = {k: tuple(v) if isinstance(v, list) else v for k, v in work['model'].items()}
    cfg = ModelConfig(**sizes)
    t = FrozenConfigDict(base_config().training)
    devices = jax.local_device_count()
    rng = np.random.default_rng(0)
    shape = devices, work['batch_size'] // devices, cfg.total_steps
    tokens = np.stack([rng.integers(0, v, shape, dtype=np.int32) for v in cfg.vocab_sizes], axis=-1)
    key = jax.random.key(0)
    state = replicate(init_state(key, cfg, t))
    step = make_train_step(cfg, t)

    def train() -> float:
        nonlocal state
        state, metrics = step(state, tokens, key)
        return float(metrics['loss'])

    weights = jax.jit(vae.prepare, static_argnums=1)(state.params, cfg)
    generate = functools.partial(jax.jit, static_argnums=1)(vae.generate_prepared)

    def sampler(n: int) -> Callable[[], np.ndarray]:
        z = rng.standard_normal((n, cfg.latent_size), dtype=np.float32)
        return lambda: np.asarray(generate(weights, cfg, z, key, np.float32(1)))

    count = sum(x.size for x in jax.tree.leaves(state.params))
    serve(
        {'train': train, 'sample': sampler(work['samples']), 'sample1': sampler(1)},
        {'parameters': count, 'backend': jax.default_backend()},
    )


if __name__ == '__main__':
    main(json.loads(sys.argv[1]))
