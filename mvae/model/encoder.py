"""Bidirectional LSTM encoder: the posterior q(z | x) of windows.

Paper section 3.1; docs/magenta.md, Encoder.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from mvae.model import dense, lstm
from mvae.model.config import ModelConfig
from mvae.model.dropout import InputDropout, drop
from mvae.model.heads import Reader, in_width, read, read_as_numbers
from mvae.model.types import Layer, Params

# Of Glorot's kernel of mu: codes of bars then begin less small, and decoders hear them from the
# start (docs/results.md).
CODE_SCALE = 4.0
_BAR_LAYERS = 1000  # folded into the key; layers fold in smaller numbers

_BothWays: TypeAlias = list[dict[str, Layer]]  # of each layer 'fw' and 'bw'
# A sequence through the input kernel of cell n of a layer, [T, 4H, N].
_Project: TypeAlias = Callable[[jax.Array, int], jax.Array]


class Posterior(NamedTuple):
    """Mean and standard deviation of the diagonal normal q(z | x), float32 [B, Z] each."""

    mu: jax.Array
    sigma: jax.Array


def init(key: jax.Array, cfg: ModelConfig) -> Params:
    """{'layers': [{'fw': lstm, 'bw': lstm}, ...], 'mu': dense, 'sigma': dense}.

    A hierarchical encoder without bar_codes has 'bar_layers', like 'layers', too. With bar_codes it
    is {'parts': [...]}, one such encoder for each stream.
    """
    if _writes_bar_codes(cfg):
        keys = jax.random.split(key, len(cfg.heads))
        pairs = zip(keys, cfg.heads, strict=True)
        size = cfg.code_size
        return {'parts': [_init_reader(k, cfg, (head, *cfg.told), size) for k, head in pairs]}
    params = _init_reader(key, cfg, (*cfg.heads, *cfg.told), cfg.latent_size)
    if cfg.encoder_bars > 1:
        width, own = 2 * cfg.encoder_sizes[-1], jax.random.fold_in(key, _BAR_LAYERS)
        params['bar_layers'] = _init_layers(own, cfg, width, lstm.init)
    return params


def _init_reader(key: jax.Array, cfg: ModelConfig, heads: Sequence[Reader], size: int) -> Params:
    """What reads some streams and says `size` numbers of them."""
    layers_key, mu_key, sigma_key = jax.random.split(key, 3)
    chrono_steps = cfg.total_steps // cfg.encoder_bars if cfg.chrono_init else 0
    init_layer = functools.partial(lstm.init, chrono_steps=chrono_steps)
    summary = 2 * cfg.encoder_sizes[-1]
    params: Params = {
        'layers': _init_layers(layers_key, cfg, in_width(heads), init_layer),
        'mu': dense.init(mu_key, summary, size, cfg.bottleneck_stddev),
        'sigma': dense.init(sigma_key, summary, size, cfg.bottleneck_stddev),
    }
    if _writes_bar_codes(cfg):
        params['mu']['kernel'] *= CODE_SCALE
    if cfg.initial_sigma:
        params['sigma']['bias'] += np.log(np.expm1(cfg.initial_sigma))
    return params


def _writes_bar_codes(cfg: ModelConfig) -> bool:
    return cfg.bar_codes and cfg.encoder_bars > 1


def _init_layers(
    key: jax.Array, cfg: ModelConfig, width: int, init_layer: Callable[..., Layer]
) -> _BothWays:
    layers = []
    for n, size in enumerate(cfg.encoder_sizes):
        fw, bw = jax.random.split(jax.random.fold_in(key, n))
        layers.append({'fw': init_layer(fw, width, size), 'bw': init_layer(bw, width, size)})
        width = 2 * size
    return layers


def encode(
    params: Params,
    cfg: ModelConfig,
    streams: Sequence[jax.Array],
    told: Sequence[jax.Array] = (),
    dropout: InputDropout | None = None,
) -> Posterior:
    """Streams and conditions int [B, T, C] -> Posterior: what was read, through affine layers.

    sigma goes through a softplus, too. Read is the whole window: the final outputs of both
    directions. A hierarchical encoder reads every bar so, side by side, and then their sequence.
    With bar_codes it does not: each code comes from one stream of one bar alone, so that bars which
    are the same have the same code.

    dropout: of the inputs of all layers, with keys [B].
    """
    batch, bars = streams[0].shape[0], cfg.encoder_bars
    if bars > 1:
        fold = (batch * bars, cfg.total_steps // bars, -1)
        streams, told = ([x.reshape(fold) for x in values] for values in (streams, told))
    time_first, told = ([jnp.swapaxes(x, 0, 1) for x in values] for values in (streams, told))
    # Of what reads bars, one for each stream; and last of what reads their sequence.
    dropouts = [dropout and dropout.part(n, bars) for n in range(len(cfg.heads))]
    if _writes_bar_codes(cfg):
        parts = zip(params['parts'], cfg.heads, time_first, dropouts, strict=True)
        codes = [
            _say(p, _read(p, cfg, (head, *cfg.told), (values, *told), own))
            for p, head, values, own in parts
        ]
        mu, sigma = (jnp.stack(x, 1) for x in zip(*codes, strict=True))  # [B * U, K, D]
    else:
        heads = *cfg.heads, *cfg.told
        summary = _read(params, cfg, heads, (*time_first, *told), dropouts[0])
        if bars > 1:
            sequence = summary.reshape(-1, batch, bars).swapaxes(1, 2)
            own = dropout and dropout.part(len(cfg.heads))
            project = _projection(sequence, own)
            summary = _read_both_ways(params['bar_layers'], cfg, project, own)
        mu, sigma = _say(params, summary)
    return Posterior(mu.reshape(batch, -1), jax.nn.softplus(sigma).reshape(batch, -1))


def _read(
    params: Params,
    cfg: ModelConfig,
    heads: Sequence[Reader],
    time_first: Sequence[jax.Array],
    dropout: InputDropout | None,
) -> jax.Array:
    """Streams int [T, N, C] -> float32 [2H, N]."""

    def project(input_kernel, n):
        return read(heads, input_kernel, time_first).swapaxes(1, 2)

    there = None
    if any(head.ends for head in heads):
        own = zip(heads, time_first, strict=True)
        there = functools.reduce(jnp.logical_and, [head.counts(values) for head, values in own])
    if dropout is not None:
        numbers = read_as_numbers(heads, time_first)
        project = _projection(numbers.transpose(2, 0, 1), dropout)
    return _read_both_ways(params['layers'], cfg, project, dropout, there)


def _projection(sequence: jax.Array, dropout: InputDropout | None) -> _Project:
    """Of a sequence [I, T, N], of which each cell drops other numbers."""
    return lambda input_kernel, n: lstm.project(drop(dropout, sequence, n), input_kernel)


def _say(params: Params, summary: jax.Array) -> tuple[jax.Array, jax.Array]:
    """mu, and sigma before its softplus, of summaries [2H, N]: [N, size] each."""
    return dense.apply(params['mu'], summary.T), dense.apply(params['sigma'], summary.T)


def _read_both_ways(
    layers: _BothWays,
    cfg: ModelConfig,
    project: _Project,
    dropout: InputDropout | None,
    there: jax.Array | None = None,
) -> jax.Array:
    """The last layer's final outputs of both directions, float32 [2H, N].

    project: of what the first layer reads. there: bool [T, N], where sequences end before T their
    steps; None where none does. Both directions read a sequence as if it stood alone, and one
    without a step is zeros (docs/magenta.md, Bands).
    """
    for number, (layer, size) in enumerate(zip(layers, cfg.encoder_sizes, strict=True)):
        outputs, finals = [], []
        for n, direction in enumerate(('fw', 'bw'), 2 * number):
            cell = layer[direction]
            input_kernel, recurrent_kernel = lstm.split_kernel(cell, cfg.dtype)
            inputs, back = project(input_kernel, n), direction == 'bw'
            if back and there is not None:
                inputs = lstm.hold_at_zero(inputs, ~there)
            state = lstm.zero_state((size, inputs.shape[2]))
            bias = cell['bias'][:, None]
            h, final = lstm.unroll(inputs, bias, state, recurrent_kernel, reverse=back)
            outputs.append(h)
            finals.append(final.h if back or there is None else _last(h, there))
        project = _projection(jnp.concatenate(outputs), dropout)
    return jnp.concatenate(finals)


def _last(h: jax.Array, there: jax.Array) -> jax.Array:
    """Of outputs [H, T, N] those of each sequence's last step, float32 [H, N]; zeros for none."""
    place = jnp.arange(len(there))[:, None] == there.sum(0) - 1
    return jnp.where(place, h.astype(jnp.float32), 0).sum(1)
