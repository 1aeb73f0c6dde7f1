"""Pieces as MIDI files, and where it is wished as sound and as piano rolls beside them."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mvae.files import write_atomically
from mvae.music.form import Form
from mvae.music.midi import write_midi
from mvae.music.notes import Notes
from mvae.render.audio import write_wav
from mvae.render.pianoroll import draw


def write_piece(
    path: str | Path,
    tokens: np.ndarray,
    form: Form,
    qpm: float = 120.0,
    title: str = '',
    *,
    wav: bool = False,
    png: bool = False,
) -> None:
    """Tokens int [T, K] as a MIDI file at qpm quarters per minute.

    wav, png: as sound and as a piano roll under the same name too.
    """
    path = Path(path)
    _write(path, form.write(tokens, qpm), form.timed_symbols(tokens, qpm), form, qpm, title, wav)
    if png:
        draw(path.with_suffix('.png'), [(title or path.stem, tokens)], form)


def write_joined(
    path: str | Path,
    pieces: Sequence[np.ndarray],
    form: Form,
    qpm: float = 120.0,
    title: str = '',
    *,
    wav: bool = False,
) -> None:
    """Pieces int [T, K] one after the other in one MIDI file.

    A note does not sound on into the next piece.
    """
    parts, symbols, begin = [], [], 0.0
    for tokens in pieces:
        notes = form.write(tokens, qpm)
        parts.append(dataclasses.replace(notes, start=notes.start + begin, end=notes.end + begin))
        symbols += [(time + begin, text) for time, text in form.timed_symbols(tokens, qpm)]
        begin += form.seconds(len(tokens), qpm)
    _write(Path(path), Notes.concatenate(parts), symbols, form, qpm, title, wav)


def _write(
    path: Path,
    notes: Notes,
    symbols: Sequence[tuple[float, str]],
    form: Form,
    qpm: float,
    title: str,
    wav: bool,
) -> None:
    write_atomically(path, write_midi(notes, qpm, title, form.meter, symbols))
    if wav:
        write_wav(path.with_suffix('.wav'), notes)
