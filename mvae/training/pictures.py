"""What a model in training plays: samples and reconstructions as MIDI and piano rolls."""

import functools
from pathlib import Path

import jax
import numpy as np

from mvae.config import ModelConfig
from mvae.model import vae
from mvae.model.prior import Prior, draw
from mvae.music.vocabulary import Vocabulary
from mvae.render import pianoroll
from mvae.render.pieces import write_piece

_generate = functools.partial(jax.jit, static_argnames='cfg')(vae.generate)
_encode = functools.partial(jax.jit, static_argnames='cfg')(vae.encode)


def write_pictures(
    folder: Path,
    params: dict,
    cfg: ModelConfig,
    kind: str,
    vocabulary: Vocabulary,
    tokens: np.ndarray,
    prior: Prior,
    temperature: float,
    seed: int,
) -> None:
    """n samples of a prior and greedy reconstructions of tokens int [n, T, K], one MIDI each, and a
    picture of either lot.

    The same noise at every evaluation, so that one sees the music grow. Raises InputError where the
    folder cannot be written.
    """
    if not len(tokens):
        return
    draw_key = jax.random.key(seed)
    samples = np.asarray(
        _generate(
            params, cfg=cfg, z=draw(prior, len(tokens), seed), key=draw_key, temperature=temperature
        )
    )
    mu = _encode(params, cfg=cfg, tokens=tokens).mu
    copies = np.asarray(_generate(params, cfg=cfg, z=mu, key=draw_key, temperature=0.0))
    pairs = []
    for n, (sample, original, copy) in enumerate(zip(samples, tokens, copies, strict=True)):
        named = {
            f'sample_{n + 1}': sample,
            f'original_{n + 1}': original,
            f'reconstruction_{n + 1}': copy,
        }
        for name, piece in named.items():
            write_piece(folder / f'{name}.mid', piece, kind, vocabulary, title=name)
        pairs += [(f'original {n + 1}', original), (f'reconstruction {n + 1}', copy)]
    pianoroll.draw(
        folder / 'samples.png',
        [(f'sample {n + 1}', sample) for n, sample in enumerate(samples)],
        kind,
        vocabulary,
    )
    pianoroll.draw(folder / 'reconstructions.png', pairs, kind, vocabulary)
