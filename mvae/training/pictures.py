"""What a model in training plays: samples and reconstructions as MIDI and piano rolls."""

from pathlib import Path

import numpy as np

from mvae.musicvae import MusicVAE
from mvae.render import pianoroll
from mvae.render.collection import collection
from mvae.render.pieces import write_piece


def write_pictures(
    folder: Path, model: MusicVAE, originals: np.ndarray, temperature: float, seed: int
) -> None:
    """n samples and greedy reconstructions of originals int [n, T, K], and a picture of either lot.

    The same noise at every evaluation, so that one sees the music grow. Raises InputError where the
    folder cannot be written.
    """
    if not len(originals):
        return
    count, form = len(originals), model.form
    z = model.priors[model.usual_prior].draw(count, seed)
    samples = model.decode_tokens(z, temperature, seed, model.told_of(originals))
    copies = model.reconstruct_tokens(originals)
    pairs = []
    with collection(folder) as beside:
        for n, pieces in enumerate(zip(samples, originals, copies, strict=True), 1):
            names = f'sample_{n}', f'original_{n}', f'reconstruction_{n}'
            for name, piece in zip(names, pieces, strict=True):
                write_piece(beside / f'{name}.mid', piece, form, title=name)
            pairs += [(f'original {n}', pieces[1]), (f'reconstruction {n}', pieces[2])]
        titles = [(f'sample {n}', sample) for n, sample in enumerate(samples, 1)]
        pianoroll.draw(beside / 'samples.png', titles, form)
        pianoroll.draw(beside / 'reconstructions.png', pairs, form)
