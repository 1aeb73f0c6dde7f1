"""Tokens at the model's borders: reading them through a kernel, scoring them, drawing them.

A token is an integer in 0..V-1; `NO_TOKEN` stands for the zero vector that the decoder reads before
the first step.
"""

import jax
import jax.numpy as jnp
import numpy as np

NO_TOKEN = -1


def drum_roll_features(vocab_size: int) -> np.ndarray:
    """[V, C + 1] float32: the C drum classes of each token (its bits) and a last column that is 1
    for silence (magenta.md 4.4).
    """
    classes = vocab_size.bit_length() - 1
    roll = (np.arange(vocab_size)[:, None] >> np.arange(classes)) & 1
    return np.concatenate([roll, roll.sum(1, keepdims=True) == 0], axis=1).astype(np.float32)


def input_width(vocab_size: int, drum_roll: bool) -> int:
    """Columns of the vector that a token becomes at the encoder's input."""
    return vocab_size.bit_length() if drum_roll else vocab_size


@jax.custom_vjp
def _gather_rows(rows: jax.Array, tokens: jax.Array) -> jax.Array:
    return jnp.where((tokens < 0)[..., None], 0, rows[jnp.maximum(tokens, 0)])


def _gather_rows_fwd(rows, tokens):
    return _gather_rows(rows, tokens), (jnp.empty((0, rows.shape[0]), rows.dtype), tokens)


def _gather_rows_bwd(residuals, gradient):
    # A scatter-add into float32: a training step of 1.2 times the speed of a product with one-hot
    # vectors, measured on CPU.
    like, tokens = residuals
    flat = tokens.reshape(-1)
    g = gradient.reshape(-1, gradient.shape[-1]).astype(jnp.float32)
    d_rows = (
        jnp.zeros((like.shape[1], g.shape[1]))
        .at[jnp.where(flat < 0, like.shape[1], flat)]
        .add(g, mode='drop')
    )
    return d_rows.astype(like.dtype), None


_gather_rows.defvjp(_gather_rows_fwd, _gather_rows_bwd)


def project_tokens(
    kernel: jax.Array,
    tokens: jax.Array,
    vocab_sizes: tuple[int, ...],
    drum_roll: tuple[bool, ...] = (),
) -> jax.Array:
    """The product of the streams' concatenated one-hot (or drum-roll) vectors with a kernel, as
    sums of its rows.

    kernel [D, G] with D the sum of the streams' widths; tokens [..., K] int, NO_TOKEN contributes
    nothing. Returns [..., G].
    """
    total, start = 0, 0
    for k, vocab_size in enumerate(vocab_sizes):
        roll = bool(drum_roll) and drum_roll[k]
        width = input_width(vocab_size, roll)
        rows = kernel[start : start + width]
        if roll:
            rows = jnp.asarray(drum_roll_features(vocab_size), kernel.dtype) @ rows
        total = total + _gather_rows(rows, tokens[..., k])
        start += width
    return total


def split_logits(logits: jax.Array, vocab_sizes: tuple[int, ...]) -> tuple[jax.Array, ...]:
    """[..., sum of V_k] -> K arrays [..., V_k]."""
    return tuple(jnp.split(logits, np.cumsum(vocab_sizes)[:-1], axis=-1))


def cross_entropy(logits: jax.Array, tokens: jax.Array) -> jax.Array:
    """-log p(token) in nats: logits [..., V], tokens [...] -> [...]."""
    picked = jnp.take_along_axis(logits, tokens[..., None], axis=-1)[..., 0]
    return jax.nn.logsumexp(logits, axis=-1) - picked


def draw(
    key: jax.Array, logits: jax.Array, vocab_sizes: tuple[int, ...], temperature: jax.Array | float
) -> jax.Array:
    """One token per stream from softmax(logits / temperature); temperature 0 takes the most likely
    one.

    logits [..., sum of V_k] float32, temperature a scalar (may be traced). Returns int32 [..., K].
    """
    temperature = jnp.asarray(temperature, jnp.float32)
    tokens = []
    for k, block in enumerate(split_logits(logits, vocab_sizes)):
        noise = jax.random.gumbel(jax.random.fold_in(key, k), block.shape)
        tokens.append(jnp.argmax(block + temperature * noise, axis=-1))
    return jnp.stack(tokens, axis=-1).astype(jnp.int32)
