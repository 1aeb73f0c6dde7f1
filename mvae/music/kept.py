"""How much of a piece another piece keeps, counted in notes."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mvae.music.codec import GridNotes
from mvae.music.form import Form

# From which share of kept notes on a piece is called so.
_WORDS = (
    (1.0, '{} note for note'),
    (0.8, 'close to {}'),
    (0.4, 'only loosely {}'),
    (0.0, 'hardly {}'),
)


class Kept(NamedTuple):
    """kept: how many of the `total` notes of a part begin at the same step and pitch elsewhere."""

    kept: int
    total: int


def count_kept(piece: np.ndarray, other: np.ndarray, form: Form) -> dict[str, Kept]:
    """How many notes of a piece int [T, K] another [T, K] has too, at the same step and pitch.

    How long they last does not count. Returns {stream: Kept}, without streams that are silent in
    the piece.
    """
    counts = {}
    for stream, own, others in zip(form.streams, form.split(piece), form.split(other), strict=True):
        notes = _begun(stream.codec.decode(own))
        if notes:
            counts[stream.name] = Kept(len(notes & _begun(stream.codec.decode(others))), len(notes))
    return counts


def _begun(notes: GridNotes) -> set[tuple[int, int]]:
    return set(zip(notes.start.tolist(), notes.pitch.tolist(), strict=True))


def describe(counts: Mapping[str, Kept], name: str) -> str:
    """What `count_kept` found, for musicians: 'only loosely a.mid (14 of 22 notes kept)'.

    name: what the notes are of.
    """
    kept, total = (sum(numbers) for numbers in zip(*counts.values(), strict=True))
    word = next(word for share, word in _WORDS if kept >= share * total)
    own = [f'{part} {n} of {m}' for part, (n, m) in counts.items()]
    said = ', '.join(own) if len(own) > 1 else f'{kept} of {total}'
    return f'{word.format(name)} ({said} notes kept)'
