"""The conductor: a unidirectional LSTM that unfolds z into one embedding per bar.

Paper section 3.2; docs/magenta.md, Conductor.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from mvae.model import dense, lstm
from mvae.model.config import ModelConfig
from mvae.model.types import Layer, Params

# Of Glorot's kernels before and after delay lines: signals of 0.005 between them, where tanh is
# linear.
INITIAL_SCALE, READ_SCALE = 0.1, 150.0


def init(key: jax.Array, cfg: ModelConfig) -> Params:
    """{'initial_state': dense, 'layers': [lstm, ...]}.

    Layer 0 reads a zero vector of width 1, as Magenta's does: nothing comes in after the initial
    state. What z says must live on in the recurrence, and differ from bar to bar. With Glorot's
    scale it hardly does at the start, and the decoder learns to do without (docs/results.md).

    As a delay line (delay_lines) the initial state holds bar after bar, one block of units each.
    Each block reaches the front in its turn, where the decoders read it (`init_reader`).
    """
    sizes = cfg.conductor_sizes
    keys = jax.random.split(key, len(sizes) + 1)
    init_layer: Callable[..., Layer] = lstm.init
    if cfg.delay_lines:
        init_layer = functools.partial(lstm.init_delay_line, steps=cfg.bars)
    widths = (1, *sizes[:-1])
    layers = [init_layer(k, i, s) for k, i, s in zip(keys[1:], widths, sizes, strict=True)]
    stddev = cfg.bottleneck_stddev
    initial_state = dense.init_initial_states(keys[0], cfg.latent_size, sizes, stddev)
    if cfg.delay_lines:
        initial_state['kernel'] *= INITIAL_SCALE
    return {'initial_state': initial_state, 'layers': layers}


def init_reader(cfg: ModelConfig, kernel: jax.Array) -> jax.Array:
    """A decoder's kernel [E, N] that reads embeddings: of a delay line its first block, loudly."""
    if not cfg.delay_lines:
        return kernel
    front = lstm.delay_block(kernel.shape[0], cfg.bars)
    return (READ_SCALE * kernel).at[front:].set(0.0)


def embeddings(params: Params, cfg: ModelConfig, z: jax.Array) -> jax.Array:
    """z [B, Z] -> bar embeddings c_u, the top layer's outputs, float32 [B, U, E]."""
    states = dense.initial_states(params['initial_state'], z, cfg.conductor_sizes, cfg.dtype)
    kernels_t = [[kernel.T for kernel in lstm.split_kernel(p, cfg.dtype)] for p in params['layers']]

    def body(states_um1, _):
        states: list[lstm.LSTMState] = []
        for (input_kernel_t, recurrent_t), p, state in zip(
            kernels_t, params['layers'], states_um1, strict=True
        ):
            input_u = jnp.broadcast_to(p['bias'][:, None], (p['bias'].shape[0], z.shape[0]))
            if states:
                input_u = input_u + lstm.matmul(input_kernel_t, states[-1].h, cfg.dtype)
            states.append(lstm.step(input_u, state, recurrent_t))
        return states, states[-1].h

    _, c = lax.scan(body, states, None, length=cfg.bars)
    return c.transpose(2, 0, 1)
