"""What a model's music is like, beside the music that it has not seen: form, likeness, novelty."""

from typing import Any

import numpy as np

from mvae.dataset.loader import Loader
from mvae.dataset.store import Store
from mvae.evaluation.likeness import histograms, likeness
from mvae.evaluation.novelty import STRETCH, novelty
from mvae.evaluation.repetition import repetition
from mvae.musicvae import MusicVAE

TEMPERATURE = 0.5  # of new pieces, at most: the learned prior is played greedily


def measure_music(
    model: MusicVAE, store: Store, split: str = 'test', pieces: int = 256, seed: int = 0
) -> dict[str, Any]:
    """Form, likeness and novelty of a split, of its reconstructions, and of new pieces.

    pieces: so many of each, of the split at most as many as it has, drawn by the seed.
    Reconstructions are greedy, from mu; new pieces are of each prior of the model, at its own
    temperature and `TEMPERATURE` at most.

    Returns {pieces, temperature, of: {name: {form, likeness, novelty}}}, as `repetition`,
    `likeness` (with the split) and `novelty` give them, and of new pieces their temperature. Names
    are the split, "reconstructions", and "new, PRIOR". The split is compared with as many windows
    of the training split, which says how alike two sets of music are. Raises InputError where the
    split has no windows.
    """
    loader = Loader(store, model.form, None, seed)
    music, songs = _windows(loader, split, pieces)
    other, _ = _windows(loader, 'train', len(music))
    counted = histograms(music, model.form)

    def about(tokens: np.ndarray, of_songs: np.ndarray, own: dict[str, np.ndarray]) -> Any:
        return {
            'form': repetition(tokens, model.form, of_songs),
            'likeness': likeness(own, counted, seed),
            'novelty': novelty(tokens, model.form, of_songs, store),
        }

    def count(tokens: np.ndarray) -> dict[str, np.ndarray]:
        return histograms(tokens, model.form)

    found = {split: about(music, songs, counted)}
    found[split]['likeness'] = likeness(count(other), counted, seed)
    copies = model.reconstruct_tokens(music)
    found['reconstructions'] = about(copies, songs, count(copies))
    for name, prior in model.priors.items():
        heat = min(TEMPERATURE, prior.temperature)
        told = model.told_of(np.resize(music, (pieces, *music.shape[1:])))
        new, _ = model.sample_tokens(pieces, heat, seed, name, told=told)
        found[f'new, {name}'] = about(new, np.arange(pieces), count(new)) | {'temperature': heat}
    return {'pieces': pieces, 'temperature': TEMPERATURE, 'of': found}


def _windows(loader: Loader, split: str, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """At most so many windows of a split as tokens int32 [N, T, K], and their songs [N]."""
    batches = loader.evaluation_batches(split, limit, limit)
    rows = [loader.form.join(batch.parts)[np.asarray(batch.mask) > 0] for batch in batches]
    return np.concatenate(rows), loader.evaluation_songs(split, limit)


def format_music(measured: dict[str, Any]) -> str:
    """What `measure_music` found, for people: a row for each set of pieces and stream."""
    of = measured['of']
    distances = list(next(iter(next(iter(of.values()))['form'].values())))
    heads = [f'same after {d}' for d in distances] + [f'known {STRETCH} bars', 'longest known']
    lines = [f'{"":32}' + ''.join(f'{head:>16}' for head in heads)]
    for name, about in of.items():
        for stream, at in about['form'].items():
            known = about['novelty'][stream]
            values = [at[d]['same']['mean'] for d in distances] + [known['share']['mean']]
            cells = ''.join(f'{"-" if v is None else f"{v:.3f}":>16}' for v in values)
            lines.append(f'{f"{name}: {stream}":>32}{cells}{known["longest"]:>11.2f} bars')
    lines.append('likeness to the music, mean and worst of histogram overlaps:')
    for name, about in of.items():
        alike, label = about['likeness'], name
        worst = alike['worst']
        low, high = alike['interval'] or (alike['mean'], alike['mean'])
        lines.append(
            f'{label:>32}  {alike["mean"]:.3f} ({low:.3f} to {high:.3f}), '
            f'worst {alike["features"][worst]:.3f}, {worst}'
        )
    return '\n'.join(lines)
