"""Bidirectional LSTM encoder: tokens -> parameters of the posterior q(z | x) (paper section 3.1; magenta.md 2.3, 2.5)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvae.config import ModelConfig
from mvae.model import dense, lstm, streams


class Posterior(NamedTuple):
    """Mean and standard deviation of the diagonal normal q(z | x), float32 [B, Z] each."""

    mu: jax.Array
    sigma: jax.Array


def init(key: jax.Array, cfg: ModelConfig) -> dict:
    """{'layers': [{'fw': lstm, 'bw': lstm}, ...], 'mu': dense, 'sigma': dense}."""
    rolls = cfg.drum_roll or (False,) * len(cfg.vocab_sizes)
    width = sum(streams.input_width(v, roll) for v, roll in zip(cfg.vocab_sizes, rolls, strict=True))
    chrono_steps = cfg.total_steps if cfg.chrono_init else 0
    layers = []
    for n, size in enumerate(cfg.encoder_sizes):
        fw, bw = jax.random.split(jax.random.fold_in(key, n))
        layers.append({'fw': lstm.init(fw, width, size, chrono_steps), 'bw': lstm.init(bw, width, size, chrono_steps)})
        width = 2 * size
    mu_key, sigma_key = jax.random.split(jax.random.fold_in(key, len(cfg.encoder_sizes)))
    params = {
        'layers': layers,
        'mu': dense.init(mu_key, width, cfg.latent_size, cfg.bottleneck_stddev),
        'sigma': dense.init(sigma_key, width, cfg.latent_size, cfg.bottleneck_stddev),
    }
    if cfg.initial_sigma:
        params['sigma']['bias'] += np.log(np.expm1(cfg.initial_sigma))
    return params


def encode(params: dict, cfg: ModelConfig, tokens: jax.Array) -> Posterior:
    """tokens int [B, T, K] -> Posterior. The last layer's final outputs of both directions go to mu and, through softplus, to sigma."""
    tokens = jnp.swapaxes(tokens, 0, 1)
    outputs = None
    for params_l, size in zip(params['layers'], cfg.encoder_sizes, strict=True):
        hs, finals = [], []
        for direction in ('fw', 'bw'):
            cell = params_l[direction]
            inputs_kernel, recurrent_kernel = lstm.split_kernel(cell, cfg.dtype)
            if outputs is None:
                inputs = streams.project_tokens(inputs_kernel, tokens, cfg.vocab_sizes, cfg.drum_roll) + cell['bias']
            else:
                inputs = lstm.project(outputs, cell, cfg.dtype)
            state = lstm.zero_state((tokens.shape[1], size))
            h, final = lstm.unroll(inputs.astype(cfg.dtype), state, recurrent_kernel, reverse=direction == 'bw')
            hs.append(h)
            finals.append(final.h)
        outputs = jnp.concatenate(hs, axis=-1)
    summary = jnp.concatenate(finals, axis=-1)
    return Posterior(dense.apply(params['mu'], summary), jax.nn.softplus(dense.apply(params['sigma'], summary)))
