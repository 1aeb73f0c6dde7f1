"""A transformer over the codes of bars: what noisy codes were before, given how noisy they are.

The network of `mvae.model.diffusion`. The codes of all streams of all bars are its tokens; a code
of the whole piece is a single one. Some may be given clean while the others are drawn. It is told
an outline of the piece: which codes are the same, traits such as the pitch classes that sound, and
whether the music was transposed, so that it can learn from all keys and draw in those of the music
(Karras et al., 2022, tell theirs of every augmentation).

Blocks are those of Peebles & Xie (2023): the noise level scales and shifts what goes into each
layer.
"""

import dataclasses
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from mvae.model import dense
from mvae.model.types import Params

_WIDENING = 3  # of the layer inside a block
_WAVES = 32  # sines and cosines that tell a noise level
_FASTEST = 6.0  # of them, in log radians per unit
_EPSILON = 1e-6


_Array = TypeVar('_Array', bound=Any)  # of numpy, and of JAX in programs


class Outline(NamedTuple, Generic[_Array]):
    """What is said of pieces before their codes are drawn.

    plan: int [B, U, K], of each code the first bar whose code of that part it equals. traits: float
    [B, C], see mvae.music.traits; zeros where nobody says. transposed: bool [B].
    """

    plan: _Array
    traits: _Array
    transposed: _Array

    def take(self, rows: np.ndarray | slice) -> 'Outline[_Array]':
        """Those of a mask, an index or a slice."""
        return Outline(self.plan[rows], self.traits[rows], self.transposed[rows])


@dataclasses.dataclass(frozen=True)
class DenoiserConfig:
    """Sizes: hashable, so that it can be a static argument of `jax.jit`.

    Attributes:
        bars, parts: U and K; a piece has a code for each part of each bar. size: D, numbers of a
        code.
        width: W, of a token inside; a multiple of heads. layers: blocks. heads: of attention.
        traits: C, numbers of them.
    """

    bars: int
    parts: int
    size: int
    width: int
    layers: int
    heads: int
    traits: int = 0

    @property
    def tokens(self) -> int:
        """U K, codes of a piece: all parts of a bar, and then the next bar."""
        return self.bars * self.parts


def init(key: jax.Array, cfg: DenoiserConfig) -> Params:
    """float32 {'in', 'known', 'transposed', 'place', 'level', 'blocks', 'last', 'out'}; 'traits'.

    'traits' is there where it is told some. 'blocks' has one array of all layers for each weight,
    the layer first. A new network answers 0.
    """
    in_key, known_key, place_key, level_key, blocks_key, moved_key = jax.random.split(key, 6)
    width, traits_key = cfg.width, jax.random.fold_in(key, 1)
    traits = {'traits': dense.init(traits_key, cfg.traits, width)} if cfg.traits else {}
    return traits | {
        'in': dense.init(in_key, cfg.size, width),
        'known': 0.3 * jax.random.normal(known_key, (width,)),
        'transposed': 0.3 * jax.random.normal(moved_key, (width,)),
        'place': 0.3 * jax.random.normal(place_key, (cfg.tokens, width)),
        'level': dense.init(level_key, 2 * _WAVES, width),
        'blocks': jax.vmap(lambda k: _init_block(k, cfg))(jax.random.split(blocks_key, cfg.layers)),
        'last': _zeros(width, 2 * width),
        'out': _zeros(width, cfg.size),
    }


def _init_block(key: jax.Array, cfg: DenoiserConfig) -> Params:
    keys, width = jax.random.split(key, 5), cfg.width
    return {
        'level': _zeros(width, 6 * width),
        'attention': dense.init(keys[0], width, 3 * width),
        'distance': 0.5 * jax.random.normal(keys[1], _distances_shape(cfg)),
        'same': jnp.zeros((cfg.heads,)),
        'joined': dense.init(keys[2], width, width),
        'wide': dense.init(keys[3], width, _WIDENING * width),
        'narrow': dense.init(keys[4], _WIDENING * width, width),
    }


