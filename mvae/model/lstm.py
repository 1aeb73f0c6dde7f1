"""The LSTM of MusicVAE, with TensorFlow's conventions: Magenta's weights load by copying.

Gates come in the order i, j (candidate), f, o. 1 is added to the forget gate at run time. The state
is (c, h). The kernel is [I + H, 4H], input rows first. Cell state and gates are float32 whatever
the compute dtype.

Inside, features come first: states [H, B], sequences [T, H, B] or [H, T, B], weights [4H, H]. On a
CPU the products of a step then take 0.6 to 0.8 of the time of [B, H] with [H, 4H], and their
gradients half of it (8 to 32 rows, 512 to 2048 units). Products over all steps need no copies.
"""

import functools
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike

from mvae.model.types import Layer

FORGET_BIAS = 1.0

Gates: TypeAlias = tuple[jax.Array, jax.Array, jax.Array, jax.Array]  # i, j, f, o


class LSTMState(NamedTuple):
    """Cell state and output, [H, B] each."""

    c: jax.Array
    h: jax.Array


def glorot_uniform(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    """float32 [in, out], uniform within sqrt(6 / (in + out))."""
    return jax.nn.initializers.glorot_uniform()(key, shape, jnp.float32)


def init(key: jax.Array, input_size: int, size: int, chrono_steps: int = 0) -> Layer:
    """Glorot-uniform kernel [I + H, 4H] and zero bias [4H].

    chrono_steps above 2 draws forget biases log(u) and input biases -log(u), with u uniform in
    [1, chrono_steps - 1] (Tallec & Ollivier, 2018). The memory of the cells then spans the whole
    sequence from the start. With a forget bias of 1 alone a cell keeps 0.7% over 16 steps.
    """
    kernel_key, bias_key = jax.random.split(key)
    bias = jnp.zeros((4, size), jnp.float32)
    if chrono_steps > 2:
        u = jax.random.uniform(bias_key, (size,), minval=1.0, maxval=chrono_steps - 1.0)
        spans = jnp.log(u)
        bias = bias.at[0].set(-spans).at[2].set(spans - FORGET_BIAS)
    kernel = glorot_uniform(kernel_key, (input_size + size, 4 * size))
    return {'kernel': kernel, 'bias': bias.reshape(-1)}


def zero_state(shape: tuple[int, ...]) -> LSTMState:
    return LSTMState(jnp.zeros(shape, jnp.float32), jnp.zeros(shape, jnp.float32))


def matmul(x: jax.Array, y: jax.Array, dtype: DTypeLike) -> jax.Array:
    """x @ y in dtype, summed in float32."""
    return jnp.matmul(x.astype(dtype), y.astype(dtype), preferred_element_type=jnp.float32)


def _activate(a: jax.Array) -> Gates:
    """Gates i, j, f, o [H, B] each of a [4H, B]."""
    i, j, f, o = jnp.split(a, 4)
    return jax.nn.sigmoid(i), jnp.tanh(j), jax.nn.sigmoid(f + FORGET_BIAS), jax.nn.sigmoid(o)


def _cell(gates: Gates, c_tm1: jax.Array) -> LSTMState:
    i, j, f, o = gates
    c = i * j + f * c_tm1
    return LSTMState(c, o * jnp.tanh(c))


def step(input_t: jax.Array, state_tm1: LSTMState, recurrent_t: jax.Array) -> LSTMState:
    """One step, features first: the state after it, [H, B] each.

    input_t [4H, B]: the input's projection with the bias. state_tm1: before the step, [H, B] each.
    recurrent_t: [4H, H].
    """
    a = input_t + matmul(recurrent_t, state_tm1.h, recurrent_t.dtype)
    return _cell(_activate(a), state_tm1.c)


def split_kernel(params: Layer, dtype: str) -> tuple[jax.Array, jax.Array]:
    """(input rows [I, 4H], recurrent rows [H, 4H]) of the kernel, in the compute dtype."""
    kernel = params['kernel'].astype(dtype)
    size = kernel.shape[1] // 4
    return kernel[:-size], kernel[-size:]


def project(x: jax.Array, input_kernel: jax.Array) -> jax.Array:
    """Input projections of all steps in one product, without the bias.

    x [I, T, B] with [I, 4H] -> [T, 4H, B], in the kernel's dtype.
    """
    dtype = input_kernel.dtype
    product = matmul(input_kernel.T, x.reshape(x.shape[0], -1), dtype).astype(dtype)
    return product.reshape(-1, *x.shape[1:]).transpose(1, 0, 2)


def hold_at_zero(inputs: jax.Array, quiet: jax.Array) -> jax.Array:
    """Projected inputs [T, 4H, B] that leave a state of zeros as it is where quiet [T, B] is set.

    Its input gate is shut then: sigmoid(-10^4) is 0 in float32.
    """
    shut = jnp.arange(inputs.shape[1]) < inputs.shape[1] // 4
    closed = jnp.where(shut, -1e4, 0.0).astype(inputs.dtype)
    return jnp.where(quiet[:, None], closed[:, None], inputs)


def unroll(
    inputs: jax.Array,
    constant: jax.Array,
    state: LSTMState,
    recurrent_kernel: jax.Array,
    reverse: bool = False,
) -> tuple[jax.Array, LSTMState]:
    """Runs one layer over time, features first.

    inputs [T, 4H, B]: projected inputs in the compute dtype. constant [4H, B] or [4H, 1]: what
    every step adds to them, the bias with it. state: [H, B] each. reverse: from the last step to
    the first.

    Returns outputs [H, T, B] (at the positions of their inputs) and the final state.
    """
    constant = jnp.broadcast_to(constant, inputs.shape[1:])
    h, c_last, h_last = _unroll(inputs, constant, state.c, state.h, recurrent_kernel, reverse)
    return h, LSTMState(c_last, h_last)


@functools.partial(jax.custom_vjp, nondiff_argnums=(5,))
def _unroll(inputs, constant, c_0, h_0, recurrent_kernel, reverse):
    h, last, _, _ = _forward(inputs, constant, c_0, h_0, recurrent_kernel, reverse)
    return h, last.c, last.h


def _pack(x: jax.Array, dtype: DTypeLike) -> jax.Array:
    """x in dtype, to be stacked by a scan.

    On a CPU XLA writes a bfloat16 slice by converting the whole stack. As bits it writes the slice
    alone.
    """
    x = x.astype(dtype)
    return lax.bitcast_convert_type(x, jnp.uint16) if x.dtype == jnp.bfloat16 else x


def _unpack(x: jax.Array) -> jax.Array:
    return lax.bitcast_convert_type(x, jnp.bfloat16) if x.dtype == jnp.uint16 else x


def _forward(inputs, constant, c_0, h_0, recurrent_kernel, reverse):
    """Outputs [H, T, B], the final state, cell states [T, H, B], and what `_gates_of` reads.

    The last is [T, 4H, B].
    """
    recurrent_t = recurrent_kernel.T

    def body(state_tm1, input_t):
        a = input_t.astype(jnp.float32) + constant
        a = a + matmul(recurrent_t, state_tm1.h, recurrent_t.dtype)
        gates = _activate(a)
        state = _cell(gates, state_tm1.c)
        kept = jnp.concatenate(gates) if inputs.dtype == jnp.float32 else a
        return state, (_pack(state.h, inputs.dtype), state.c, _pack(kept, inputs.dtype))

    last, (h, c, kept) = lax.scan(body, LSTMState(c_0, h_0), inputs, reverse=reverse)
    return _unpack(h).transpose(1, 0, 2), last, c, _unpack(kept)


def _gates_of(kept: jax.Array) -> Gates:
    """The gates [H, B] each, of what `_forward` kept of a step, [4H, B].

    In float32 it keeps the gates themselves. In bfloat16 it keeps them before activation, since a
    forget gate of .998 would be 1 there, and its gradient 0.
    """
    if kept.dtype != jnp.float32:
        return _activate(kept.astype(jnp.float32))
    i, j, f, o = jnp.split(kept, 4)
    return i, j, f, o


def _before(values: jax.Array, first: jax.Array, axis: int, reverse: bool) -> jax.Array:
    """The values one step earlier in the order of the scan; axis is that of time."""
    first = jnp.expand_dims(first, axis).astype(values.dtype)
    if reverse:
        return jnp.concatenate([lax.slice_in_dim(values, 1, None, axis=axis), first], axis)
    return jnp.concatenate([first, lax.slice_in_dim(values, 0, -1, axis=axis)], axis)


def _unroll_fwd(inputs, constant, c_0, h_0, recurrent_kernel, reverse):
    h, last, c, kept = _forward(inputs, constant, c_0, h_0, recurrent_kernel, reverse)
    return (h, last.c, last.h), (c_0, h_0, recurrent_kernel, h, c, kept)


def _unroll_bwd(reverse, residuals, gradients):
    """Back through time, with one small product per step.

    The kernel's gradient is one product over all steps afterwards.
    """
    c_0, h_0, recurrent_kernel, h, c, kept = residuals
    dh_all, dc_last, dh_last = gradients
    dtype = h.dtype

    def body(carry, xs):
        dc, dh, d_constant = carry
        dh_t, kept_t, c_t, c_tm1 = xs
        i, j, f, o = _gates_of(kept_t)
        tanh_c = jnp.tanh(c_t)
        dh = dh + dh_t.astype(jnp.float32)
        dc = dc + dh * o * (1 - tanh_c**2)
        di, dj = dc * j * i * (1 - i), dc * i * (1 - j**2)
        df, do = dc * c_tm1 * f * (1 - f), dh * tanh_c * o * (1 - o)
        da = jnp.concatenate([di, dj, df, do])
        dc_tm1, dh_tm1 = dc * f, matmul(recurrent_kernel, da, recurrent_kernel.dtype)
        return (dc_tm1, dh_tm1, d_constant + da), _pack(da, dtype)

    xs = (dh_all.transpose(1, 0, 2), kept, c, _before(c, c_0, 0, reverse))
    carry = dc_last, dh_last, jnp.zeros(kept.shape[1:], jnp.float32)
    (dc_0, dh_0, d_constant), da = lax.scan(body, carry, xs, reverse=not reverse)
    da, h_before = _unpack(da), _before(h, h_0, 1, reverse)
    h_flat, da_flat = h_before.reshape(h.shape[0], -1), da.transpose(1, 0, 2)
    da_flat = da_flat.reshape(da.shape[1], -1).T
    dw = matmul(h_flat, da_flat, recurrent_kernel.dtype)
    return da, d_constant, dc_0, dh_0, dw.astype(recurrent_kernel.dtype)


_unroll.defvjp(_unroll_fwd, _unroll_bwd)
