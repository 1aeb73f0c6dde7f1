"""Traits: a few numbers that say what the notes of a piece have in common, such as their key."""

from collections.abc import Sequence

import numpy as np
from pretty_midi import key_name_to_key_number

from mvae.errors import InputError
from mvae.music.codec import GridNotes
from mvae.music.form import Form

CLASSES = 12  # pitch classes, C first
_MAJOR = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1], bool)


def classes(form: Form) -> int:
    """How many of its traits are pitch classes: 12, or none where transposition moves nothing."""
    return CLASSES if any(stream.tonal for stream in form.streams) else 0


def count(form: Form) -> int:
    """How many traits pieces of a form have."""
    return classes(form) + sum(2 + stream.tonal for stream in form.streams)


def traits(pieces: np.ndarray, form: Form) -> np.ndarray:
    """Of pieces int [N, T, K], float32 [N, C], each about -2 to 2.

    First, where the form has pitches, of each pitch class 1 where a note of it sounds, else -1.
    Then of each stream how many onsets a bar of its first and of its second half has, n as
    log2(1 + n) - 2, and of one with pitches the mean of these, in octaves above middle C. Notes
    that begin together are one onset.
    """
    found = np.array([_of(piece, form) for piece in pieces], np.float32)
    return found.reshape(len(pieces), count(form))


def _of(piece: np.ndarray, form: Form) -> np.ndarray:
    sounds, others = np.full(classes(form), -1.0), []
    columns = form.split(piece[None])
    for stream, (own,) in zip(form.streams, columns, strict=True):
        notes = stream.codec.decode(own)
        others += _onsets(notes, form)
        if stream.tonal:
            sounds[notes.pitch % CLASSES] = 1
            others.append((notes.pitch.mean() - 60) / 12 if len(notes.pitch) else 0.0)
    return np.concatenate([sounds, others])


def _onsets(notes: GridNotes, form: Form) -> list[float]:
    late = np.unique(notes.start) >= form.bars * form.steps_per_bar / 2
    return [np.log2(1 + half.sum() / (form.bars / 2)) - 2 for half in (~late, late)]


def key_number(key: str) -> int:
    """The major key with the notes of a key, 0 of C to 11: that of 'A minor' or 'Am' is C.

    Raises InputError for what is no key.
    """
    try:
        number = key_name_to_key_number(key)
    except ValueError:
        raise InputError(f'{key!r} is no key; give one such as C, F# major or A minor') from None
    return (number + 3 * (number >= CLASSES)) % CLASSES


def keys_of(form: Form, conditions: Sequence[np.ndarray]) -> np.ndarray | None:
    """The major keys that have most of what models are told, such as chords: int64 [N].

    conditions: of each its columns, int [N, T, C]. None where there are none with pitches, and -1
    for a piece that is told nothing. Of equal keys that which has more of the first chord, and of
    these that of its root.
    """
    own = zip(form.conditions, conditions, strict=True)
    tonal = [(part.codec, columns) for part, columns in own if part.tonal]
    if not tonal:
        return None
    notes = [[codec.decode(piece) for piece in columns] for codec, columns in tonal]
    return np.array([_key_of(list(piece)) for piece in zip(*notes, strict=True)])


def _key_of(told: list[GridNotes]) -> int:
    counts = np.zeros(CLASSES)
    for notes in told:
        first = notes.start == notes.start[:1]
        np.add.at(counts, notes.pitch % CLASSES, notes.end - notes.start + 1e-3 * first)
    keys = np.stack([np.roll(_MAJOR, key) for key in range(CLASSES)])
    score = keys @ counts
    roots = [int(notes.pitch[0]) % CLASSES for notes in told if len(notes.pitch)]
    score[roots] += 1e-6
    return int(score.argmax()) if roots else -1


def into_c(traits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Traits float32 [N, C] moved up so that their pitch classes lie in C major.

    Returns these, and by how many semitones, int64 [N]: 0 to 11, and -1 where by none.
    """
    moved = np.stack([move(traits, n) for n in range(CLASSES)], 1)  # [N, 12, C]
    fits = ~((moved[..., :CLASSES] > 0) & ~_MAJOR).any(2)
    up = np.where(fits.any(1), fits.argmax(1), -1)
    return moved[np.arange(len(traits)), up], up


def move(traits: np.ndarray, up: np.ndarray | int) -> np.ndarray:
    """Traits [N, C] whose pitch classes are so many semitones higher, int [N]; -1 leaves them."""
    higher = np.maximum(np.broadcast_to(up, len(traits)), 0)
    places = (np.arange(CLASSES) - higher[:, None]) % CLASSES
    sounds = np.take_along_axis(traits[:, :CLASSES], places, 1)
    return np.concatenate([sounds, traits[:, CLASSES:]], 1)
