"""Diffusion over codes: a network learns to take noise off codes of music, and so to draw new ones.

At noise level t in [0, 1] a code x has become cos(t pi / 2) x + sin(t pi / 2) noise. The network
says the velocity v = cos(t pi / 2) noise - sin(t pi / 2) x (Salimans & Ho, 2022), from which both
follow. Drawing goes from pure noise down to none, without further noise (DDIM; Song et al., 2021).
Mittal et al. (2021) drew codes of MusicVAE so, two bars each.

The network learns with traits of music and now and then without. Drawing goes further in the
direction that telling them makes (Ho & Salimans, 2022), so that what is drawn has them.
"""

import functools

import jax
import jax.numpy as jnp
from jax import lax

from mvae.model import denoiser
from mvae.model.denoiser import DenoiserConfig, Outline
from mvae.model.types import Params

STEPS = 50  # from noise to a code
GUIDANCE = 1.5  # how far drawing goes for traits; 1: as far as the network says
_UNTOLD = 0.15  # of the examples, to which no traits are told


def _mixture(level: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Shares of code and noise."""
    return jnp.cos(level * jnp.pi / 2), jnp.sin(level * jnp.pi / 2)


def loss(
    params: Params,
    cfg: DenoiserConfig,
    codes: jax.Array,
    outline: Outline[jax.Array],
    key: jax.Array,
) -> jax.Array:
    """Mean squared error of the velocity of codes [B, U, K, D], each of mean 0 and variance 1.

    The noise levels of a batch are spread evenly. In half of the examples some codes stay clean:
    `_given` says which. They do not count.
    """
    level_key, noise_key, given_key = jax.random.split(key, 3)
    level = (jnp.arange(len(codes)) + jax.random.uniform(level_key)) / len(codes)
    noise = alike(jax.random.normal(noise_key, codes.shape), outline.plan)
    drawn = ~alike(_given(given_key, cfg, len(codes))[..., None], outline.plan)[..., 0]
    told = jax.random.bernoulli(jax.random.fold_in(key, 1), 1 - _UNTOLD, (len(codes), 1))
    outline = outline._replace(traits=outline.traits * told)
    signal, noisy = (x[:, None, None, None] for x in _mixture(level))
    x = jnp.where(drawn[..., None], signal * codes + noisy * noise, codes)
    found = denoiser.apply(params, cfg, x, level, ~drawn, outline)
    wrong = ((found - (signal * noise - noisy * codes)) ** 2).mean(-1)
    return (wrong * drawn).sum() / jnp.maximum(drawn.sum(), 1)  # all may be given


def alike(x: jax.Array, plan: jax.Array) -> jax.Array:
    """x [B, U, K, D] with each code as that of the first bar which the plan [B, U, K] says."""
    return jnp.take_along_axis(x, plan[..., None], 1)


def _given(key: jax.Array, cfg: DenoiserConfig, batch: int) -> jax.Array:
    """Which codes of a batch stay clean, bool [B, U, K]: of every second example, some.

    Any number of them, with the same probability; in turn single codes, whole bars, whole parts.
    """
    count_key, *keys = jax.random.split(key, 4)
    n = jnp.arange(batch)
    share = jnp.where(n % 2 == 0, jax.random.uniform(count_key, (batch,)), 0.0)
    shapes = ((cfg.bars, cfg.parts), (cfg.bars, 1), (1, cfg.parts))[: 3 if cfg.parts > 1 else 1]
    kinds = [
        jnp.broadcast_to(jax.random.uniform(k, (batch, *shape)), (batch, cfg.bars, cfg.parts))
        for k, shape in zip(keys, shapes, strict=False)
    ]
    height = jnp.choose(n[:, None, None] // 2 % len(kinds), kinds, mode='clip')
    return height < share[:, None, None]


@functools.partial(jax.jit, static_argnums=1)
def draw(
    params: Params,
    cfg: DenoiserConfig,
    noise: jax.Array,
    given: jax.Array,
    known: jax.Array,
    outline: Outline[jax.Array],
) -> jax.Array:
    """Codes [B, U, K, D] from noise of that shape.

    known: bool [B, U, K], of which codes `given` [B, U, K, D] stays as it is; the others are drawn
    so that they go with these. Of codes that are the same all are known, or none is.
    """

    def body(x, levels):
        level, next_level = levels
        x = jnp.where(known[..., None], given, x)
        signal, noisy = _mixture(level)
        noise_levels = jnp.full(len(x), level)
        velocity = _guided(params, cfg, x, noise_levels, known, outline)
        code, noise = signal * x - noisy * velocity, noisy * x + signal * velocity
        signal, noisy = _mixture(next_level)
        return signal * code + noisy * noise, None

    levels = jnp.linspace(1.0, 0.0, STEPS + 1)
    x, _ = lax.scan(body, alike(noise, outline.plan), (levels[:-1], levels[1:]))
    return jnp.where(known[..., None], given, x)


def _guided(
    params: Params,
    cfg: DenoiserConfig,
    x: jax.Array,
    level: jax.Array,
    known: jax.Array,
    outline: Outline[jax.Array],
) -> jax.Array:
    """What the network says, further away from what it says where it is told no traits."""
    if not cfg.traits:
        return denoiser.apply(params, cfg, x, level, known, outline)
    untold = outline._replace(traits=jnp.zeros_like(outline.traits))
    pairs = jax.tree.map(
        lambda *two: jnp.concatenate(two), (x, level, known, outline), (x, level, known, untold)
    )
    told, plain = jnp.split(denoiser.apply(params, cfg, *pairs), 2)
    return plain + GUIDANCE * (told - plain)
