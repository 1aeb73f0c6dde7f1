"""A model as StableHLO, by jax.export: its functions and weights, for any program with XLA.

encode.stablehlo gives mu and sigma of tokens, generate.stablehlo tokens of z at a temperature.
`jax.export.deserialize` reads them, without mvae. See docs/export.md.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from mvae.files import write_folder
from mvae.interop import prior, told
from mvae.model import vae
from mvae.model.prior import EQUAL
from mvae.musicvae import MusicVAE, key_of

_PLATFORMS = ('cpu', 'cuda', 'tpu')


def write(model: MusicVAE, folder: Path) -> str:
    """Writes the folder, which must not be there yet, or be empty.

    A decoder that was imported alone has no encode.stablehlo. Raises InputError where it cannot be
    written.
    """
    told.refuse(model, 'StableHLO')
    (batch,) = export.symbolic_shape('B')
    tokens = jax.ShapeDtypeStruct((batch, model.form.steps, len(model.form.sizes)), jnp.int32)
    z = jax.ShapeDtypeStruct((batch, model.latent_size), jnp.float32)
    seed, heat = (jax.ShapeDtypeStruct((), kind) for kind in (jnp.uint32, jnp.float32))
    files = {'generate.stablehlo': _exported(generate(model), z, seed, heat)}
    if 'encoder' in model.params:
        files['encode.stablehlo'] = _exported(encode(model), tokens)
    size = sum(map(len, files.values()))
    write_folder(folder, files | prior.file(model))
    return f'{" and ".join(sorted(files))}, {size / 1e6:.1f} MB'


def _exported(function: Callable[..., Any], *arguments: jax.ShapeDtypeStruct) -> bytes:
    return bytes(export.export(jax.jit(function), platforms=_PLATFORMS)(*arguments).serialize())


def encode(model: MusicVAE) -> Callable[..., Any]:
    """tokens int32 [B, T, K] -> mu and sigma, float32 [B, Z]."""

    def function(tokens: jax.Array) -> tuple[jax.Array, ...]:
        widths = [len(sizes) for _, sizes in model.form.layout]
        streams = jnp.split(tokens, np.cumsum(widths)[:-1], axis=-1)
        return tuple(vae.encode(model.params, model.architecture, streams))

    return function


def generate(model: MusicVAE) -> Callable[..., Any]:
    """z float32 [B, Z], seed, temperature -> tokens int32 [B, T, K], as `decode_tokens` gives them.

    The same tokens, that is, for up to 256 rows at once.
    """
    cfg = model.architecture

    def function(z: jax.Array, seed: jax.Array, temperature: jax.Array) -> jax.Array:
        streams = vae.generate(model.params, cfg, z, key_of(seed, 0), temperature)
        tokens = jnp.concatenate(streams, -1)
        return _held(model, z, tokens) if cfg.codes > 1 else tokens

    return function


def _held(model: MusicVAE, z: jax.Array, tokens: jax.Array) -> jax.Array:
    """Tokens [B, T, K] in which what has the same code in z is the same: see `decode_tokens`."""
    cfg, bars = model.architecture, model.form.segments
    codes = z.reshape(z.shape[0], bars, cfg.parts, -1)
    apart = jnp.abs(codes[:, :, None] - codes[:, None]).max(-1)  # [B, U, V, K]
    first = ((apart < EQUAL) & jnp.tri(bars, dtype=bool)[:, :, None]).argmax(2)  # [B, U, K]
    for _ in range(bars.bit_length()):  # the first of the first, and so on
        first = jnp.take_along_axis(first, first, 1)
    part = np.repeat(np.arange(cfg.parts), [len(sizes) for _, sizes in model.form.layout])
    by_bar = tokens.reshape(z.shape[0], bars, -1, tokens.shape[-1])
    return jnp.take_along_axis(by_bar, first[:, :, None, part], 1).reshape(tokens.shape)
