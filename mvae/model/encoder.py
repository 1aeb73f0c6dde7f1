"""Bidirectional LSTM encoder: the posterior q(z | x) of windows.

Paper section 3.1; docs/magenta.md, Encoder.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvae.model import dense, lstm
from mvae.model.config import ModelConfig
from mvae.model.heads import in_width, read
from mvae.model.types import Layer, Params

# Delay lines over bars are told a signal as small as this; mu and sigma read it as much louder.
BARS_SCALE = 0.02


class Posterior(NamedTuple):
    """Mean and standard deviation of the diagonal normal q(z | x), float32 [B, Z] each."""

    mu: jax.Array
    sigma: jax.Array


def init(key: jax.Array, cfg: ModelConfig) -> Params:
    """{'layers': [{'fw': lstm, 'bw': lstm}, ...], 'mu': dense, 'sigma': dense}.

    A hierarchical encoder has 'bar_layers', like 'layers', too.
    """
    keys = [jax.random.fold_in(key, n) for n in range(2 * len(cfg.encoder_sizes) + 1)]
    depth, summary = len(cfg.encoder_sizes), 2 * cfg.encoder_sizes[-1]
    chrono_steps = cfg.total_steps // cfg.encoder_bars if cfg.chrono_init else 0
    init_layer = functools.partial(lstm.init, chrono_steps=chrono_steps)
    width = in_width(cfg.heads)
    params: Params = {'layers': _init_layers(keys[:depth], cfg.encoder_sizes, width, init_layer)}
    mu_key, sigma_key = jax.random.split(keys[depth])
    params['mu'] = dense.init(mu_key, summary, cfg.latent_size, cfg.bottleneck_stddev)
    params['sigma'] = dense.init(sigma_key, summary, cfg.latent_size, cfg.bottleneck_stddev)
    if cfg.encoder_bars > 1:
        _add_bar_layers(params, cfg, keys[depth + 1 :], summary)
    if cfg.initial_sigma:
        params['sigma']['bias'] += np.log(np.expm1(cfg.initial_sigma))
    return params


def _add_bar_layers(params: Params, cfg: ModelConfig, keys: list[jax.Array], summary: int) -> None:
    init_layer: Callable[..., Layer] = lstm.init
    if cfg.delay_lines:
        init_layer = functools.partial(lstm.init_delay_line, steps=cfg.encoder_bars)
    params['bar_layers'] = _init_layers(keys, cfg.encoder_sizes, summary, init_layer)
    if cfg.delay_lines:
        for cell in params['bar_layers'][0].values():
            cell['kernel'] = cell['kernel'].at[:summary].multiply(BARS_SCALE)
        params['mu']['kernel'] /= BARS_SCALE
        params['sigma']['kernel'] /= BARS_SCALE


def _init_layers(
    keys: list[jax.Array], sizes: tuple[int, ...], width: int, init_layer: Callable[..., Layer]
) -> list[dict[str, Layer]]:
    layers = []
    for key, size in zip(keys, sizes, strict=True):
        fw, bw = jax.random.split(key)
        layers.append({'fw': init_layer(fw, width, size), 'bw': init_layer(bw, width, size)})
        width = 2 * size
    return layers


def encode(params: Params, cfg: ModelConfig, streams: Sequence[jax.Array]) -> Posterior:
    """Streams int [B, T, C] -> Posterior: a summary of the music through one affine layer each.

    sigma goes through a softplus, too. The summary is that of the whole window. A hierarchical
    encoder sums up every bar, side by side, and then the sequence of these summaries.
    """
    batch, bars = len(streams[0]), cfg.encoder_bars
    if bars > 1:
        fold = (batch * bars, cfg.total_steps // bars, -1)
        streams = [values.reshape(fold) for values in streams]
    time_first = [jnp.swapaxes(values, 0, 1) for values in streams]

    def project(input_kernel):
        return read(cfg.heads, input_kernel, time_first).swapaxes(1, 2)

    summary = _summarise(params['layers'], cfg, project)
    if bars > 1:
        sequence = summary.reshape(-1, batch, bars).swapaxes(1, 2)
        summary = _summarise(params['bar_layers'], cfg, functools.partial(lstm.project, sequence))
    mu, sigma = (dense.apply(params[name], summary.T) for name in ('mu', 'sigma'))
    return Posterior(mu, jax.nn.softplus(sigma))


def _summarise(
    layers: list[dict[str, Layer]], cfg: ModelConfig, project: Callable[[jax.Array], jax.Array]
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
