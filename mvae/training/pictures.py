"""What a model in training plays: samples and reconstructions as MIDI and piano rolls."""

import functools
from pathlib import Path

import jax
import numpy as np

from mvae.config import ModelConfig
from mvae.model import vae
from mvae.music.vocabulary import Vocabulary
from mvae.render.pianoroll import draw
from mvae.render.pieces import write_piece

_generate = functools.partial(jax.jit, static_argnames='cfg')(vae.generate)
_encode = functools.partial(jax.jit, static_argnames='cfg')(vae.encode)


def write_pictures(
    folder: Path, params: dict, cfg: ModelConfig, kind: str, vocabulary: Vocabulary, tokens: np.ndarray, temperature: float, seed: int
) -> None:
    """n samples of the prior and greedy reconstructions of tokens int [n, T, K], one MIDI each, and a picture of either lot.

    The same z at every evaluation, so that one sees the music grow. Raises InputError where the folder cannot be written.
    """
    if not len(tokens):
        return
    z_key, draw_key = jax.random.split(jax.random.key(seed))
    z = jax.random.normal(z_key, (len(tokens), cfg.latent_size))
    samples = np.asarray(_generate(params, cfg=cfg, z=z, key=draw_key, temperature=temperature))
    mu = _encode(params, cfg=cfg, tokens=tokens).mu
    copies = np.asarray(_generate(params, cfg=cfg, z=mu, key=draw_key, temperature=0.0))
    pairs = []
    for n, (sample, original, copy) in enumerate(zip(samples, tokens, copies, strict=True)):
        named = {f'sample_{n + 1}': sample, f'original_{n + 1}': original, f'reconstruction_{n + 1}': copy}
        for name, piece in named.items():
            write_piece(folder / f'{name}.mid', piece, kind, vocabulary, title=name)
        pairs += [(f'original {n + 1}', original), (f'reconstruction {n + 1}', copy)]
    draw(folder / 'samples.png', [(f'sample {n + 1}', sample) for n, sample in enumerate(samples)], kind, vocabulary)
    draw(folder / 'reconstructions.png', pairs, kind, vocabulary)
