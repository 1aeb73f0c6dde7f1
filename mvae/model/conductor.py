"""The conductor: a unidirectional LSTM that unfolds z into one embedding per bar.

Paper section 3.2; docs/magenta.md, Conductor.
"""

import jax
import jax.numpy as jnp

from mvae.model import dense, lstm
from mvae.model.config import ModelConfig
from mvae.model.types import Params


def init(key: jax.Array, cfg: ModelConfig) -> Params:
    """{'initial_state': dense, 'layers': [lstm, ...]}.

    Layer 0 reads the codes of bars (bar_codes). Otherwise it reads a zero vector of width 1, as
    Magenta's does: nothing comes in after the initial state, and what z says of a bar must live on
    in the recurrence until then.
    """
    sizes = cfg.conductor_sizes
    keys = jax.random.split(key, len(sizes) + 1)
    widths = (cfg.code_size * cfg.parts or 1, *sizes[:-1])
    layers = [lstm.init(k, i, s) for k, i, s in zip(keys[1:], widths, sizes, strict=True)]
    stddev = cfg.bottleneck_stddev
    initial_state = dense.init_initial_states(keys[0], cfg.latent_size, sizes, stddev)
    return {'initial_state': initial_state, 'layers': layers}


def embeddings(params: Params, cfg: ModelConfig, z: jax.Array) -> jax.Array:
    """z [B, Z] -> bar embeddings c_u, float32 [B, U, C]: the outputs of the top layer."""
    states = dense.initial_states(params['initial_state'], z, cfg.conductor_sizes, cfg.dtype)
    x = _heard(cfg, z)
    for p, state in zip(params['layers'], states, strict=True):
        input_kernel, recurrent_kernel = lstm.split_kernel(p, cfg.dtype)
        inputs = lstm.project(x, input_kernel)
        x, _ = lstm.unroll(inputs, p['bias'][:, None], state, recurrent_kernel)
    return x.astype(jnp.float32).transpose(2, 1, 0)


def _heard(cfg: ModelConfig, z: jax.Array) -> jax.Array:
    """What layer 0 reads: the codes of bars, [Z / U, U, B], or zeros, [1, U, B]."""
    if not cfg.bar_codes:
        return jnp.zeros((1, cfg.bars, z.shape[0]), z.dtype)
    return z.reshape(z.shape[0], cfg.bars, -1).transpose(2, 1, 0)
