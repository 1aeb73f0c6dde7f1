"""The head of drums class by class: a neural autoregressive distribution estimator, NADE.

Uria et al., 2016, section 2; Boulanger-Lewandowski et al., 2012, section 5.1; docs/magenta.md,
NADE.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax
from ml_collections import ConfigDict

from mvae.model.head import Head, Noise
from mvae.model.types import Params

_EPSILON = 1e-6  # added to probabilities before the logarithm, as in Magenta


@dataclasses.dataclass(frozen=True)
class Nade(Head):
    """Columns whose bits say which of N classes are hit. The decoder writes them one by one.

    Logits are the H biases of hidden units a, and the N biases b of classes. Class n is hit with
    probability sigmoid(b_n + sigmoid(a) . d_n). If it is, e_n is added to a, for the classes behind
    it. The vectors e and d are weights of the head. So classes depend on each other, and there are
    N logits, not 2^N.

    The encoder reads the classes, and one number more, 1 for silence. The decoder reads the classes
    of the step before. Scheduled sampling takes likely classes, as in Magenta, and draws none.

    Attributes:
        sizes: how many values each column has, powers of two. The lowest bits of the first column
            are the first classes. hidden: H. weights: of `init`, where it is to score or draw.
    """

    sizes: tuple[int, ...]
    hidden: int = 128
    weights: Params | None = dataclasses.field(default=None, compare=False, repr=False)

    own_temperature = 0.0

    @classmethod
    def make(cls, sizes: tuple[int, ...], settings: ConfigDict) -> Head:
        return cls(sizes, settings.nade_hidden)

    @property
    def columns(self) -> int:
        return len(self.sizes)

    @property
    def _bits(self) -> list[int]:
        """How many classes each column has."""
        return [size.bit_length() - 1 for size in self.sizes]

    @property
    def feed_width(self) -> int:
        """N, the classes."""
        return sum(self._bits)

    @property
    def in_width(self) -> int:
        return self.feed_width + 1

    @property
    def out_width(self) -> int:
        return self.hidden + self.feed_width

    def init(self, key: jax.Array) -> Params:
        """{'w_enc': e [N, 1, H], 'w_dec_t': d [N, H, 1]}, normal within two deviations of 1/N^.5.

        Names and shapes are Magenta's.
        """
        classes, shape = self.feed_width, (self.feed_width, self.hidden)
        drawn = [
            jax.random.truncated_normal(own, -2, 2, shape) / classes**0.5
            for own in jax.random.split(key)
        ]
        return {'w_enc': drawn[0][:, None], 'w_dec_t': drawn[1][:, :, None]}

    def with_weights(self, weights: Params) -> Head:
        return dataclasses.replace(self, weights=weights)

    def roll(self, values: jax.Array) -> jax.Array:
        """Values int [..., C] as classes, float32 [..., N] of 0 and 1; zeros for NOTHING."""
        values = jnp.maximum(values, 0)
        columns = jnp.split(values, self.columns, -1)
        parts = [x >> jnp.arange(n) & 1 for x, n in zip(columns, self._bits, strict=True)]
        return jnp.concatenate(parts, -1).astype(jnp.float32)

    def _values(self, roll: jax.Array) -> jax.Array:
        """The values int32 [..., C] whose `roll` it is."""
        columns, start = [], 0
        for n in self._bits:
            own = roll[..., start : start + n].astype(jnp.int32)
            columns.append((own << jnp.arange(n)).sum(-1))
            start += n
        return jnp.stack(columns, -1)

    def read(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        silent = (values == 0).all(-1, keepdims=True)
        return _product(jnp.concatenate([self.roll(values), silent], -1), kernel)

    def feed(self, kernel: jax.Array, values: jax.Array) -> jax.Array:
        return _product(self.roll(values), kernel)

    def loss(self, logits: jax.Array, values: jax.Array) -> jax.Array:
        roll = self.roll(values)
        e, d = self._vectors()
        rows = logits.reshape(-1, self.out_width), roll.reshape(-1, self.feed_width)
        p = jax.nn.sigmoid(_logits(e, d, *rows).reshape(roll.shape))
        told = roll * jnp.log(p + _EPSILON) + (1 - roll) * jnp.log(1 - p + _EPSILON)
        return -told.sum(-1)

    def noise(self, key: jax.Array, rows: tuple[int, ...]) -> Noise:
        return jax.random.logistic(key, (*rows, self.feed_width))

    def draw(self, noise: Noise, logits: jax.Array, temperature: jax.Array) -> jax.Array:
        """Class by class; at 0 each is hit that is likelier hit than not, given the ones before."""
        return self._chosen(logits, temperature * noise)

    def likeliest(self, logits: jax.Array) -> jax.Array:
        """As `draw` at temperature 0."""
        none = jnp.zeros((*logits.shape[:-1], self.feed_width))
        return self._chosen(logits, none)

    def _vectors(self) -> tuple[jax.Array, jax.Array]:
        """e and d of the classes, [N, H] each."""
        assert self.weights is not None, 'a head without weights reads, and does not score'
        return self.weights['w_enc'][:, 0], self.weights['w_dec_t'][..., 0]

    def _chosen(self, logits: jax.Array, noise: jax.Array) -> jax.Array:
        """Values int32 [..., C], each class by its logit, which noise [..., N] is added to."""

        def body(a, xs):
            e_n, d_n, bias, own = xs
            hit = (bias + jax.nn.sigmoid(a) @ d_n + own >= 0).astype(jnp.float32)
            return a + hit[..., None] * e_n, hit

        biases, noise = (jnp.moveaxis(x, -1, 0) for x in (logits[..., self.hidden :], noise))
        xs = *self._vectors(), biases, noise
        _, hits = lax.scan(body, logits[..., : self.hidden], xs)
        return self._values(jnp.moveaxis(hits, 0, -1))


def _product(roll: jax.Array, kernel: jax.Array) -> jax.Array:
    return jnp.matmul(roll.astype(kernel.dtype), kernel, preferred_element_type=jnp.float32)


@jax.custom_vjp
def _logits(e: jax.Array, d: jax.Array, said: jax.Array, roll: jax.Array) -> jax.Array:
    """Of M rolls [M, N] the logit of each class given the ones before: float32 [M, N].

    e, d: [N, H]. said: what the decoder says, [M, H + N].
    """
    return _logits_fwd(e, d, said, roll)[0]


def _logits_fwd(e, d, said, roll):
    def body(a, xs):
        e_n, d_n, bias, own = xs
        return a + own[:, None] * e_n, bias + jax.nn.sigmoid(a) @ d_n

    hidden = e.shape[1]
    last, found = lax.scan(body, said[:, :hidden], (e, d, said[:, hidden:].T, roll.T))
    return found.T, (e, d, last, roll)


def _logits_bwd(residuals, gradient):
    # Hidden units are found again from the last ones. Kept, those of all classes would be [N, M, H]
    # numbers, and take four times as long.
    e, d, last, roll = residuals

    def body(carry, xs):
        a, da = carry
        e_n, d_n, own, g = xs
        a = a - own[:, None] * e_n
        s = jax.nn.sigmoid(a)
        return (a, da + g[:, None] * d_n * s * (1 - s)), (own @ da, g @ s)

    xs = e, d, roll.T, gradient.T
    (_, da), (de, dd) = lax.scan(body, (last, jnp.zeros_like(last)), xs, reverse=True)
    return de, dd, jnp.concatenate([da, gradient], -1), jnp.zeros_like(roll)


_logits.defvjp(_logits_fwd, _logits_bwd)
