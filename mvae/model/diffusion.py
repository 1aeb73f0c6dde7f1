"""Diffusion over codes: a network learns to take noise off codes of music, and so to draw new ones.

At noise level t in [0, 1] a code x has become cos(t pi / 2) x + sin(t pi / 2) noise. The network
says the velocity v = cos(t pi / 2) noise - sin(t pi / 2) x (Salimans & Ho, 2022), from which both
follow. Drawing goes from pure noise down to none, without further noise (DDIM; Song et al., 2021).
Mittal et al. (2021) drew codes of MusicVAE so, two bars each.
"""

import functools

import jax
import jax.numpy as jnp
from jax import lax

from mvae.model import denoiser
from mvae.model.denoiser import DenoiserConfig
from mvae.model.types import Params

STEPS = 50  # from noise to a code


def _mixture(level: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Shares of code and noise."""
    return jnp.cos(level * jnp.pi / 2), jnp.sin(level * jnp.pi / 2)


def loss(params: Params, cfg: DenoiserConfig, codes: jax.Array, key: jax.Array) -> jax.Array:
    """Mean squared error of the velocity of codes [B, U, D], each of mean 0 and variance 1.

    The noise levels of a batch are spread evenly. In half of the examples some bars stay clean, any
    number of them with the same probability; they do not count.
    """
    batch, tokens, _ = codes.shape
    level_key, noise_key, given_key, count_key, half_key = jax.random.split(key, 5)
    level = (jnp.arange(batch) + jax.random.uniform(level_key)) / batch
    noise = jax.random.normal(noise_key, codes.shape)
    share = jax.random.uniform(count_key, (batch, 1))
    share *= jax.random.bernoulli(half_key, 0.5, (batch, 1))
    drawn = jax.random.uniform(given_key, (batch, tokens)) >= share
    signal, noisy = (x[:, None, None] for x in _mixture(level))
    x = jnp.where(drawn[..., None], signal * codes + noisy * noise, codes)
    found = denoiser.apply(params, cfg, x, level, ~drawn)
    wrong = ((found - (signal * noise - noisy * codes)) ** 2).mean(-1)
    return (wrong * drawn).sum() / jnp.maximum(drawn.sum(), 1)  # all may be given


@functools.partial(jax.jit, static_argnums=1)
def draw(
    params: Params, cfg: DenoiserConfig, noise: jax.Array, given: jax.Array, known: jax.Array
) -> jax.Array:
    """Codes [B, U, D] from noise of that shape.

    known: bool [B, U], of which tokens `given` [B, U, D] stays as it is; the others are drawn so
    that they go with these.
    """

    def body(x, levels):
        level, next_level = levels
        x = jnp.where(known[..., None], given, x)
        signal, noisy = _mixture(level)
        velocity = denoiser.apply(params, cfg, x, jnp.full(len(x), level), known)
        code, noise = signal * x - noisy * velocity, noisy * x + signal * velocity
        signal, noisy = _mixture(next_level)
        return signal * code + noisy * noise, None

    levels = jnp.linspace(1.0, 0.0, STEPS + 1)
    x, _ = lax.scan(body, noise, (levels[:-1], levels[1:]))
    return jnp.where(known[..., None], given, x)
