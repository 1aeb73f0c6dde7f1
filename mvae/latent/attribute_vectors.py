"""Directions of the latent space along which an attribute grows (paper section 5.3)."""

import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from scipy import stats

from mvae.errors import InputError
from mvae.files import Missing, conform, damaged, read_json, write_json
from mvae.latent.attributes import Attribute, values_of
from mvae.musicvae import MusicVAE
from mvae.progress import progress

VERSION = 1  # of the file
_REMEDY = 'fit again'
SIGNS = {'add': 1, 'subtract': -1}
_LEAST_SHARE = 0.01  # of the pieces: the mean of fewer is noise
_ENCODED_AT_ONCE = 256
_RESAMPLES = 2000


class AttributeVector(NamedTuple):
    """A direction of the latent space.

    vector: float32 [Z], the difference of two means. low, high: one mean is of the pieces whose
    attribute is at most low, the other of those where it is at least high. bottom, top: how many
    pieces these are.
    """

    vector: np.ndarray
    low: float
    high: float
    bottom: int
    top: int


class _KeptVector(msgspec.Struct):
    vector: list[float]
    low: float
    high: float
    bottom: int
    top: int


class _Kept(msgspec.Struct):
    """What `save` writes; and what made it, which is the commands'."""

    version: int
    latent_size: int
    pieces: int
    skipped: dict[str, str]
    vectors: dict[str, _KeptVector]
    data: str = ''
    own: list[str] = []


class Fitted(NamedTuple):
    """What `fit` finds.

    vectors: by attribute. skipped: attributes that hardly vary, and why they have no vector.
    pieces: how many there were.
    """

    vectors: dict[str, AttributeVector]
    skipped: dict[str, str]
    pieces: int


def fit(
    model: MusicVAE,
    tokens: np.ndarray,
    attributes: dict[str, Attribute],
    name: Callable[[int], str] = 'piece {}'.format,
) -> Fitted:
    """Vectors of tokens int [B, T, K]: mean mu of an attribute's top quartile less the bottom's.

    Quartiles go by value. All pieces at or beyond a quartile's edge belong to it, so that ties do
    not depend on their order. Where more than half of the pieces share one value, both edges are
    this value. Then the groups are the pieces above and the pieces below it. The pieces at the
    value take the place of a group of at most 1% of the pieces. Where both groups are as small, the
    attribute is skipped.

    name: what to call piece number n in a message. Raises InputError where all attributes are
    skipped, and as `values_of` does.
    """
    if not len(tokens):
        raise InputError('there are no pieces to find attribute vectors with')
    values = values_of(tokens, model.form, attributes, name)
    parts = [tokens[i : i + _ENCODED_AT_ONCE] for i in range(0, len(tokens), _ENCODED_AT_ONCE)]
    shown = progress(parts, 'encode', unit='batch', leave=False)
    mu = np.concatenate([model.encode_tokens(part).mu for part in shown])
    vectors, skipped = {}, {}
    for title, column in zip(attributes, values.T, strict=True):
        low, high = _edges(column)
        if low == high:
            skipped[title] = (
                f'{(column == low).sum()} of {len(column)} pieces have the same {title}, {low:.3g}'
            )
            continue
        bottom, top = column <= low, column >= high
        vector = mu[top].mean(0, np.float64) - mu[bottom].mean(0, np.float64)
        vectors[title] = AttributeVector(
            vector.astype(np.float32), low, high, int(bottom.sum()), int(top.sum())
        )
    if not vectors:
        raise InputError(f'no attribute varies enough for a vector: {"; ".join(skipped.values())}')
    return Fitted(vectors, skipped, len(tokens))


