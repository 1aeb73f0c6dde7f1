"""Pieces as MIDI files, and where it is wished as sound and as piano rolls beside them."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mvae.files import write_atomically
from mvae.music.codec import decode
from mvae.music.midi import write_midi
from mvae.music.notes import Notes
from mvae.music.vocabulary import Vocabulary
from mvae.render.audio import write_wav
from mvae.render.pianoroll import draw


def write_piece(
    path: str | Path,
    tokens: np.ndarray,
    kind: str,
    vocabulary: Vocabulary,
    qpm: float = 120.0,
    title: str = '',
    *,
    wav: bool = False,
    png: bool = False,
) -> None:
    """Writes tokens int [T, K] as a MIDI file at qpm quarters per minute.

    wav, png: as sound and as a piano roll under the same name too.
    """
    path = Path(path)
    _write(path, decode(tokens, kind, vocabulary, qpm), qpm, title, wav)
    if png:
        draw(path.with_suffix('.png'), [(title or path.stem, tokens)], kind, vocabulary)


def write_joined(
    path: str | Path,
    pieces: Sequence[np.ndarray],
    kind: str,
    vocabulary: Vocabulary,
    qpm: float = 120.0,
    title: str = '',
    *,
    wav: bool = False,
) -> None:
    """Writes pieces of int [T, K] one after the other into one MIDI file.

    A note does not sound on into the next piece.
    """
    parts = [decode(tokens, kind, vocabulary, qpm) for tokens in pieces]
    seconds = [len(tokens) * 15 / qpm for tokens in pieces]
    starts = np.cumsum([0.0, *seconds[:-1]])
    shifted = [
        dataclasses.replace(p, start=p.start + t, end=p.end + t)
        for p, t in zip(parts, starts, strict=True)
    ]
    _write(Path(path), Notes.concatenate(shifted), qpm, title, wav)


def _write(path: Path, notes: Notes, qpm: float, title: str, wav: bool) -> None:
    write_atomically(path, write_midi(notes, qpm, title))
    if wav:
        write_wav(path.with_suffix('.wav'), notes)
