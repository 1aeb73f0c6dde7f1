"""Some bars or parts given, the rest drawn: new music around what stays, by the learned prior."""

from collections.abc import Iterable

import numpy as np

from mvae.checks import check_integer, check_seed
from mvae.errors import InputError
from mvae.music.form import Form
from mvae.musicvae import MusicVAE


def infill(
    model: MusicVAE,
    tokens: np.ndarray,
    keep: Iterable[int] = (),
    n: int = 1,
    temperature: float = 0.0,
    seed: int = 0,
    keep_parts: Iterable[str] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """A piece n times, with all but the kept bars and parts drawn anew, to go with these.

    The codes of what is kept are those that the encoder gives it; the prior draws the others. What
    is kept stays note for note.

    Args:
        tokens: the piece, int [T, K]. keep: bars of which all parts are kept, from 0. n: how many.
        temperature: of what is drawn, 0 is greedy. keep_parts: names of the form's streams that are
            kept in all bars.

    Returns:
        tokens int32 [n, T, K], and their z float32 [n, Z].

    Raises:
        InputError: the model has no learned prior, or no code for each bar; bars or parts that are
            not there, or all of them.
    """
    learned = model.learned
    if learned is None:
        raise InputError(
            'this model has no learned prior, which draws bars that go with others; '
            'mvae prior RUN learns one'
        )
    if learned.config.tokens == 1:
        raise InputError(
            'this model has one code for all bars of a piece, so that none can be kept; '
            'one with model.bar_codes has a code for each'
        )
    if learned.config.bars != model.form.bars:
        raise InputError(
            f'the codes of this model are those of the players of a {model.form.name}, not of bars'
        )
    known = _known(model.form, set(keep), set(keep_parts))
    piece = model.form.check(np.asarray(tokens)[None])
    n = check_integer('a number of pieces', n, 1)
    mu = model.encode_tokens(piece).mu
    z = learned.fill(np.repeat(mu, n, 0), known, check_seed(seed))
    drawn = model.decode_tokens(z, temperature, seed, model.told_of(np.repeat(piece, n, 0)))
    stays = np.repeat(known, len(piece[0]) // len(known), 0)
    pairs = zip(stays.T, model.form.split(piece), model.form.split(drawn), strict=True)
    streams = [np.where(kept[:, None], given, new) for kept, given, new in pairs]
    return model.form.join([*streams, *model.form.told(drawn)]), z


def _known(form: Form, bars: set[int], parts: set[str]) -> np.ndarray:
    """Which bars of which parts stay, bool [U, K]."""
    names = [stream.name for stream in form.streams]
    if wrong := sorted(bar for bar in bars if not 0 <= bar < form.bars):
        raise InputError(f'there is no bar {wrong[0] + 1}: the piece has {form.bars}')
    if unknown := sorted(parts - set(names)):
        raise InputError(f'there is no part {unknown[0]!r}: this model has {", ".join(names)}')
    known = np.zeros((form.bars, len(names)), bool)
    known[list(bars)] = True
    known[:, [name in parts for name in names]] = True
    if known.all():
        raise InputError(f'all {form.bars} bars are to be kept: nothing is left to draw')
    return known
