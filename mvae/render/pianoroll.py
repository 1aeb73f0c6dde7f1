"""Pieces as piano rolls: time to the right, pitch upwards.

Melody and bass share one staff; drums have a strip of their own below.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mvae.music.drums import decode_drums
from mvae.music.melody import decode_line
from mvae.music.pieces import STEPS_PER_BAR
from mvae.music.vocabulary import DRUM_CLASSES, DRUM_PITCHES, STREAMS, Vocabulary
from mvae.render.figures import save

# Of Okabe and Ito: told apart by colour-blind eyes too.
_COLOURS = {'melody': '#0072B2', 'bass': '#D55E00', 'drums': '#444444'}
_DRUM_NAMES = (
    'kick',
    'snare',
    'closed hat',
    'open hat',
    'low tom',
    'mid tom',
    'high tom',
    'crash',
    'ride',
)
_MOST_ROWS = 24


def draw(
    path: str | Path, pieces: Sequence[tuple[str, np.ndarray]], kind: str, vocabulary: Vocabulary
) -> None:
    """One PNG with a row for each (title, tokens int [T, K]), at most 24.

    All rows have the same range of pitches. Raises InputError where the file cannot be written.
    """
    from matplotlib.figure import Figure

    pieces = list(pieces)[:_MOST_ROWS]
    streams = STREAMS[kind]
    heights = ([3.0] if streams != ('drums',) else []) + (
        [1.8 if len(streams) > 1 else 2.0] if 'drums' in streams else []
    )
    steps = max(len(tokens) for _, tokens in pieces)
    figure = Figure(
        figsize=(min(16, max(7, 2 + steps / 18)), 0.55 * len(pieces) * sum(heights) + 0.6),
        layout='constrained',
    )
    axes = figure.subplots(
        len(pieces) * len(heights),
        1,
        squeeze=False,
        sharex=True,
        height_ratios=heights * len(pieces),
    )[:, 0]
    low, high = _range(pieces, streams, vocabulary)
    for row, (title, tokens) in enumerate(pieces):
        own = list(axes[row * len(heights) : (row + 1) * len(heights)])
        own[0].set_title(title, loc='left', fontsize=9, pad=3)
        columns = dict(zip(streams, np.asarray(tokens).reshape(len(tokens), -1).T, strict=True))
        if 'drums' in columns:
            _draw_drums(own.pop(), columns.pop('drums'))
        if columns:
            _draw_lines(own.pop(), columns, vocabulary, low, high)
    for axis in axes:
        axis.set_xlim(0, steps)
        axis.set_xticks(
            range(0, steps + 1, STEPS_PER_BAR),
            [str(n + 1) for n in range(steps // STEPS_PER_BAR)] + [''],
        )
        axis.grid(axis='x', color='#bbbbbb', linewidth=0.8)
        axis.set_axisbelow(True)
        axis.tick_params(length=0, labelsize=7)
        axis.spines[:].set_color('#bbbbbb')
    axes[-1].set_xlabel('bar', fontsize=8)
    save(path, figure)


def _range(
    pieces: Sequence[tuple[str, np.ndarray]], streams: tuple[str, ...], vocabulary: Vocabulary
) -> tuple[int, int]:
    """The lowest and highest pitch of all pieces, at least an octave apart."""
    pitches = [60]
    for _, tokens in pieces:
        for stream, column in zip(
            streams, np.asarray(tokens).reshape(len(tokens), -1).T, strict=True
        ):
            if stream != 'drums':
                pitches += decode_line(column, vocabulary).pitch.tolist()
    pitches = pitches[1:] or pitches
    return min(pitches) - 2, max(max(pitches) + 2, min(pitches) + 12)


def _draw_boxes(
    axis, left: np.ndarray, width: np.ndarray, middle: np.ndarray, height: float, stream: str
) -> None:
    """All boxes as one artist: a patch for each note takes seconds in a dense piece."""
    from matplotlib.collections import PolyCollection

    right, bottom, top = left + width, middle - height / 2, middle + height / 2
    corners = np.stack(
        [np.stack([left, left, right, right], -1), np.stack([bottom, top, top, bottom], -1)], -1
    )
    axis.add_collection(PolyCollection(corners, facecolors=_COLOURS[stream], label=stream))


def _draw_lines(
    axis, columns: dict[str, np.ndarray], vocabulary: Vocabulary, low: int, high: int
) -> None:
    for stream, tokens in columns.items():
        line = decode_line(tokens, vocabulary)
        _draw_boxes(axis, line.start, line.end - line.start - 0.15, line.pitch, 0.9, stream)
    axis.set_ylim(low, high)
    octaves = [pitch for pitch in range(0, 128, 12) if low <= pitch <= high]
    axis.set_yticks(octaves, [f'C{pitch // 12 - 1}' for pitch in octaves])
    if len(columns) > 1:
        axis.legend(loc='upper right', fontsize=7, ncols=2, frameon=False, borderpad=0)


def _draw_drums(axis, tokens: np.ndarray) -> None:
    steps, pitches = decode_drums(tokens)
    place = {int(pitch): n for n, pitch in enumerate(DRUM_PITCHES)}
    rows = np.array([place[int(pitch)] for pitch in pitches], int)
    _draw_boxes(axis, steps, np.full(len(steps), 0.8), rows, 0.8, 'drums')
    axis.set_ylim(-0.6, DRUM_CLASSES - 0.4)
    axis.set_yticks(range(DRUM_CLASSES), _DRUM_NAMES, fontsize=5)
