"""Parts of a model as nodes of ONNX: what is read of columns, LSTMs, affine layers.

Letters are those of mvae.model; D directions of an LSTM, F numbers that are read at a step.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvae.interop.onnx_builder import Graph
from mvae.model import heads
from mvae.model.heads import NOTHING, Head
from mvae.model.lstm import FORGET_BIAS
from mvae.model.types import Layer

_GATES = 0, 3, 2, 1  # ours are i, j, f, o; ONNX wants i, o, f, c
_FORGET = 2

Sizes = tuple[int, ...]  # of a stream's columns


class Way(NamedTuple):
    """How columns are read: by an encoder, or by a decoder that hears what it said before."""

    read: Callable[[Sequence[Head], jax.Array, Sequence[jax.Array]], jax.Array]
    width: Callable[[Sequence[Head]], int]


READ, FEED = Way(heads.read, heads.in_width), Way(heads.feed, heads.feed_width)


def features(
    g: Graph, way: Way, own: Sequence[Head], sizes: Sequence[Sizes], streams: Sequence[str]
) -> str:
    """What is read of streams int [..., C]: float [..., F].

    A value that is the size of its column stands for NOTHING.
    """
    parts = []
    for head, columns, stream in zip(own, sizes, streams, strict=True):
        rows = [
            g.op('Gather', g.constant(_table(way, head, columns, n)), _column(g, stream, n))
            for n in range(len(columns))
        ]
        parts.append(g.op('Sum', *rows))
    return g.op('Concat', *parts, axis=-1)


def _column(g: Graph, stream: str, n: int) -> str:
    return g.op('Gather', stream, g.constant(n, np.int64), axis=-1)


def _table(way: Way, head: Head, sizes: Sizes, column: int) -> np.ndarray:
    """What is read of each value of one column, and last of NOTHING: float32 [V + 1, F]."""
    values = np.full((sizes[column] + 1, len(sizes)), NOTHING)
    values[:-1, column] = np.arange(sizes[column])
    return np.asarray(way.read([head], jnp.eye(way.width([head])), [jnp.asarray(values)]))


def split(g: Graph, columns: str, sizes: Sequence[Sizes]) -> list[str]:
    """Columns [..., K] -> those of each stream."""
    widths = g.integers(*map(len, sizes))
    return g.ops('Split', len(sizes), columns, widths, axis=-1)


def cell(g: Graph, *layers: Layer) -> list[str]:
    """W [D, 4H, I], R [D, 4H, H] and B [D, 8H] of an LSTM of so many directions."""
    parts = []
    for layer in layers:
        kernel, bias = (np.asarray(layer[name], np.float32) for name in ('kernel', 'bias'))
        size = len(bias) // 4
        gates = np.concatenate([kernel, bias[None]]).reshape(-1, 4, size)[:, _GATES]
        gates[-1, _FORGET] += FORGET_BIAS
        rows = gates.reshape(len(gates), -1)
        bias = np.concatenate([rows[-1], np.zeros(4 * size, np.float32)])
        parts.append((rows[: -size - 1].T, rows[-size - 1 : -1].T, bias))
    return [g.constant(np.stack(part)) for part in zip(*parts, strict=True)]


def stack(
    g: Graph, cells: Sequence[list[str]], sizes: Sequence[int], x: str, states: Sequence[str]
) -> list[str]:
    """LSTM layers over x [T, N, I]: outputs of the last, [T, N, H], then final states as given.

    cells, sizes: weights and units of each layer. states: h and c of every layer, [1, N, H] each.
    """
    after: list[str] = []
    for n, (weights, size) in enumerate(zip(cells, sizes, strict=True)):
        own = states[2 * n : 2 * n + 2]
        outputs, h, c = g.ops('LSTM', 3, x, *weights, '', *own, hidden_size=size)
        x = g.op('Squeeze', outputs, g.integers(1))
        after += [h, c]
    return [x, *after]


def read_both_ways(g: Graph, layers: Sequence[dict[str, Layer]], x: str) -> str:
    """The last layer's final outputs of both directions, [N, 2H], of x [T, N, F]."""
    final = x
    for layer in layers:
        size = len(layer['fw']['bias']) // 4
        weights = cell(g, layer['fw'], layer['bw'])
        looks = {'hidden_size': size, 'direction': 'bidirectional'}
        outputs, final = g.ops('LSTM', 2, x, *weights, **looks)
        x = g.op('Transpose', outputs, perm=(0, 2, 1, 3))
        x = g.op('Reshape', x, g.integers(0, 0, 2 * size))
    return g.op('Reshape', g.op('Transpose', final, perm=(1, 0, 2)), g.integers(0, 2 * size))


def affine(g: Graph, params: Layer, x: str) -> str:
    """x [..., I] -> [..., O]."""
    kernel, bias = (g.constant(params[name], np.float32) for name in ('kernel', 'bias'))
    return g.op('Add', g.op('MatMul', x, kernel), bias)


def start(g: Graph, params: Layer, e: str, sizes: Sequence[int]) -> list[str]:
    """The states before the first step, of e [N, E]: h and c of every layer, [1, N, H] each."""
    flat = g.op('Unsqueeze', g.op('Tanh', affine(g, params, e)), g.integers(0))
    widths = g.integers(*(size for size in sizes for _ in range(2)))
    states = g.ops('Split', 2 * len(sizes), flat, widths, axis=2)
    return [states[i + 1 - 2 * (i % 2)] for i in range(len(states))]  # ours are c, h
