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
from mvae.model.heads import in_width, read
from mvae.model.types import Layer, Params

# Of Glorot's kernel of mu: codes of bars then begin less small, and decoders hear them from the
# start (docs/results.md).
CODE_SCALE = 4.0

_BothWays: TypeAlias = list[dict[str, Layer]]  # of each layer 'fw' and 'bw'


class Posterior(NamedTuple):
    """Mean and standard deviation of the diagonal normal q(z | x), float32 [B, Z] each."""

    mu: jax.Array
    sigma: jax.Array


def init(key: jax.Array, cfg: ModelConfig) -> Params:
    """{'layers': [{'fw': lstm, 'bw': lstm}, ...], 'mu': dense, 'sigma': dense}.

    A hierarchical encoder without bar_codes has 'bar_layers', like 'layers', too.
    """
    keys = [jax.random.fold_in(key, n) for n in range(2 * len(cfg.encoder_sizes) + 1)]
    depth, summary = len(cfg.encoder_sizes), 2 * cfg.encoder_sizes[-1]
    chrono_steps = cfg.total_steps // cfg.encoder_bars if cfg.chrono_init else 0
    init_layer = functools.partial(lstm.init, chrono_steps=chrono_steps)
    params: Params = {'layers': _init_layers(keys[:depth], cfg, in_width(cfg.heads), init_layer)}
    said = cfg.bar_code_size if _writes_bar_codes(cfg) else cfg.latent_size
    for name, own in zip(('mu', 'sigma'), jax.random.split(keys[depth]), strict=True):
        params[name] = dense.init(own, summary, said, cfg.bottleneck_stddev)
    if _writes_bar_codes(cfg):
        params['mu']['kernel'] *= CODE_SCALE
    elif cfg.encoder_bars > 1:
        params['bar_layers'] = _init_layers(keys[depth + 1 :], cfg, summary, lstm.init)
    if cfg.initial_sigma:
        params['sigma']['bias'] += np.log(np.expm1(cfg.initial_sigma))
    return params


def _writes_bar_codes(cfg: ModelConfig) -> bool:
    return cfg.bar_codes and cfg.encoder_bars > 1


def _init_layers(
    keys: list[jax.Array], cfg: ModelConfig, width: int, init_layer: Callable[..., Layer]
) -> _BothWays:
    layers = []
    for key, size in zip(keys, cfg.encoder_sizes, strict=True):
        fw, bw = jax.random.split(key)
        layers.append({'fw': init_layer(fw, width, size), 'bw': init_layer(bw, width, size)})
        width = 2 * size
    return layers


def encode(params: Params, cfg: ModelConfig, streams: Sequence[jax.Array]) -> Posterior:
    """Streams int [B, T, C] -> Posterior: what was read, through one affine layer each.

    sigma goes through a softplus, too. Read is the whole window: the final outputs of both
    directions. A hierarchical encoder reads every bar so, side by side, and then their sequence.
    With bar_codes it does not: each bar's code comes from that bar alone, so that bars which are
    the same have the same code.
    """
    batch, bars = len(streams[0]), cfg.encoder_bars
    if bars > 1:
        fold = (batch * bars, cfg.total_steps // bars, -1)
        streams = [values.reshape(fold) for values in streams]
    time_first = [jnp.swapaxes(values, 0, 1) for values in streams]

    def project(input_kernel):
        return read(cfg.heads, input_kernel, time_first).swapaxes(1, 2)

    summary = _read_both_ways(params['layers'], cfg, project)
    if bars > 1 and not cfg.bar_codes:
        sequence = summary.reshape(-1, batch, bars).swapaxes(1, 2)
        project = functools.partial(lstm.project, sequence)
        summary = _read_both_ways(params['bar_layers'], cfg, project)
    said = (dense.apply(params[name], summary.T) for name in ('mu', 'sigma'))
    mu, sigma = (x.reshape(batch, -1) for x in said)
    return Posterior(mu, jax.nn.softplus(sigma))


def _read_both_ways(
    layers: _BothWays, cfg: ModelConfig, project: Callable[[jax.Array], jax.Array]
) -> jax.Array:
    """The last layer's final outputs of both directions, float32 [2H, N].

    project: the sequence through the input kernel of a first layer's cell, [T, 4H, N].
    """
    for layer, size in zip(layers, cfg.encoder_sizes, strict=True):
        outputs, finals = [], []
        for direction in ('fw', 'bw'):
            cell = layer[direction]
            input_kernel, recurrent_kernel = lstm.split_kernel(cell, cfg.dtype)
            inputs = project(input_kernel)
            state = lstm.zero_state((size, inputs.shape[2]))
            h, final = lstm.unroll(
                inputs, cell['bias'][:, None], state, recurrent_kernel, reverse=direction == 'bw'
            )
            outputs.append(h)
            finals.append(final.h)
        project = functools.partial(lstm.project, jnp.concatenate(outputs))
    return jnp.concatenate(finals)
