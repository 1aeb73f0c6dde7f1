"""A batch of examples, as the loader makes it and the model reads it."""

from typing import Any, NamedTuple

import numpy as np


class Batch(NamedTuple):
    """B examples: a pytree, so that it goes through `jax.jit` and `jax.pmap` as it is.

    streams: of each stream of the form its columns, int32 [B, T, C]. conditions: the same of what
    the model is told. mask: float32 [B], 1 for an example, 0 for a row that only fills up.
    numbers: int32 [B], which example of an update or of an evaluation a row is, over all processes;
    its noise depends on that, and not on who computes it.
    """

    streams: tuple[Any, ...]
    conditions: tuple[Any, ...]
    mask: Any
    numbers: Any

    @classmethod
    def of(
        cls, streams: tuple[Any, ...], first: int = 0, conditions: tuple[Any, ...] = ()
    ) -> 'Batch':
        """A batch in which every row counts. first: the number of its first example."""
        numbers = np.arange(first, first + len(streams[0]), dtype=np.int32)
        return cls(streams, conditions, np.ones(len(numbers), np.float32), numbers)

    @property
    def parts(self) -> tuple[Any, ...]:
        """Streams, and then conditions: what `Form.join` makes pieces of."""
        return self.streams + self.conditions
