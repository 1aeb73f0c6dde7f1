"""What every head does: it reads, scores and draws the columns of a stream.

A value is an integer. `NOTHING` stands in every column before the first step, and for hidden
inputs. What a model is told and does not write has a `Reader` alone.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeAlias

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from mvae.model.types import Params

NOTHING = -1

Noise: TypeAlias = Any  # float32 arrays, a head's own


class Reader(ABC):
    """One kind of columns, read. A frozen, hashable value, so that it can be static in `jax.jit`.

    Kernels are [D, G]. Values are int [..., C], where NOTHING contributes nothing.

    Attributes:
        columns: C.
        in_width: rows of a kernel that read the columns.
        ends: whether a segment may end before its last step. What is behind the end is neither read
            nor scored.
    """

    ends: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def make(cls, sizes: tuple[int, ...], settings: ConfigDict) -> 'Reader':
        """That of columns with so many values each; settings: `model` of the config."""

    @property
    @abstractmethod
    def columns(self) -> int: ...

    @property
    @abstractmethod
    def in_width(self) -> int: ...

    @abstractmethod
    def read(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        """What a kernel [in_width, G] makes of values: [..., G]."""

    def counts(self, values: jax.Array) -> jax.Array:
        """Which of the values int [..., C] stand before the end: bool [...]."""
        return jnp.ones(values.shape[:-1], bool)


class Head(Reader):
    """One kind of columns, read and written. Logits are float32 [..., out_width].

    Encoders read by `read`, decoders by `feed`.

    Attributes:
        feed_width: rows of a decoder's kernel that read the columns. out_width: its logits.
        own_temperature: at which scheduled sampling draws in training.
    """

    own_temperature: ClassVar[float] = 1.0

    @classmethod
    @abstractmethod
    def make(cls, sizes: tuple[int, ...], settings: ConfigDict) -> 'Head': ...

    @property
    @abstractmethod
    def out_width(self) -> int: ...

    @property
    def feed_width(self) -> int:
        return self.out_width

    def init(self, key: jax.Array) -> Params:
        """float32 weights of its own, between logits and values; {} for most heads."""
        return {}

    def with_weights(self, weights: Params) -> 'Head':
        """The head that scores and draws by these weights, of the shapes of `init`."""
        return self

    @abstractmethod
    def feed(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        """What a decoder's kernel [feed_width, G] makes of the values before: [..., G]."""

    def thin(self, key: jax.Array, values: jax.Array, most: float) -> jax.Array:
        """Values int [T, C] of an example as an encoder may hear them in training; here all.

        most: up to which probability notes are left out.
        """
        return values

    @abstractmethod
    def loss(self, logits: jax.Array, values: jax.Array) -> jax.Array:
        """-log p(values) in nats: [...]."""

    @abstractmethod
    def noise(self, key: jax.Array, rows: tuple[int, ...]) -> Noise:
        """What `draw` needs for logits [*rows, out_width]: that of many steps is made at once."""

    @abstractmethod
    def draw(self, noise: Noise, logits: jax.Array, temperature: jax.Array) -> jax.Array:
        """Values int32 [..., C] at a temperature, which may be traced; 0 takes the likeliest."""

    @abstractmethod
    def likeliest(self, logits: jax.Array) -> jax.Array:
        """The likeliest values int32 [..., C]."""

    def follow(self, before: jax.Array, drawn: jax.Array) -> jax.Array:
        """What comes after values int [..., C] of the same segment where others are drawn."""
        return drawn

    def right(self, guess: jax.Array, values: jax.Array) -> jax.Array:
        """Where a guess counts as right: int [..., C] each -> bool [...]."""
        return (guess == values).all(-1)
