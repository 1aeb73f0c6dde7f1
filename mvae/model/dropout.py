"""Dropout of what layers read, in training alone (Srivastava et al., 2014; docs/magenta.md)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class InputDropout(NamedTuple):
    """Each number that a layer reads at a step is 0 with a rate, and otherwise so much larger.

    All are independent: of examples, steps, layers and directions. States are never dropped.

    keys: [N], one for each example. rate: share that is dropped, below 1.
    """

    keys: jax.Array
    rate: float

    def __call__(self, x: jax.Array, layer: int) -> jax.Array:
        """Inputs [I, T, N] of a layer with some dropped; layer: a number of its own."""

        def kept(key: jax.Array) -> jax.Array:
            return jax.random.bernoulli(jax.random.fold_in(key, layer), keep, x.shape[:2])

        keep = 1 - self.rate
        return jnp.where(jax.vmap(kept, out_axes=2)(self.keys), x / keep, 0).astype(x.dtype)

    def part(self, number: int, bars: int = 1) -> 'InputDropout':
        """Of part `number` of a model, in each bar of the examples, side by side: [N * bars]."""
        fold = jax.vmap(jax.random.fold_in, (None, 0))
        keys = jax.vmap(lambda key: fold(jax.random.fold_in(key, number), jnp.arange(bars)))
        return InputDropout(keys(self.keys).reshape(-1), self.rate)


def drop(dropout: InputDropout | None, x: jax.Array, layer: int) -> jax.Array:
    """Inputs [I, T, N] of a layer as it reads them; all of them where there is no dropout."""
    return x if dropout is None else dropout(x, layer)
