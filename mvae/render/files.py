"""Pieces as MIDI files, and files written whole or not at all."""

import contextlib
import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mvae.errors import InputError
from mvae.music.codec import decode
from mvae.music.midi import write_midi
from mvae.music.notes import Notes
from mvae.music.vocabulary import Vocabulary


def write_atomically(path: str | Path, data: bytes) -> None:
    """Writes beside, then renames. Raises InputError naming the path and the reason."""
    path = Path(path)
    beside = path.with_name(path.name + '.partial')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        os.replace(beside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise InputError(f'cannot write {path}: {error.strerror}') from None


def write_json(path: str | Path, value: Any) -> None:
    write_atomically(path, (json.dumps(value, indent=1) + '\n').encode())


def write_piece(path: str | Path, tokens: np.ndarray, kind: str, vocabulary: Vocabulary, qpm: float = 120.0, title: str = '') -> None:
    """Tokens int [T, K] as a MIDI file at qpm quarters per minute."""
    write_atomically(path, write_midi(decode(tokens, kind, vocabulary, qpm), qpm, title))


def write_joined(path: str | Path, pieces: Sequence[np.ndarray], kind: str, vocabulary: Vocabulary, qpm: float = 120.0, title: str = '') -> None:
    """Pieces of int [T, K] one after the other in one MIDI file; a note does not sound on into the next piece."""
    parts = [decode(tokens, kind, vocabulary, qpm) for tokens in pieces]
    seconds = [len(tokens) * 15 / qpm for tokens in pieces]
    starts = np.cumsum([0.0, *seconds[:-1]])
    shifted = [dataclasses.replace(p, start=p.start + t, end=p.end + t) for p, t in zip(parts, starts, strict=True)]
    joined = Notes.concatenate(shifted)
    write_atomically(path, write_midi(joined, qpm, title))
