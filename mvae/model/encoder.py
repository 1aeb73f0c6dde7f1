"""Bidirectional LSTM encoder: tokens -> parameters of the posterior q(z | x) (paper section 3.1;
magenta.md 2.3, 2.5, 2.10).
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvae.config import ModelConfig
from mvae.model import dense, lstm, streams

BARS_SCALE = 0.02  # of what delay lines over bars are told; mu and sigma read it as much louder


class Posterior(NamedTuple):
    """Mean and standard deviation of the diagonal normal q(z | x), float32 [B, Z] each."""

    mu: jax.Array
    sigma: jax.Array


def init(key: jax.Array, cfg: ModelConfig) -> dict:
    """{'layers': [{'fw': lstm, 'bw': lstm}, ...], 'mu': dense, 'sigma': dense}, and 'bar_layers'
    like 'layers' in a hierarchical encoder.
    """
    rolls = cfg.drum_roll or (False,) * len(cfg.vocab_sizes)
    width = sum(
        streams.input_width(v, roll) for v, roll in zip(cfg.vocab_sizes, rolls, strict=True)
    )
    keys = [jax.random.fold_in(key, n) for n in range(2 * len(cfg.encoder_sizes) + 1)]
    depth, summary = len(cfg.encoder_sizes), 2 * cfg.encoder_sizes[-1]
    chrono_steps = cfg.total_steps // cfg.encoder_bars if cfg.chrono_init else 0
    params = {
        'layers': _init_layers(
            keys[:depth],
            cfg.encoder_sizes,
            width,
            functools.partial(lstm.init, chrono_steps=chrono_steps),
        )
    }
    if cfg.encoder_bars > 1:
        init_bar_layer = (
            functools.partial(lstm.init_delay_line, steps=cfg.encoder_bars)
            if cfg.delay_lines
            else lstm.init
        )
        params['bar_layers'] = _init_layers(
            keys[depth + 1 :], cfg.encoder_sizes, summary, init_bar_layer
        )
    mu_key, sigma_key = jax.random.split(keys[depth])
    params['mu'] = dense.init(mu_key, summary, cfg.latent_size, cfg.bottleneck_stddev)
    params['sigma'] = dense.init(sigma_key, summary, cfg.latent_size, cfg.bottleneck_stddev)
    if cfg.encoder_bars > 1 and cfg.delay_lines:
        for cell in params['bar_layers'][0].values():
            cell['kernel'] = cell['kernel'].at[:summary].multiply(BARS_SCALE)
        params['mu']['kernel'] /= BARS_SCALE
        params['sigma']['kernel'] /= BARS_SCALE
    if cfg.initial_sigma:
        params['sigma']['bias'] += np.log(np.expm1(cfg.initial_sigma))
    return params


def _init_layers(
    keys: list[jax.Array], sizes: tuple[int, ...], width: int, init_layer: Callable[..., dict]
) -> list[dict]:
    layers = []
    for key, size in zip(keys, sizes, strict=True):
        fw, bw = jax.random.split(key)
        layers.append({'fw': init_layer(fw, width, size), 'bw': init_layer(bw, width, size)})
        width = 2 * size
    return layers


def encode(params: dict, cfg: ModelConfig, tokens: jax.Array) -> Posterior:
    """tokens int [B, T, K] -> Posterior: a summary of the music through one affine layer each,
    sigma's with a softplus.

    The summary is that of the whole window; in a hierarchical encoder that of the bars' summaries,
    the bars side by side (magenta.md 2.10).
    """
    batch = tokens.shape[0]
    if cfg.encoder_bars > 1:
        tokens = tokens.reshape(batch * cfg.encoder_bars, cfg.total_steps // cfg.encoder_bars, -1)
    tokens = jnp.swapaxes(tokens, 0, 1)

    def project_tokens(input_kernel):
        return streams.project_tokens(
            input_kernel, tokens, cfg.vocab_sizes, cfg.drum_roll
        ).swapaxes(1, 2)

    summary = _summarise(params['layers'], cfg, project_tokens)
    if cfg.encoder_bars > 1:
        bars = summary.reshape(-1, batch, cfg.encoder_bars).swapaxes(1, 2)
        summary = _summarise(params['bar_layers'], cfg, functools.partial(lstm.project, bars))
    summary = summary.T
    return Posterior(
        dense.apply(params['mu'], summary), jax.nn.softplus(dense.apply(params['sigma'], summary))
    )


def _summarise(
    layers: list[dict], cfg: ModelConfig, project: Callable[[jax.Array], jax.Array]
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
