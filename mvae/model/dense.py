"""Affine layers, and the initial states of recurrences that are made by one."""

import jax
import jax.numpy as jnp

from mvae.model import lstm
from mvae.model.types import Layer


def init(key: jax.Array, inputs: int, outputs: int, stddev: float = 0.0) -> Layer:
    """kernel [inputs, outputs] and zero bias [outputs], float32.

    The kernel is normal with stddev, or Glorot uniform where stddev is 0.
    """
    if stddev:
        kernel = stddev * jax.random.normal(key, (inputs, outputs), jnp.float32)
    else:
        kernel = lstm.glorot_uniform(key, (inputs, outputs))
    return {'kernel': kernel, 'bias': jnp.zeros((outputs,), jnp.float32)}


def apply(params: Layer, x: jax.Array, dtype: str = 'float32') -> jax.Array:
    """x [..., inputs] -> float32 [..., outputs]; the product in dtype.

    It is one of two matrices: XLA's gradient of it takes half the time of one with more axes.
    """
    rows = x.reshape(-1, x.shape[-1])
    product = lstm.matmul(rows, params['kernel'], dtype)
    return (product + params['bias']).reshape(*x.shape[:-1], -1)


def init_initial_states(
    key: jax.Array, inputs: int, sizes: tuple[int, ...], stddev: float
) -> Layer:
    """The affine map of `initial_states`: [inputs] to c and h of every layer."""
    return init(key, inputs, 2 * sum(sizes), stddev)


def apply_last(params: Layer, x: jax.Array, dtype: str) -> jax.Array:
    """`apply` of features that come first: x [inputs, ...] -> float32 [..., outputs].

    What a softmax reads has its values side by side then: on a CPU it takes half the time.
    """
    product = lstm.matmul(x.reshape(x.shape[0], -1).T, params['kernel'], dtype)
    return (product + params['bias']).reshape(*x.shape[1:], -1)


def initial_states(
    params: Layer, e: jax.Array, sizes: tuple[int, ...], dtype: str
) -> list[lstm.LSTMState]:
    """The states of all layers before their first step, [H, N] each.

    They are the tanh of an affine map of e [N, E]: c and h of layer 0, then of layer 1, and so on.
    """
    flat = jnp.tanh(apply(params, e, dtype)).T
    states, start = [], 0
    for size in sizes:
        c, h = flat[start : start + size], flat[start + size : start + 2 * size]
        states.append(lstm.LSTMState(c, h))
        start += 2 * size
    return states
