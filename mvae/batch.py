"""A batch of examples, as the loader makes it and the model reads it."""

from typing import Any, NamedTuple

import numpy as np


class Batch(NamedTuple):
    """B examples: a pytree, so that it goes through `jax.jit` and `jax.pmap` as it is.

    streams: of each stream of the form its columns, int32 [B, T, C]. conditions: what else the
    model is told; none yet. mask: float32 [B], 1 for an example, 0 for a row that only fills up.
    """

    streams: tuple[Any, ...]
    conditions: tuple[Any, ...]
    mask: Any

    @classmethod
    def of(cls, streams: tuple[Any, ...]) -> 'Batch':
        """A batch in which every row counts."""
        return cls(streams, (), np.ones(len(streams[0]), np.float32))
