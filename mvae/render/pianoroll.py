"""Pieces as piano rolls: time to the right, pitch upwards, drums on a strip of their own below.

Bars and beats have lines, and each part a colour. A semitone is as high in every picture, and so is
a drum.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pretty_midi import note_number_to_drum_name, program_to_instrument_name

from mvae.music.codec import GridNotes
from mvae.music.drums import DRUM_NAMES, DRUM_PITCHES
from mvae.music.form import Form
from mvae.render.figures import COLOURS, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRUM_COLOUR = '#444444'
_MOST_ROWS, _MOST_BY_TITLE = 24, 4
# Inches. Places are counted and not measured, which takes longer than all the drawing.
_SEMITONE, _DRUM, _BETWEEN = 0.045, 0.12, 0.06
_TITLE, _SYMBOLS, _BAR_NUMBERS = 0.27, 0.14, 0.45
_LEFT, _LETTER, _RIGHT = 0.15, 0.06, 0.15  # a letter of the names on the left


def draw(path: str | Path, pieces: Sequence[tuple[str, np.ndarray]], form: Form) -> None:
    """One PNG with a row for each (title, tokens int [T, K]); at most 24 rows.

    All rows have the same range of pitches. Raises InputError where the file cannot be written.
    """
    rows = [(title, *_notes(tokens, form)) for title, tokens in list(pieces)[:_MOST_ROWS]]
    lines = any(not stream.sound.is_drum for stream in form.streams)
    drums = any(stream.sound.is_drum for stream in form.streams) or any(hits for _, _, hits in rows)
    low, high = _range([notes for _, own, _ in rows for notes in own.values()])
    drum_names = _drum_names([notes for _, _, hits in rows for notes in hits])
    heights = [_SEMITONE * (high - low)] * lines + [_DRUM * len(drum_names)] * drums
    longest = max(len(tokens) for _, tokens in pieces)
    steps = longest * form.steps_per_bar // form.rows_per_bar
    width = min(16, max(7, 2 + steps * 4 / form.steps_per_quarter / 18))
    symbols = [form.symbols(tokens) for _, tokens in list(pieces)[:_MOST_ROWS]]
    above = [_TITLE + _SYMBOLS * bool(own) for own in symbols]
    names = max((len(name) for name in drum_names.values()), default=0) * drums
    left = _LEFT + _LETTER * max(len('C-1'), names)
    figure, axes = _stacked(heights, above, width, left)
    for (title, own_lines, hits), words, own in zip(rows, symbols, axes, strict=True):
        own[0].set_title(title, loc='left', fontsize=9, pad=13 if words else 3)
        _write_symbols(own[0], words)
        if drums:
            _draw_drums(own[-1], hits, drum_names, 0.2 * form.steps_per_quarter)
        if lines:
            _draw_lines(own[0], own_lines, low, high, 0.0375 * form.steps_per_quarter)
        for axis in own:
            _draw_bars(axis, steps, form)
    _number_bars(own[-1], steps, form)
    save(path, figure)


def _stacked(
    heights: Sequence[float], above: Sequence[float], width: float, left: float
) -> tuple['Figure', list[list[Any]]]:
    """A figure with a few axes for each piece, one below the other; all lengths in inches.

    heights: of the axes of a piece. above: what is free above each piece. left: of all axes.
    """
    from matplotlib.figure import Figure

    piece = sum(heights) + _BETWEEN * (len(heights) - 1)
    tall = sum(above) + len(above) * piece + _BAR_NUMBERS
    figure, top, rows = Figure(figsize=(width, tall)), tall + _BETWEEN, []
    for free in above:
        top, own = top - free, []
        for height in heights:
            top -= height + _BETWEEN
            wide = (width - left - _RIGHT) / width
            own.append(figure.add_axes((left / width, top / tall, wide, height / tall)))
        rows.append(own)
        top += _BETWEEN
    return figure, rows


def _notes(tokens: np.ndarray, form: Form) -> tuple[dict[str, GridNotes], list[GridNotes]]:
    """The notes of each pitched part, and those of the drums."""
    lines, drums = {}, []
    for stream, sound, notes in form.players(tokens):
        if sound.is_drum:
            drums.append(notes)
        elif stream.codec.ensemble:
            name = program_to_instrument_name(sound.program)
            lines[f'{sound.track + 1} {name}'] = notes
        else:
            lines[stream.name] = notes
    return lines, drums


def _range(lines: Sequence[GridNotes]) -> tuple[int, int]:
    """The lowest and highest pitch of all lines with some space, at least an octave apart."""
    pitches = [pitch for notes in lines for pitch in notes.pitch.tolist()] or [60]
    return min(pitches) - 2, max(max(pitches) + 2, min(pitches) + 12)


def _draw_bars(axis: Any, steps: int, form: Form) -> None:
    """Lines of beats and bars as two artists: a grid makes one for each tick of each row."""
    axis.set_xlim(0, steps)
    for every, colour, width in (
        (form.steps_per_beat, '#e4e4e4', 0.5),
        (form.steps_per_bar, '#999999', 0.8),
    ):
        of = {'transform': axis.get_xaxis_transform(), 'zorder': 0.5}
        axis.vlines(range(0, steps + 1, every), 0, 1, color=colour, linewidth=width, **of)
    axis.xaxis.set_visible(False)
    axis.tick_params(length=0, labelsize=7)
    axis.spines[:].set_color('#bbbbbb')


def _number_bars(axis: Any, steps: int, form: Form) -> None:
    axis.xaxis.set_visible(True)
    names = [str(n + 1) for n in range(steps // form.steps_per_bar)] + ['']
    axis.set_xticks(range(0, steps + 1, form.steps_per_bar)[: len(names)], names)
    axis.set_xlabel('bar', fontsize=8)


def _write_symbols(axis: Any, symbols: Sequence[tuple[int, str]]) -> None:
    """Chords and the like above a row, where they begin."""
    for step, words in symbols:
        place = {'xy': (step, 1.0), 'xycoords': ('data', 'axes fraction')}
        offset = {'xytext': (1, 2), 'textcoords': 'offset points'}
        axis.annotate(words, **place, **offset, fontsize=7, color='#555555')


def _draw_boxes(
    axis: Any,
    left: np.ndarray,
    width: np.ndarray,
    middle: np.ndarray,
    height: float,
    colour: str,
    label: str,
) -> None:
    """All boxes as one artist: a patch for each note takes seconds in a dense piece."""
    from matplotlib.collections import PolyCollection

    right, bottom, top = left + width, middle - height / 2, middle + height / 2
    x, y = np.stack([left, left, right, right], -1), np.stack([bottom, top, top, bottom], -1)
    # One array [N, 4, 2] has a fast path that matplotlib's types do not know.
    corners = np.stack([x, y], -1)
    boxes = PolyCollection(corners, facecolors=colour, label=label)  # type: ignore[arg-type]
    axis.add_collection(boxes)


def _draw_lines(axis: Any, lines: dict[str, GridNotes], low: int, high: int, gap: float) -> None:
    """gap: steps between a note and one that follows it at once."""
    for n, (name, notes) in enumerate(lines.items()):
        width = notes.end - notes.start - gap
        colour = COLOURS[n % len(COLOURS)]
        _draw_boxes(axis, notes.start, width, notes.pitch, 0.9, colour, name)
    axis.set_ylim(low, high)
    octaves = [pitch for pitch in range(0, 128, 12) if low <= pitch <= high]
    axis.set_yticks(octaves, [f'C{pitch // 12 - 1}' for pitch in octaves])
    if len(lines) > 1:
        few = {'loc': 'lower right', 'bbox_to_anchor': (1, 1), 'ncols': len(lines)}  # by the title
        place = few if len(lines) <= _MOST_BY_TITLE else {'loc': 'upper right', 'ncols': 2}
        axis.legend(fontsize=7, frameon=False, borderpad=0, **place)


def _drum_names(drums: Sequence[GridNotes]) -> dict[int, str]:
    """Pitches that have a row, from below: our drums, then whatever else is played."""
    names = {int(pitch): name for pitch, name in zip(DRUM_PITCHES, DRUM_NAMES, strict=True)}
    played = sorted({int(pitch) for notes in drums for pitch in notes.pitch})
    others = [pitch for pitch in played if pitch not in names]
    return names | {pitch: note_number_to_drum_name(pitch) or str(pitch) for pitch in others}


def _draw_drums(
    axis: Any, drums: Sequence[GridNotes], names: dict[int, str], length: float
) -> None:
    """length: of all hits, in steps."""
    place = {pitch: n for n, pitch in enumerate(names)}
    for notes in drums:
        rows = np.array([place[int(pitch)] for pitch in notes.pitch], int)
        width = np.full(len(rows), length)
        _draw_boxes(axis, notes.start, width, rows, 0.8, _DRUM_COLOUR, 'drums')
    axis.set_ylim(-0.6, len(names) - 0.4)
    axis.set_yticks(range(len(names)), list(names.values()), fontsize=7)