def _distances_shape(cfg: DenoiserConfig) -> tuple[int, int, int, int]:
    """Of heads, parts that ask, parts that are asked, and bars from all before to all after."""
    return cfg.heads, cfg.parts, cfg.parts, 2 * cfg.bars - 1


def _zeros(inputs: int, outputs: int) -> Params:
    return {'kernel': jnp.zeros((inputs, outputs)), 'bias': jnp.zeros((outputs,))}


def apply(
    params: Params,
    cfg: DenoiserConfig,
    x: jax.Array,
    level: jax.Array,
    known: jax.Array,
    outline: Outline[jax.Array],
) -> jax.Array:
    """x [B, U, K, D] -> float32 [B, U, K, D], the same for codes that are the same.

    level: of the noise in x, in [0, 1], [B]. known: which codes have none, bool [B, U, K].
    """
    rows, same = (len(x), cfg.tokens, -1), _same(cfg, outline.plan)
    known = known.reshape(len(x), -1, 1)
    waves = level[..., None] * jnp.exp(jnp.linspace(0.0, _FASTEST, _WAVES))
    waves = jnp.concatenate([jnp.sin(waves), jnp.cos(waves)], -1)
    told = dense.apply(params['level'], waves)
    told += outline.transposed[:, None] * params['transposed']
    if cfg.traits:
        told += dense.apply(params['traits'], outline.traits)
    told = jax.nn.silu(told)[:, None]  # [B, 1, W]
    h = dense.apply(params['in'], x.reshape(rows)) + params['place'] + known * params['known']

    def body(h, block):
        return _block(block, cfg, h, told, same), None

    h, _ = jax.lax.scan(body, h, params['blocks'])
    scale, shift = jnp.split(dense.apply(params['last'], told), 2, -1)
    said = dense.apply(params['out'], _normalise(h) * (1 + scale) + shift)
    return (same @ said / same.sum(-1, keepdims=True)).reshape(x.shape)


def _same(cfg: DenoiserConfig, plan: jax.Array) -> jax.Array:
    """1.0 for pairs of codes that are the same, 0.0 for others: [B, U K, U K]."""
    first = (plan * cfg.parts + jnp.arange(cfg.parts)).reshape(len(plan), -1)
    return (first[:, :, None] == first[:, None]).astype(jnp.float32)


def _block(
    params: Params, cfg: DenoiserConfig, h: jax.Array, told: jax.Array, same: jax.Array
) -> jax.Array:
    """Attention and then a wide layer, each added to what goes in; what is told scales both."""
    parts = jnp.split(dense.apply(params['level'], told), 6, -1)
    scale_a, shift_a, gain_a, scale_b, shift_b, gain_b = parts
    y = _attend(params, cfg, _normalise(h) * (1 + scale_a) + shift_a, same)
    h = h + (1 + gain_a) * y
    y = jax.nn.silu(dense.apply(params['wide'], _normalise(h) * (1 + scale_b) + shift_b))
    return h + (1 + gain_b) * dense.apply(params['narrow'], y)


def _attend(params: Params, cfg: DenoiserConfig, x: jax.Array, same: jax.Array) -> jax.Array:
    """Every code asks all: by what they hold, by parts, how far apart, and whether the same."""
    shape = *x.shape[:2], 3 * cfg.heads, cfg.width // cfg.heads
    query, key, value = jnp.split(dense.apply(params['attention'], x).reshape(shape), 3, 2)
    bar, part = np.divmod(np.arange(cfg.tokens), cfg.parts)
    apart = bar[:, None] - bar + cfg.bars - 1
    distance = params['distance'][:, part[:, None], part, apart]  # [heads, U K, U K]
    bias = distance + params['same'][:, None, None] * same[:, None]
    found = jax.nn.dot_product_attention(query, key, value, bias=bias)
    return dense.apply(params['joined'], found.reshape(x.shape))


def _normalise(x: jax.Array) -> jax.Array:
    """x at a root mean square of 1."""
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + _EPSILON)
