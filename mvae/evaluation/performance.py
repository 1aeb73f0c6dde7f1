"""How drums are played: hits, velocity and timing of reconstructions, beside trivial baselines."""

from typing import Any, NamedTuple

import numpy as np

from mvae.dataset.loader import Loader
from mvae.dataset.store import Store
from mvae.evaluation.statistics import share_interval
from mvae.music.form import Form
from mvae.music.groove import GrooveCodec, Played, played
from mvae.musicvae import MusicVAE

_TRAINING = 8192  # windows of the training split, at most, that a usual groove is made of
_AT_ONCE = 256
_MS_OF_STEP = 125.0  # sixteenths at 120 quarters per minute


def evaluate_performance(
    model: MusicVAE, store: Store, split: str = 'test', limit: int | None = None, seed: int = 0
) -> dict[str, Any]:
    """How drums with velocity and timing come back, greedily, from mu; {} for models without any.

    limit: at most so many windows, drawn by the seed.

    Returns for each such stream
        hits: F1 of hits, each at its step and class;
        velocity: mean absolute error in MIDI's 0 to 127;
        timing: mean absolute error in milliseconds at 120 quarters per minute.
    Each is {model, interval (95%, bootstrap over songs), baseline}. Errors are of the hits that the
    model has too. The baseline knows the step of the bar and the class alone: it hits where more
    than half of the training's bars do, with their mean velocity and offset there.
    """
    streams = [n for n, s in enumerate(model.form.streams) if isinstance(s.codec, GrooveCodec)]
    if not streams:
        return {}
    loader = Loader(store, model.form, None, seed)
    usual = {n: _usual(loader, n) for n in streams}
    _, song = np.unique(loader.evaluation_songs(split, limit), return_inverse=True)
    sums = {n: np.zeros((song.max() + 1, 2, 3, 2)) for n in streams}
    done = 0
    for tokens in loader.evaluation_pieces(split, _AT_ONCE, limit):
        copies = model.reconstruct_tokens(tokens)
        of = song[done : done + len(tokens)]
        done += len(tokens)
        true, said = model.form.split(tokens), model.form.split(copies)
        for n in streams:
            own = _errors(played(true[n]), played(said[n]), _repeated(usual[n], model.form))
            np.add.at(sums[n], of, own)
    return {model.form.streams[n].name: _row(sums[n], seed) for n in streams}


class _Usual(NamedTuple):
    """The groove of one bar that knows the place alone, [S, 9] each, as in `Played`."""

    hits: np.ndarray
    velocity: np.ndarray
    late: np.ndarray


def _usual(loader: Loader, stream: int) -> _Usual:
    """Of the training split. A class has its mean where it is never hit."""
    form = loader.form
    sums, bars = np.zeros((3, form.steps_per_bar, 9)), 0
    for tokens in loader.evaluation_pieces('train', _AT_ONCE, _TRAINING):
        own = played(form.split(tokens)[stream])
        parts = own.hits, own.hits * own.velocity, own.hits * own.late
        by_bar = np.stack([x.reshape(-1, form.steps_per_bar, 9) for x in parts])
        sums += by_bar.sum(1)
        bars += by_bar.shape[1]
    often = sums[0] > bars / 2
    hits, velocity, late = np.where(sums[:1] > 0, sums, sums.sum(1, keepdims=True))
    return _Usual(often, velocity / np.maximum(hits, 1), late / np.maximum(hits, 1))


def _repeated(usual: _Usual, form: Form) -> Played:
    """In every bar of a window, [1, T, 9] each."""
    return Played(*(np.tile(part, (form.bars, 1))[None] for part in usual))


def _errors(true: Played, said: Played, usual: Played) -> np.ndarray:
    """Of each window [N], of model and baseline, of hits, velocity and timing: sum and count.

    float64 [N, 2, 3, 2]. F1 is twice the common hits over the hits of both.
    """
    both = true.hits & said.hits
    counts = both.sum((1, 2))
    rows = []
    for guess in (said, usual):
        common = (true.hits & guess.hits).sum((1, 2))
        total = true.hits.sum((1, 2)) + np.broadcast_to(guess.hits, true.hits.shape).sum((1, 2))
        velocity = (abs(guess.velocity - true.velocity) * both).sum((1, 2))
        late = (abs(guess.late - true.late) * both).sum((1, 2)) * _MS_OF_STEP
        rows.append([(2 * common, total), (velocity, counts), (late, counts)])
    return np.moveaxis(np.array(rows, np.float64), -1, 0)


def _row(sums: np.ndarray, seed: int) -> dict[str, Any]:
    """sums [songs, 2, 3, 2] of `_errors`."""
    row = {}
    for n, name in enumerate(('hits', 'velocity', 'timing')):
        (model, count), (usual, usual_count) = sums[:, 0, n].T, sums[:, 1, n].T
        interval = share_interval(model, count, seed)
        row[name] = {
            'model': _ratio(model, count),
            'interval': interval,
            'baseline': _ratio(usual, usual_count),
        }
    return row


def _ratio(hits: np.ndarray, counts: np.ndarray) -> float | None:
    return float(hits.sum() / counts.sum()) if counts.sum() else None


_UNITS = {'hits': 'F1', 'velocity': 'off, of 127', 'timing': 'ms off, at 120'}


def format_performance(measured: dict[str, Any]) -> str:
    """What `evaluate_performance` found, for people."""
    lines = []
    for stream, row in measured.items():
        for name, found in row.items():
            model, usual = (
                '-' if x is None else f'{x:.3f}' for x in (found['model'], found['baseline'])
            )
            low, high = found['interval'] or (None, None)
            sure = '' if low is None else f' ({low:.3f} to {high:.3f})'
            label = f'{stream}: {name}'
            lines.append(f'{label:>18}  {model}{sure} {_UNITS[name]}; the usual groove {usual}')
    return '\n'.join(lines)
