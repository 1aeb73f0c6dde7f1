"""Some bars given, the rest drawn: new music around bars that stay, by the learned prior."""

from collections.abc import Iterable

import numpy as np

from mvae.checks import check_integer, check_seed
from mvae.errors import InputError
from mvae.musicvae import MusicVAE


def infill(
    model: MusicVAE,
    tokens: np.ndarray,
    keep: Iterable[int],
    n: int = 1,
    temperature: float = 0.0,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """A piece n times, with all bars but the kept ones drawn anew, to go with these.

    The codes of the kept bars are those that the encoder gives them; the prior draws the others.
    The kept bars themselves stay note for note.

    Args:
        tokens: the piece, int [T, K]. keep: bars, from 0. n: how many. temperature: of the bars
            drawn, 0 is greedy.

    Returns:
        tokens int32 [n, T, K], and their z float32 [n, Z].

    Raises:
        InputError: the model has no learned prior, or no code for each bar; bars that are not
            there, or all of them.
    """
    bars, learned = model.form.bars, model.learned
    if learned is None:
        raise InputError(
            'this model has no learned prior, which draws bars that go with others; '
            'mvae prior RUN learns one'
        )
    if learned.config.tokens != bars or bars == 1:
        raise InputError(
            'this model has one code for all bars of a piece, so that none can be kept; '
            'one with model.bar_codes has a code for each'
        )
    known = np.zeros(bars, bool)
    known[list(_check_bars(keep, bars))] = True
    piece = model.form.check(np.asarray(tokens)[None])
    n = check_integer('a number of pieces', n, 1)
    mu = model.encode_tokens(piece).mu
    z = learned.fill(np.repeat(mu, n, 0), known, check_seed(seed))
    drawn = model.decode_tokens(z, temperature, seed)
    stays = np.repeat(known, len(piece[0]) // bars)[None, :, None]
    return np.where(stays, piece, drawn).astype(np.int32), z


def _check_bars(keep: Iterable[int], bars: int) -> set[int]:
    kept = set(keep)
    if wrong := sorted(bar for bar in kept if not 0 <= bar < bars):
        raise InputError(f'there is no bar {wrong[0] + 1}: the piece has {bars}')
    if len(kept) == bars:
        raise InputError(f'all {bars} bars are to be kept: nothing is left to draw')
    return kept