def _edges(column: np.ndarray) -> tuple[float, float]:
    """The highest value of the bottom group and the lowest of the top group.

    They are equal where there are no two groups.
    """
    column = np.sort(column)
    quarter = -(-len(column) // 4)
    low, high = column[quarter - 1], column[-quarter]
    if low == high:
        below, above = column[column < low], column[column > high]
        fewest = _LEAST_SHARE * len(column)
        low = below.max() if len(below) > fewest else low
        high = above.min() if len(above) > fewest else high
    return float(low), float(high)


def apply(z: np.ndarray, vector: np.ndarray, amount: float) -> np.ndarray:
    """z float [B, Z] moved by `amount` times an attribute's vector [Z]: float32 [B, Z].

    Raises InputError for amounts not finite or too large.
    """
    with np.errstate(over='ignore', invalid='ignore'):
        exact = np.asarray(z, np.float64) + amount * np.asarray(vector, np.float64)
        moved = exact.astype(np.float32)
    if not (np.isfinite(amount) and np.isfinite(moved).all()):
        raise InputError(f'an amount is a finite number, such as -1 or 0.5, not {amount}')
    return moved


def measure(
    model: MusicVAE,
    fitted: Fitted,
    attributes: dict[str, Attribute],
    n: int = 256,
    amount: float = 1.0,
    temperature: float = 0.0,
    seed: int = 0,
) -> dict[str, Any]:
    """What every vector does to every attribute, added to n samples of N(0, I) and subtracted.

    A change is that of the mean over the pieces, in per cent of the absolute mean before: single
    pieces often have a zero, to which no per cent refer. It is None where the mean before is zero.
    A piece is drawn with the same noise before and after.

    Returns before {attribute: its mean over the n decoded pieces}, and for 'add' and 'subtract'
    each {change, interval}: {vector: {attribute: ...}}. Intervals are of 95% (percentile bootstrap
    over pieces), or None.
    """

    def values(tokens: np.ndarray, what: str = '') -> np.ndarray:
        return values_of(tokens, model.form, attributes, lambda i: f'sample {i}{what}')

    tokens, z = model.sample_tokens(n, temperature, seed, 'standard')
    before = values(tokens)
    result: dict[str, Any] = {'before': dict(zip(attributes, before.mean(0).tolist(), strict=True))}
    for word, sign in SIGNS.items():
        result[word] = {'change': {}, 'interval': {}}
        for title, found in progress(fitted.vectors.items(), word, unit='vector', leave=False):
            tokens = model.decode_tokens(apply(z, found.vector, sign * amount), temperature, seed)
            after = values(tokens, f' with {sign * amount:+g} {title}')
            change, interval = _per_cent(before, after), _intervals(before, after, seed)
            result[word]['change'][title] = dict(zip(attributes, change, strict=True))
            result[word]['interval'][title] = dict(zip(attributes, interval, strict=True))
    return result


def format_effects(result: dict[str, Any]) -> str:
    """What `measure` returns, for people: tables for adding and subtracting, a row per vector."""
    left = max(map(len, ['mean before', *result['add']['change']]))
    widths = [max(len(title), 6) + 2 for title in result['before']]

    def row(head: str, cells: Iterable[str]) -> str:
        padded = (f'{cell:>{width}}' for cell, width in zip(cells, widths, strict=True))
        return f'{head:{left}}' + ''.join(padded)

    means = [f'{x:.3g}' for x in result['before'].values()]
    lines = [row('', result['before']), row('mean before', means)]
    for word in SIGNS:
        lines += ['', f'{word} the vector: change of the mean in per cent']
        for title, cells in result[word]['change'].items():
            lines.append(row(title, ['-' if x is None else f'{x:+.1f}' for x in cells.values()]))
    return '\n'.join(lines)


def _change(before: np.ndarray, after: np.ndarray, axis: int) -> np.ndarray:
    mean = before.mean(axis)
    with np.errstate(divide='ignore', invalid='ignore'):
        return 100 * (after.mean(axis) - mean) / np.abs(mean)


def _per_cent(before: np.ndarray, after: np.ndarray) -> list[float | None]:
    return [float(x) if np.isfinite(x) else None for x in _change(before, after, 0)]


def _intervals(
    before: np.ndarray, after: np.ndarray, seed: int
) -> list[tuple[float, float] | None]:
    """Of each column of before and after [n, K], whose rows are the same pieces."""
    if len(before) < 2:
        return [None] * before.shape[1]
    with warnings.catch_warnings():
        # Columns that never change, and resamples whose mean before is zero, have no interval.
        warnings.simplefilter('ignore')
        interval = stats.bootstrap(
            (before, after),
            _change,
            axis=0,
            n_resamples=_RESAMPLES,
            batch=100,
            paired=True,
            vectorized=True,
            method='percentile',
            rng=seed,
        ).confidence_interval
    ends = np.stack([interval.low, interval.high], -1)
    return [
        (float(low), float(high)) if np.isfinite([low, high]).all() else None for low, high in ends
    ]


def save(path: str | Path, fitted: Fitted, about: dict[str, Any]) -> None:
    """Writes the vectors as JSON, with what made them.

    about: checkpoint, data and settings, JSON values. Raises InputError where the file cannot be
    written.
    """
    vectors = {
        title: {**v._asdict(), 'vector': v.vector.tolist()} for title, v in fitted.vectors.items()
    }
    found = {'pieces': fitted.pieces, 'skipped': fitted.skipped, 'vectors': vectors}
    write_json(path, {'version': VERSION, **about, **found})


def load(path: str | Path, checkpoint: dict[str, Any]) -> tuple[Fitted, dict[str, Any]]:
    """What `save` wrote, and all that the file says.

    checkpoint: entries of `about` that must be the same, such as step and latent_size.

    Raises InputError where there is no such file, it is damaged, or it was made of another
    checkpoint.
    """
    try:
        about = read_json(path, dict[str, Any], _REMEDY)
    except Missing:
        what = 'does not exist; find the vectors first: mvae attributes fit'
        raise InputError(f'{path} {what}') from None
    kept = conform(about, _Kept, path, _REMEDY)
    if kept.version != VERSION:
        raise InputError(f'{path} has version {kept.version}, this mvae reads {VERSION}; {_REMEDY}')
    differing = [
        f'{name} {str(about.get(name))[:80]} instead of {value}'
        for name, value in checkpoint.items()
        if about.get(name) != value
    ]
    if differing:
        raise InputError(
            f'{path} was made of another checkpoint ({", ".join(differing)}); {_REMEDY}'
        )
    vectors = {title: _read(title, v, kept.latent_size, path) for title, v in kept.vectors.items()}
    return Fitted(vectors, kept.skipped, kept.pieces), about


def _read(title: str, kept: _KeptVector, size: int, path: str | Path) -> AttributeVector:
    with np.errstate(over='ignore'):
        vector = np.array(kept.vector, np.float32)
    if vector.shape != (size,) or not np.isfinite(vector).all():
        raise damaged(path, f'{title} is no vector of {size} numbers', _REMEDY)
    return AttributeVector(vector, kept.low, kept.high, kept.bottom, kept.top)
