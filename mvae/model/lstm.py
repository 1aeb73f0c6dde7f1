"""The LSTM that MusicVAE is made of, with TensorFlow's conventions, so that Magenta's weights load by copying.

Gates come in the order i, j (candidate), f, o; 1 is added to the forget gate at run time; the state is (c, h). Kernel [I + H, 4H], input
rows first. Cell state and gates are float32 whatever the compute dtype.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

FORGET_BIAS = 1.0


class LSTMState(NamedTuple):
    """Cell state and output, [..., H] each."""

    c: jax.Array
    h: jax.Array


def glorot_uniform(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    """float32 [in, out], uniform within sqrt(6 / (in + out))."""
    return jax.nn.initializers.glorot_uniform()(key, shape, jnp.float32)


def init(key: jax.Array, input_size: int, size: int, chrono_steps: int = 0) -> dict[str, jax.Array]:
    """Glorot-uniform kernel [I + H, 4H] and zero bias [4H].

    chrono_steps > 1 draws forget biases log(u), input biases -log(u) with u uniform in [1, chrono_steps - 1] (Tallec & Ollivier, 2018), so that
    the memory of the cells spans the whole sequence from the start; with a forget bias of 1 alone a cell keeps 0.7% over 16 steps.
    """
    kernel_key, bias_key = jax.random.split(key)
    bias = jnp.zeros((4, size), jnp.float32)
    if chrono_steps > 2:
        spans = jnp.log(jax.random.uniform(bias_key, (size,), minval=1.0, maxval=chrono_steps - 1.0))
        bias = bias.at[0].set(-spans).at[2].set(spans - FORGET_BIAS)
    return {'kernel': glorot_uniform(kernel_key, (input_size + size, 4 * size)), 'bias': bias.reshape(-1)}


def zero_state(shape: tuple[int, ...]) -> LSTMState:
    return LSTMState(jnp.zeros(shape, jnp.float32), jnp.zeros(shape, jnp.float32))


def _activate(a: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    i, j, f, o = jnp.split(a, 4, axis=-1)
    return jax.nn.sigmoid(i), jnp.tanh(j), jax.nn.sigmoid(f + FORGET_BIAS), jax.nn.sigmoid(o)


def _matmul(x: jax.Array, w: jax.Array) -> jax.Array:
    """x @ w in the dtype of w, summed in float32."""
    return jnp.matmul(x.astype(w.dtype), w, preferred_element_type=jnp.float32)


def step(input_t: jax.Array, state_tm1: LSTMState, recurrent_kernel: jax.Array) -> LSTMState:
    """One step: input_t [..., 4H] is the input's projection with the bias, recurrent_kernel [H, 4H]."""
    i, j, f, o = _activate(input_t.astype(jnp.float32) + _matmul(state_tm1.h, recurrent_kernel))
    c = i * j + f * state_tm1.c
    return LSTMState(c, o * jnp.tanh(c))


def split_kernel(params: dict[str, jax.Array], dtype: str) -> tuple[jax.Array, jax.Array]:
    """(input rows [I, 4H], recurrent rows [H, 4H]) of the kernel, in the compute dtype."""
    kernel = params['kernel'].astype(dtype)
    size = kernel.shape[1] // 4
    return kernel[:-size], kernel[-size:]


def project(x: jax.Array, params: dict[str, jax.Array], dtype: str) -> jax.Array:
    """Input projections of all steps in one product: x [..., I] -> [..., 4H] with the bias."""
    return _matmul(x, split_kernel(params, dtype)[0]) + params['bias']


def unroll(inputs: jax.Array, state: LSTMState, recurrent_kernel: jax.Array, reverse: bool = False) -> tuple[jax.Array, LSTMState]:
    """Runs one layer over time.

    inputs [T, B, 4H]: projected inputs with bias. state: [B, H] each. reverse: from the last step to the first.
    Returns outputs [T, B, H] (at the positions of their inputs) and the final state.
    """
    h, c_last, h_last = _unroll(inputs, state.c, state.h, recurrent_kernel, reverse)
    return h, LSTMState(c_last, h_last)


@functools.partial(jax.custom_vjp, nondiff_argnums=(4,))
def _unroll(inputs, c_0, h_0, recurrent_kernel, reverse):
    h, _, last = _forward(inputs, c_0, h_0, recurrent_kernel, reverse)
    return h, last.c, last.h


def _forward(inputs, c_0, h_0, recurrent_kernel, reverse):
    def body(state_tm1, input_t):
        state = step(input_t, state_tm1, recurrent_kernel)
        return state, (state.h.astype(inputs.dtype), state.c)

    last, (h, c) = lax.scan(body, LSTMState(c_0, h_0), inputs, reverse=reverse)
    return h, c, last


def _before(values: jax.Array, first: jax.Array, reverse: bool) -> jax.Array:
    """The values one step earlier in the order of the scan."""
    first = first[None].astype(values.dtype)
    return jnp.concatenate([values[1:], first] if reverse else [first, values[:-1]])


def _unroll_fwd(inputs, c_0, h_0, recurrent_kernel, reverse):
    h, c, last = _forward(inputs, c_0, h_0, recurrent_kernel, reverse)
    return (h, last.c, last.h), (inputs, c_0, h_0, recurrent_kernel, h, c)


def _unroll_bwd(reverse, residuals, gradients):
    """Back through time with one small product per step; the kernel's gradient is one product over all steps afterwards.

    The gates are computed again, for all steps at once, rather than stored.
    """
    inputs, c_0, h_0, recurrent_kernel, h, c = residuals
    dh_all, dc_last, dh_last = gradients
    h_before, c_before = _before(h, h_0, reverse), _before(c, c_0, reverse)
    i, j, f, o = _activate(inputs.astype(jnp.float32) + _matmul(h_before, recurrent_kernel))
    tanh_c = jnp.tanh(c)
    # Everything that does not depend on the running gradients, outside the loop.
    from_h = o * (1 - tanh_c**2)
    to_o = tanh_c * o * (1 - o)
    to_i, to_j, to_f = j * i * (1 - i), i * (1 - j**2), c_before * f * (1 - f)
    kernel_t = recurrent_kernel.T

    def body(carry, xs):
        dc, dh = carry
        dh_t, from_h, to_o, to_i, to_j, to_f, f = xs
        dh = dh + dh_t.astype(jnp.float32)
        dc = dc + dh * from_h
        da = jnp.concatenate([dc * to_i, dc * to_j, dc * to_f, dh * to_o], axis=-1)
        return (dc * f, _matmul(da, kernel_t)), da.astype(inputs.dtype)

    xs = (dh_all, from_h, to_o, to_i, to_j, to_f, f)
    (dc_0, dh_0), da = lax.scan(body, (dc_last, dh_last), xs, reverse=not reverse)
    dw = jnp.einsum('tbh,tbg->hg', h_before.astype(recurrent_kernel.dtype), da.astype(recurrent_kernel.dtype),
                    preferred_element_type=jnp.float32)  # fmt: skip
    return da, dc_0, dh_0, dw.astype(recurrent_kernel.dtype)


_unroll.defvjp(_unroll_fwd, _unroll_bwd)
