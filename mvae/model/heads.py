"""The model's borders: how each stream's columns are read, scored and drawn.

`HEADS` is the registry of what is written, `READERS` that of what a model is told; `head` says what
all of them do.
"""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from mvae.model.groove import Groove
from mvae.model.head import NOTHING, Head, Noise, Reader
from mvae.model.nade import Nade
from mvae.model.types import Params

__all__ = [
    'HEADS',
    'NOTHING',
    'READERS',
    'Categorical',
    'Columns',
    'DrumRoll',
    'Events',
    'Groove',
    'Head',
    'Nade',
    'Reader',
]


@dataclasses.dataclass(frozen=True)
class Categorical(Head):
    """One column of tokens 0 to size - 1, read one-hot, written by a softmax."""

    size: int

    @classmethod
    def make(cls, sizes: tuple[int, ...], settings: ConfigDict) -> Head:
        (size,) = sizes
        return cls(size)

    @property
    def columns(self) -> int:
        return 1

    @property
    def in_width(self) -> int:
        return self.size

    @property
    def out_width(self) -> int:
        return self.size

    def read(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        return _gather_rows(kernel, values[..., 0])

    def feed(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        return _gather_rows(kernel, values[..., 0])

    def loss(self, logits: jax.Array, values: jax.Array) -> jax.Array:
        picked = jnp.where(jnp.arange(self.size) == values, logits, 0).sum(-1)
        return jax.nn.logsumexp(logits, axis=-1) - picked

    def noise(self, key: jax.Array, rows: tuple[int, ...]) -> Noise:
        return jax.random.gumbel(key, (*rows, self.size))

    def draw(self, noise: Noise, logits: jax.Array, temperature: jax.Array) -> jax.Array:
        return _first_largest(logits + temperature * noise)[..., None]

    def likeliest(self, logits: jax.Array) -> jax.Array:
        return _first_largest(logits)[..., None]


@dataclasses.dataclass(frozen=True)
class DrumRoll(Categorical):
    """Combinations of drums as tokens, whose bits are the classes.

    The encoder reads a drum roll: one row for each class, and one for silence (docs/magenta.md,
    Drum rolls). The decoder reads and writes tokens, or by `model.drums` classes (`Nade`).
    """

    @classmethod
    def make(cls, sizes: tuple[int, ...], settings: ConfigDict) -> Head:
        (size,) = sizes
        if settings.drums == 'nade':
            return Nade.make(sizes, settings)
        return cls(size) if settings.drum_roll_input else Categorical(size)

    @property
    def in_width(self) -> int:
        return self.size.bit_length()

    def features(self) -> np.ndarray:
        """The classes of each token, and a last column, 1 for silence: float32 [V, C + 1]."""
        roll = (np.arange(self.size)[:, None] >> np.arange(self.in_width - 1)) & 1
        silence = roll.sum(1, keepdims=True) == 0
        return np.concatenate([roll, silence], axis=1).astype(np.float32)

    def read(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        return super().read(jnp.asarray(self.features(), kernel.dtype) @ kernel, values)


@dataclasses.dataclass(frozen=True)
class Events(Categorical):
    """Segments of tokens that end: values 1 to size, of which size ends, and 0 behind the end."""

    ends: ClassVar[bool] = True

    @classmethod
    def make(cls, sizes: tuple[int, ...], settings: ConfigDict) -> Head:
        (size,) = sizes
        return cls(size - 1)

    def read(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        return super().read(kernel, values - 1)

    def feed(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        return super().feed(kernel, values - 1)

    def loss(self, logits: jax.Array, values: jax.Array) -> jax.Array:
        return jnp.where(self.counts(values), super().loss(logits, jnp.maximum(values - 1, 0)), 0.0)

    def draw(self, noise: Noise, logits: jax.Array, temperature: jax.Array) -> jax.Array:
        return super().draw(noise, logits, temperature) + 1

    def likeliest(self, logits: jax.Array) -> jax.Array:
        return super().likeliest(logits) + 1

    def counts(self, values: jax.Array) -> jax.Array:
        return values[..., 0] > 0

    def follow(self, before: jax.Array, drawn: jax.Array) -> jax.Array:
        return jnp.where((before == 0) | (before == self.size), 0, drawn)


@dataclasses.dataclass(frozen=True)
class Columns(Head):
    """Several columns, each with a head of its own, independent given the decoder's state."""

    heads: tuple[Head, ...]

    @classmethod
    def make(cls, sizes: tuple[int, ...], settings: ConfigDict) -> Head:
        return cls(tuple(map(Categorical, sizes)))

    @property
    def columns(self) -> int:
        return sum(head.columns for head in self.heads)

    @property
    def in_width(self) -> int:
        return in_width(self.heads)

    @property
    def out_width(self) -> int:
        return out_width(self.heads)

    def _parts(self, values: jax.Array) -> tuple[jax.Array, ...]:
        return _split(values, [head.columns for head in self.heads], -1)

    def read(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        return read(self.heads, kernel, self._parts(values))

    def feed(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        return feed(self.heads, kernel, self._parts(values))

    def loss(self, logits: jax.Array, values: jax.Array) -> jax.Array:
        blocks = split_logits(self.heads, logits)
        parts = zip(self.heads, blocks, self._parts(values), strict=True)
        return cast(jax.Array, sum(head.loss(block, own) for head, block, own in parts))

    def noise(self, key: jax.Array, rows: tuple[int, ...]) -> Noise:
        return noise(self.heads, key, rows)

    def draw(self, noise: Noise, logits: jax.Array, temperature: jax.Array) -> jax.Array:
        return jnp.concatenate(draw(self.heads, noise, logits, temperature), -1)

    def likeliest(self, logits: jax.Array) -> jax.Array:
        blocks = zip(self.heads, split_logits(self.heads, logits), strict=True)
        return jnp.concatenate([head.likeliest(block) for head, block in blocks], -1)


HEADS: dict[str, type[Head]] = {
    'categorical': Categorical,
    'columns': Columns,
    'drum_roll': DrumRoll,
    'events': Events,
    'groove': Groove,
    'nade': Nade,
}


@dataclasses.dataclass(frozen=True)
class Bits(Reader):
    """Columns of 0 or 1, each read by one row, such as which drums are hit."""

    count: int

    @classmethod
    def make(cls, sizes: tuple[int, ...], settings: ConfigDict) -> Reader:
        return cls(len(sizes))

    @property
    def columns(self) -> int:
        return self.count

    @property
    def in_width(self) -> int:
        return self.count

    def read(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        x = jnp.maximum(values, 0).astype(kernel.dtype)
        return jnp.matmul(x, kernel, preferred_element_type=jnp.float32)


READERS: dict[str, type[Reader]] = {'bits': Bits, 'categorical': Categorical}


def in_width(heads: Sequence[Reader]) -> int:
    """Rows of an encoder's kernel for several streams."""
    return sum(head.in_width for head in heads)


def feed_width(heads: Sequence[Head]) -> int:
    """Rows of a decoder's kernel for several streams."""
    return sum(head.feed_width for head in heads)


def out_width(heads: Sequence[Head]) -> int:
    """Logits of a decoder of several streams."""
    return sum(head.out_width for head in heads)


def init_weights(heads: Sequence[Head], key: jax.Array) -> Params:
    """{'heads': weights of each} where any has some, otherwise {}."""
    own = [head.init(jax.random.fold_in(key, n)) for n, head in enumerate(heads)]
    return {'heads': own} if any(own) else {}


def with_weights(heads: Sequence[Head], params: Params) -> tuple[Head, ...]:
    """The heads with their weights in a decoder's params, which may hold none."""
    if 'heads' not in params:
        return tuple(heads)
    pairs = zip(heads, params['heads'], strict=True)
    return tuple(head.with_weights(weights) for head, weights in pairs)


def read(heads: Sequence[Reader], kernel: jax.Array, streams: Sequence[jax.Array]) -> jax.Array:
    """What an encoder's kernel [sum of in_width, G] makes of streams [..., C]: [..., G]."""
    rows = _split(kernel, [head.in_width for head in heads], 0)
    parts = zip(heads, rows, streams, strict=True)
    return cast(jax.Array, sum(head.read(own, values) for head, own, values in parts))


def feed(heads: Sequence[Head], kernel: jax.Array, streams: Sequence[jax.Array]) -> jax.Array:
    """What a decoder's kernel [sum of feed_width, G] makes of streams [..., C]: [..., G]."""
    rows = _split(kernel, [head.feed_width for head in heads], 0)
    parts = zip(heads, rows, streams, strict=True)
    return cast(jax.Array, sum(head.feed(own, values) for head, own, values in parts))


def read_as_numbers(heads: Sequence[Reader], streams: Sequence[jax.Array]) -> jax.Array:
    """The vectors whose products with kernels `read` gives: float32 [..., sum of in_width]."""
    return read(heads, jnp.eye(in_width(heads), dtype=jnp.float32), streams)


def fed_as_numbers(heads: Sequence[Head], streams: Sequence[jax.Array]) -> jax.Array:
    """The vectors whose products with kernels `feed` gives: float32 [..., sum of feed_width]."""
    return feed(heads, jnp.eye(feed_width(heads), dtype=jnp.float32), streams)


def split_logits(heads: Sequence[Head], logits: jax.Array) -> tuple[jax.Array, ...]:
    """[..., sum of out_width] -> logits of each stream."""
    return _split(logits, [head.out_width for head in heads], -1)


def noise(heads: Sequence[Head], key: jax.Array, rows: tuple[int, ...]) -> tuple[Noise, ...]:
    """What `draw` needs for logits [*rows, sum of out_width]."""
    keys = (jax.random.fold_in(key, k) for k in range(len(heads)))
    return tuple(head.noise(own, rows) for head, own in zip(heads, keys, strict=True))


def draw(
    heads: Sequence[Head],
    noises: Sequence[Noise],
    logits: jax.Array,
    temperature: jax.Array | float | None,
) -> tuple[jax.Array, ...]:
    """Values of each stream, int32 [..., C], from logits [..., sum of out_width].

    noises: of `noise`. temperature: None is each head's own.
    """

    def of(head: Head) -> jax.Array:
        own = head.own_temperature if temperature is None else temperature
        return jnp.asarray(own, jnp.float32)

    blocks = zip(heads, noises, split_logits(heads, logits), strict=True)
    return tuple(head.draw(own, block, of(head)) for head, own, block in blocks)


def follow(
    heads: Sequence[Head], step: jax.Array, before: Sequence[jax.Array], drawn: Sequence[jax.Array]
) -> tuple[jax.Array, ...]:
    """The drawn values [..., C] of each stream at a step of a segment, nothing behind its end.

    before: of the step before, which for step 0 is in another segment.
    """
    parts = zip(heads, before, drawn, strict=True)
    return tuple(
        jnp.where(step > 0, head.follow(last, own), own) if head.ends else own
        for head, last, own in parts
    )


def _split(x: jax.Array, widths: list[int], axis: int) -> tuple[jax.Array, ...]:
    return tuple(jnp.split(x, np.cumsum(widths)[:-1], axis=axis))


def _first_largest(x: jax.Array) -> jax.Array:
    """The first place of the largest of x [..., V]: int32 [...].

    `argmax` finds value and place in one pass, which XLA does not vectorise on a CPU.
    """
    size = x.shape[-1]
    places = jnp.where(x == x.max(-1, keepdims=True), jnp.arange(size, dtype=jnp.int32), size)
    return jnp.minimum(places.min(-1), size - 1)  # where x holds no number, the last


@jax.custom_vjp
def _gather_rows(rows: jax.Array, tokens: jax.Array) -> jax.Array:
    """The rows [V, G] of tokens int [...], zeros for NOTHING: the product with one-hot vectors."""
    return jnp.where((tokens < 0)[..., None], 0, rows[jnp.maximum(tokens, 0)])


def _gather_rows_fwd(rows, tokens):
    return _gather_rows(rows, tokens), (jnp.empty((0, rows.shape[0]), rows.dtype), tokens)


def _gather_rows_bwd(residuals, gradient):
    # A scatter-add into float32: faster than a product with one-hot vectors (docs/benchmarks.md).
    like, tokens = residuals
    flat = tokens.reshape(-1)
    g = gradient.reshape(-1, gradient.shape[-1]).astype(jnp.float32)
    place = jnp.where(flat < 0, like.shape[1], flat)
    d_rows = jnp.zeros((like.shape[1], g.shape[1])).at[place].add(g, mode='drop')
    return d_rows.astype(like.dtype), None


_gather_rows.defvjp(_gather_rows_fwd, _gather_rows_bwd)
