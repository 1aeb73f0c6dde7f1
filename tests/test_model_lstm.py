"""The LSTM: Magenta's cell numerics, its unrolling against a Python loop, and its hand-written
gradient against JAX's.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvae.model import lstm


def test_cell_matches_tensorflow_numbers():
    kernel = jnp.array([[-0.5, -0.4, -0.3, -0.2], [-0.1, 0.0, 0.1, 0.2], [0.3, 0.4, 0.5, 0.6]])
    params = {'kernel': kernel, 'bias': jnp.array([0.1, 0.2, 0.3, 0.4])}
    state = lstm.LSTMState(jnp.array([[-0.3]]), jnp.array([[0.5]]))
    input_t = (
        lstm.project(jnp.array([1.0, 2.0]).reshape(2, 1, 1), kernel[:2])[0]
        + params['bias'][:, None]
    )
    new = lstm.step(input_t, state, kernel[2:].T)
    np.testing.assert_allclose([new.c.item(), new.h.item()], [-0.24299954, -0.16943839], atol=1e-7)


def _loop(inputs, constant, state, kernel, reverse):
    outputs = [None] * inputs.shape[0]
    for t in reversed(range(inputs.shape[0])) if reverse else range(inputs.shape[0]):
        state = lstm.step(inputs[t] + constant, state, kernel.T)
        outputs[t] = state.h
    return jnp.stack(outputs, axis=1), state


@pytest.mark.parametrize('width', [1, 3])
@pytest.mark.parametrize('reverse', [False, True])
def test_unroll_and_its_gradient_equal_a_python_loop(reverse, width):
    keys = jax.random.split(jax.random.key(0), 5)
    inputs, kernel = jax.random.normal(keys[0], (5, 16, 3)), jax.random.normal(keys[1], (4, 16))
    state = lstm.LSTMState(jax.random.normal(keys[2], (4, 3)), jax.random.normal(keys[3], (4, 3)))
    constant = jax.random.normal(keys[4], (16, width))

    def loss(function, inputs, constant, state, kernel):
        h, last = function(inputs, constant, state, kernel, reverse)
        weights = jnp.arange(h.size).reshape(h.shape) / h.size
        return jnp.sum(weights * h**2) + jnp.sum(jnp.sin(last.c)) + jnp.sum(last.h**3)

    arguments = inputs, constant, state, kernel
    jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, atol=1e-6),
        lstm.unroll(*arguments, reverse),
        _loop(*arguments, reverse),
    )
    ours = jax.grad(lambda *a: loss(lstm.unroll, *a), argnums=(0, 1, 2, 3))(*arguments)
    reference = jax.grad(lambda *a: loss(_loop, *a), argnums=(0, 1, 2, 3))(*arguments)
    jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5), ours, reference
    )


def test_chrono_init_keeps_memory_over_the_sequence():
    plain, chrono = (
        lstm.init(jax.random.key(1), 3, 64, n)['bias'].reshape(4, 64) for n in (0, 256)
    )
    keep = lambda bias: jax.nn.sigmoid(bias[2] + lstm.FORGET_BIAS)  # noqa: E731
    assert float(jnp.max(keep(plain))) < 0.74
    spans = 1 / (1 - keep(chrono))  # mean steps that a cell remembers
    assert 1.9 < float(spans.min()) and 150 < float(spans.max()) <= 257
    np.testing.assert_allclose(chrono[0], -(chrono[2] + lstm.FORGET_BIAS), rtol=1e-5)
