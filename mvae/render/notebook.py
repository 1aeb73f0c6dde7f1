"""Pieces as notebooks show them: a piano roll and a player each, all inside the page.

Nothing is fetched, so that a notebook plays offline and after it was sent to somebody.
"""

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

from mvae.music.midi import from_note_sequence
from mvae.music.notes import Notes
from mvae.render.figures import COLOURS

if TYPE_CHECKING:
    from note_seq import NoteSequence

MOST = 8  # pieces that are shown: a minute of sound takes 3.5 MB of the notebook
_WIDTH, _ROW = 900, 5  # pixels of a roll, and of a pitch in it
_GAP = 2  # rows between the pitches and the drums
_LEAST = 14  # rows of pitches: a melody of few notes keeps its shape
_DRUM_COLOUR = '#444444'
_COARSE = 2  # samples of sound that become one: 22,050 a second, in mono


class Pieces(list['NoteSequence']):
    """NoteSequences, as a list, which a notebook shows as piano rolls with players."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Pieces(found) if isinstance(index, slice) else found

    def _repr_html_(self) -> str:
        """What Jupyter shows in place of `repr`; at most MOST pieces."""
        parts = [_show(piece) for piece in self[:MOST]]
        if more := len(self) - len(parts):
            parts.append(f'<p>and {more} more</p>')
        return '\n'.join(parts)


def _show(piece: 'NoteSequence') -> str:
    notes = from_note_sequence(piece).notes
    qpm = piece.tempos[0].qpm if piece.tempos else 120.0
    return f'<div style="margin:.5em 0">{roll(notes, 240 / qpm)}<br>{player(notes)}</div>'


def roll(notes: Notes, bar: float) -> str:
    """A piano roll as SVG: a rectangle for each note, drums below; bar: its seconds."""
    bars = max(1, int(np.ceil(notes.end.max(initial=0.0) / bar - 1e-6)))
    scale, rows = _WIDTH / (bars * bar), _rows(notes)
    height = _ROW * (int(rows.max(initial=_LEAST)) + 2)
    parts = [
        f'<path d="M{x * bar * scale:.1f} 0V{height}" stroke="#cccccc"/>' for x in range(1, bars)
    ]
    tracks = {track: n for n, track in enumerate(np.unique(notes.track).tolist())}
    for start, end, row, track, is_drum in zip(
        notes.start, notes.end, rows, notes.track.tolist(), notes.is_drum, strict=True
    ):
        colour = _DRUM_COLOUR if is_drum else COLOURS[tracks[track] % len(COLOURS)]
        width = max((end - start) * scale - 1, 1)
        place = f'x="{start * scale:.1f}" y="{(row + 0.5) * _ROW:g}"'
        parts.append(f'<rect {place} width="{width:.1f}" height="{_ROW}" fill="{colour}"/>')
    style = 'background:white;border:1px solid #cccccc;max-width:100%;height:auto'
    looks = f'style="{style}" role="img" aria-label="piano roll"'
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    return f'<svg {size} {looks}>{"".join(parts)}</svg>'


def _rows(notes: Notes) -> np.ndarray:
    """Of each note its row from above: the highest pitch first, then a row for each drum."""
    drums, pitch = notes.is_drum, notes.pitch.astype(int)
    top = pitch[~drums].max(initial=0)
    rows = top - pitch
    below = max(rows[~drums].max(initial=0), _LEAST) + _GAP if (~drums).any() else 0
    rows[drums] = below + np.unique(-pitch[drums], return_inverse=True)[1].reshape(-1)
    return rows


def player(notes: Notes) -> str:
    """The sound of notes in an <audio> element, as a WAV inside its address.

    Raises InputError as `audio.soundfont` does.
    """
    from mvae.render.audio import SAMPLE_RATE, synthesise, to_wav

    sound = synthesise(notes)
    sound = sound[: len(sound) // _COARSE * _COARSE].reshape(-1, _COARSE * sound.shape[1])
    wav = to_wav(sound.mean(1, keepdims=True).astype(np.int16), SAMPLE_RATE // _COARSE)
    address = f'data:audio/wav;base64,{base64.b64encode(wav).decode()}'
    return f'<audio controls preload="none" src="{address}"></audio>'
