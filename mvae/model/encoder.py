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
from mvae.model.heads import Head, as_numbers, in_width, read
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
        return {'parts': [_init_reader(k, cfg, (head,), cfg.code_size) for k, head in pairs]}
    params = _init_reader(key, cfg, cfg.heads, cfg.latent_size)
    if cfg.encoder_bars > 1:
        width, own = 2 * cfg.encoder_sizes[-1], jax.random.fold_in(key, _BAR_LAYERS)
        params['bar_layers'] = _init_layers(own, cfg, width, lstm.init)
    return params


def _init_reader(key: jax.Array, cfg: ModelConfig, heads: Sequence[Head], size: int) -> Params:
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
    dropout: InputDropout | None = None,
) -> Posterior:
    """Streams int [B, T, C] -> Posterior: what was read, through one affine layer each.

    sigma goes through a softplus, too. Read is the whole window: the final outputs of both
    directions. A hierarchical encoder reads every bar so, side by side, and then their sequence.
    With bar_codes it does not: each code comes from one stream of one bar alone, so that bars which
    are the same have the same code.

    dropout: of the inputs of all layers, with keys [B].
    """
    batch, bars = streams[0].shape[0], cfg.encoder_bars
    if bars > 1:
        fold = (batch * bars, cfg.total_steps // bars, -1)
        streams = [values.reshape(fold) for values in streams]
    time_first = [jnp.swapaxes(values, 0, 1) for values in streams]
    # Of what reads bars, one for each stream; and last of what reads their sequence.
    dropouts = [dropout and dropout.part(n, bars) for n in range(len(cfg.heads))]
    if _writes_bar_codes(cfg):
        parts = zip(params['parts'], cfg.heads, time_first, dropouts, strict=True)
        codes = [_say(p, _read(p, cfg, (head,), (values,), own)) for p, head, values, own in parts]
        mu, sigma = (jnp.stack(x, 1) for x in zip(*codes, strict=True))  # [B * U, K, D]
    else:
        summary = _read(params, cfg, cfg.heads, time_first, dropouts[0])
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
    heads: Sequence[Head],
    time_first: Sequence[jax.Array],
    dropout: InputDropout | None,
) -> jax.Array:
    """Streams int [T, N, C] -> float32 [2H, N]."""

    def project(input_kernel, n):
        return read(heads, input_kernel, time_first).swapaxes(1, 2)

    if dropout is not None:
        numbers = as_numbers(heads, time_first, feeding=False)
        project = _projection(numbers.transpose(2, 0, 1), dropout)
    return _read_both_ways(params['layers'], cfg, project, dropout)


def _projection(sequence: jax.Array, dropout: InputDropout | None) -> _Project:
    """Of a sequence [I, T, N], of which each cell drops other numbers."""
    return lambda input_kernel, n: lstm.project(drop(dropout, sequence, n), input_kernel)


def _say(params: Params, summary: jax.Array) -> tuple[jax.Array, jax.Array]:
    """mu, and sigma before its softplus, of summaries [2H, N]: [N, size] each."""
    return dense.apply(params['mu'], summary.T), dense.apply(params['sigma'], summary.T)


def _read_both_ways(
    layers: _BothWays, cfg: ModelConfig, project: _Project, dropout: InputDropout | None
) -> jax.Array:
    """The last layer's final outputs of both directions, float32 [2H, N].

    project: of what the first layer reads.
    """
    for number, (layer, size) in enumerate(zip(layers, cfg.encoder_sizes, strict=True)):
        outputs, finals = [], []
        for n, direction in enumerate(('fw', 'bw'), 2 * number):
            cell = layer[direction]
            input_kernel, recurrent_kernel = lstm.split_kernel(cell, cfg.dtype)
            inputs = project(input_kernel, n)
            state = lstm.zero_state((size, inputs.shape[2]))
            h, final = lstm.unroll(
                inputs, cell['bias'][:, None], state, recurrent_kernel, reverse=direction == 'bw'
            )
            outputs.append(h)
            finals.append(final.h)
        project = _projection(jnp.concatenate(outputs), dropout)
    return jnp.concatenate(finals)
