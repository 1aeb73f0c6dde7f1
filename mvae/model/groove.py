"""The head of drums as they are played: hits, velocities and offsets of some classes.

GrooVAE (Gillick et al., 2019); docs/magenta.md, Grooves.
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from mvae.errors import InputError
from mvae.model.head import Head, Noise

_EPSILON = 1e-7  # added to probabilities before the logarithm, as in Magenta
_LOUD_GO = 0.2  # of the share of notes that are left out, what even the loudest have
_TAPPED, _CLOSED_HAT = 3, 2  # classes: what taps are written as, and what is left out for the model

Numbers = tuple[jax.Array, jax.Array, jax.Array]  # hits, velocities, offsets, float32 [..., N] each


def _hits(numbers: Numbers) -> Numbers:
    hits, velocity, offset = numbers
    return hits, 0 * velocity, 0 * offset


def _taps(numbers: Numbers) -> Numbers:
    """The loudest hit of a step as one of a single class, without its velocity."""
    hits, velocity, offset = numbers
    loudest = jnp.argmax(hits * velocity, -1, keepdims=True)
    place = jnp.arange(hits.shape[-1]) == _TAPPED
    hit, late = (jnp.take_along_axis(x, loudest, -1) * place for x in (hits, offset))
    return hit, 0 * velocity, late


def _without_hat(numbers: Numbers) -> Numbers:
    hits, velocity, offset = numbers
    kept = jnp.arange(hits.shape[-1]) != _CLOSED_HAT
    return hits * kept, velocity * kept, offset * kept


# What an encoder is told of a groove, which the decoder then has to play whole.
VIEWS: dict[str, Callable[[Numbers], Numbers]] = {
    'all': lambda numbers: numbers,
    'hits': _hits,
    'taps': _taps,
    'no_hat': _without_hat,
}


@dataclasses.dataclass(frozen=True)
class Groove(Head):
    """Of each class a hit, a velocity and an offset: numbers 0 or 1, 0 to 1, and -1 to 1.

    Values are integers: a velocity is a share of the largest value. Offsets are as fine to both
    sides, the negative ones behind the positive ones. Written are a logit of each hit, and velocity
    and offset through a sigmoid and a tanh, whether there is a hit or not. Their squared errors
    count as nats.

    Attributes:
        sizes: how many values each column has. reads: one of VIEWS. at_hits: whether velocity and
            offset count, and are said, only where a hit is.
    """

    sizes: tuple[int, ...]
    reads: str = 'all'
    at_hits: bool = False

    @classmethod
    def make(cls, sizes: tuple[int, ...], settings: ConfigDict) -> Head:
        if settings.reads not in VIEWS:
            raise InputError(
                f'--config.model.reads {settings.reads!r} is none of {", ".join(VIEWS)}'
            )
        return cls(sizes, settings.reads, settings.errors_at_hits)

    @property
    def columns(self) -> int:
        return len(self.sizes)

    @property
    def in_width(self) -> int:
        return len(self.sizes)

    @property
    def out_width(self) -> int:
        return len(self.sizes)

    @property
    def _steps(self) -> tuple[int, int]:
        """Of velocity and offset how many values are a whole."""
        return self.sizes[self.columns // 3] - 1, self.sizes[-1] // 2

    def numbers(self, values: jax.Array) -> Numbers:
        """What values int [..., C] stand for; zeros for NOTHING."""
        loudest, earliest = self._steps
        hits, velocity, offset = jnp.split(jnp.maximum(values, 0), 3, -1)
        offset = jnp.where(offset > earliest, offset - self.sizes[-1], offset)
        return hits.astype(jnp.float32), velocity / loudest, offset / earliest

    def _values(self, hits: jax.Array, logits: jax.Array) -> jax.Array:
        """Hits bool [..., N] and what else logits say, as int32 [..., C]."""
        loudest, earliest = self._steps
        _, velocity, offset = jnp.split(logits, 3, -1)
        loud = jnp.rint(jax.nn.sigmoid(velocity) * loudest).astype(jnp.int32)
        early = jnp.rint(jnp.tanh(offset) * earliest).astype(jnp.int32) % self.sizes[-1]
        if self.at_hits:
            loud, early = hits * loud, hits * early
        return jnp.concatenate([hits.astype(jnp.int32), loud, early], -1)

    def read(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        return _product(VIEWS[self.reads](self.numbers(values)), kernel)

    def feed(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        return _product(self.numbers(values), kernel)

    def loss(self, logits: jax.Array, values: jax.Array) -> jax.Array:
        hits, velocity, offset = self.numbers(values)
        hit, loud, early = jnp.split(logits, 3, -1)
        p = jax.nn.sigmoid(hit)
        missed = hits * jnp.log(p + _EPSILON) + (1 - hits) * jnp.log(1 - p + _EPSILON)
        squares = (jax.nn.sigmoid(loud) - velocity) ** 2 + (jnp.tanh(early) - offset) ** 2
        return ((hits * squares if self.at_hits else squares) - missed).sum(-1)

    def thin(self, key: jax.Array, values: jax.Array, most: float) -> jax.Array:
        """Hits left out, each with its velocity and offset; values int [T, C].

        Of the example a probability p is drawn, uniform up to `most`. A hit of velocity v (0 to 1)
        goes with the probability p max(1/5, 1 - v), as in Magenta. There a tap may remain where all
        hits of a step went; here none does.
        """
        share_key, key = jax.random.split(key)
        velocity = self.numbers(values)[1]
        gone = jax.random.uniform(share_key) * most * jnp.maximum(_LOUD_GO, 1 - velocity)
        kept = jax.random.uniform(key, velocity.shape) >= gone
        return jnp.where(jnp.concatenate([kept] * 3, -1), values, 0)

    def noise(self, key: jax.Array, rows: tuple[int, ...]) -> Noise:
        return jax.random.logistic(key, (*rows, self.columns // 3))

    def draw(self, noise: Noise, logits: jax.Array, temperature: jax.Array) -> jax.Array:
        """Hits are drawn; velocity and offset are what the decoder says, at any temperature."""
        hit = jnp.split(logits, 3, -1)[0]
        return self._values(hit + temperature * noise > 0, logits)

    def likeliest(self, logits: jax.Array) -> jax.Array:
        return self._values(jnp.split(logits, 3, -1)[0] > 0, logits)

    def right(self, guess: jax.Array, values: jax.Array) -> jax.Array:
        """By the hits of a step, all of them."""
        classes = self.columns // 3
        return (guess[..., :classes] == values[..., :classes]).all(-1)


def _product(numbers: Numbers, kernel: jax.Array) -> jax.Array:
    x = jnp.concatenate(numbers, -1).astype(kernel.dtype)
    return jnp.matmul(x, kernel, preferred_element_type=jnp.float32)
