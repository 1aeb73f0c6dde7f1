"""Reads public-domain fiddle tunes into melodies on a grid of sixteenths.

The music21 wheel ships the tunes as ABC text. `abc_text` reads the ABC, `bars` puts repeats and
bars in order; here they become notes on the grid.

Bars: 4/4, C, 2/2 and C| bars have 16 sixteenths. A 2/4 tune is read at double length (a reel
written in 2/4 with sixteenths is the same reel as one written in C| with eighths), so that its bar
too has 16 steps. Other meters are left out.

Repeats: played as written, with first and second endings, so a tune of two parts becomes A A B B,
as musicians play it. A tune that still has fewer than 24 bars is played again from the top.

Upbeats: the one at the very front is padded with rest on its left to a whole bar; at later joins
the upbeat fills up the last bar of the part before it.

Quantisation: an onset goes to the nearest sixteenth, halves go up (an eighth-note triplet starts at
steps 0, 1, 3 of its 4); of two notes on one step the first stays. Tuplets are always accepted,
other onsets off the grid only in a few places.
"""

import dataclasses
import math
import re
from fractions import Fraction

import numpy as np

from mvae.demo.abc_text import Fragment, Note, Source, read_fragments, read_header, shift
from mvae.demo.bars import BAR, assemble, mark_parts, play
from mvae.demo.drops import Drop, DroppedError

_SCALE = {'4/4': 4, 'C': 4, 'C|': 4, '2/2': 4, '2/4': 8}  # meter -> steps per quarter note
_MIN_BARS, _SHORT_BARS, _LONG_BARS, _MAX_BARS = 6, 24, 72, 104
# So many off-grid onsets outside tuplets are ornaments; more is another kind of music.
_OFF_GRID = 4
_DROPPED_NOTES = 0.05  # share of notes that may vanish because their step is taken


@dataclasses.dataclass(frozen=True)
class Tune:
    """A melody on the grid, repeats played. Arrays are sorted and do not overlap.

    start, end: int32 [N] in sixteenth steps.
    pitch: int16 [N].
    bars: number of bars of 16 steps.
    sections: ((first bar, label), ...), one for each time a part is played; labels 'A', 'B', ... by
    part.
    sharps: key signature (negative: flats).
    mode: as written ('major', 'minor', 'dorian', 'mixolydian', ...).
    """

    collection: str
    number: int
    title: str
    rhythm: str
    sharps: int
    mode: str
    start: np.ndarray
    end: np.ndarray
    pitch: np.ndarray
    bars: int
    sections: tuple[tuple[int, str], ...]


def read_tune(source: Source) -> Tune:
    """Reads one ABC tune. Raises DroppedError with the reason where it gives no usable melody."""
    header = read_header(source.text)
    meter = header.get('M', '').replace(' ', '')
    if meter not in _SCALE:
        raise DroppedError(Drop.METER, meter)
    fragments, marks, key = _read_fragments(source.text, _SCALE[meter])
    mark_parts(fragments, marks)
    bars, sections = _bars_and_sections(fragments, play(fragments, marks))
    start, end, pitch = _quantise(bars)
    if len(start) < len(bars):
        raise DroppedError(Drop.SHORT, f'{len(start)} notes')
    return Tune(
        collection=source.collection,
        number=source.number,
        title=_tidy_title(header.get('T', '')) or f'{source.collection} {source.number}',
        rhythm=header.get('R', '').strip().lower(),
        sharps=key[0],
        mode=key[1],
        start=start,
        end=end,
        pitch=pitch,
        bars=len(bars),
        sections=tuple((bar, _label(part)) for bar, part in sections if bar < len(bars)),
    )


def _read_fragments(
    text: str, per_quarter: int
) -> tuple[list[Fragment], list[tuple[int, str]], tuple[int, str]]:
    from music21.exceptions21 import Music21Exception

    try:
        return read_fragments(text, per_quarter)
    # What music21 raises for text that it does not understand.
    except (Music21Exception, ValueError, IndexError, KeyError, TypeError, AttributeError) as err:
        raise DroppedError(Drop.UNREADABLE, str(err)) from err


def _bars_and_sections(
    fragments: list[Fragment], played: list[Fragment]
) -> tuple[list[list[Note]], list[tuple[int, int]]]:
    """Bars and sections of a usable length.

    A tune that is very long with its repeats has each part once. A short one is played again, as
    fiddlers do, which makes room for windows of 16 bars.
    """
    bars, sections = assemble(played)
    if len(bars) > _LONG_BARS:
        bars, sections = assemble(fragments)
    if len(bars) < _MIN_BARS:
        raise DroppedError(Drop.SHORT, f'{len(bars)} bars')
    while len(bars) < _SHORT_BARS:
        played = played + played
        bars, sections = assemble(played)
    return bars[:_MAX_BARS], sections


def _label(part: int) -> str:
    """0 -> 'A', 1 -> 'B', ...; from 25 on 'Z'."""
    return chr(ord('A') + min(part, 25))


def _tidy_title(title: str) -> str:
    """'Kildare Fancy, The' -> 'The Kildare Fancy'; '7th Regiment -- Reel' -> '7th Regiment'."""
    title = re.sub(r'\s+--\s+.*$', '', title.strip().strip('"'))
    return re.sub(r'^(.*), (The|A|An)$', r'\2 \1', title).strip()


def _quantise(bars: list[list[Note]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bars of exact notes -> (start, end, pitch) on the grid.

    Raises DroppedError where too much lies beside the grid.
    """
    notes = [note for number, bar in enumerate(bars) for note in shift(bar, Fraction(BAR * number))]
    sounding = [note for note in _merge_tied(notes) if note.pitch is not None]
    off = sum(note.onset.denominator != 1 and not note.tuplet for note in sounding)
    if off > max(_OFF_GRID, len(sounding) // 50):
        raise DroppedError(Drop.GRID, f'{off} of {len(sounding)} notes')
    start = np.array([_nearest(note.onset) for note in sounding], np.int32)
    end = np.array([_nearest(note.onset + note.length) for note in sounding], np.int32)
    pitch = np.array([note.pitch for note in sounding], np.int16)
    if len(start) == 0:
        raise DroppedError(Drop.SHORT, 'no notes')
    first = np.concatenate([[True], np.diff(start) > 0])
    if np.mean(~first) > _DROPPED_NOTES:
        raise DroppedError(Drop.GRID, f'{np.sum(~first)} notes fall on taken steps')
    start, end, pitch = start[first], end[first], pitch[first]
    following = np.append(start[1:], len(bars) * BAR)
    return start, np.clip(end, start + 1, following), pitch


def _merge_tied(notes: list[Note]) -> list[Note]:
    merged: list[Note] = []
    for note in notes:
        last = merged[-1] if merged else None
        if last and last.tied and _goes_on(last, note):
            merged[-1] = dataclasses.replace(last, length=last.length + note.length, tied=note.tied)
        else:
            merged.append(note)
    return merged


def _goes_on(last: Note, note: Note) -> bool:
    return last.pitch == note.pitch and last.onset + last.length == note.onset


def _nearest(step: Fraction) -> int:
    return math.floor(step + Fraction(1, 2))
