"""Traits: a few numbers that say what the notes of a piece have in common, such as their key."""

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
    Then of each stream how many notes begin in a bar of its first and of its second half, n as
    log2(1 + n) - 2, and of one with pitches the mean of these, in octaves above middle C.
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
    steps = form.bars * form.steps_per_bar
    late = notes.start >= steps / 2
    return [np.log2(1 + half.sum() / (form.bars / 2)) - 2 for half in (~late, late)]


def scale(key: str) -> np.ndarray:
    """Which pitch classes a key has, bool [12]: of 'A minor' or 'Am' those of natural minor.

    Raises InputError for what is no key.
    """
    try:
        number = key_name_to_key_number(key)
    except ValueError:
        raise InputError(f'{key!r} is no key; give one such as C, F# major or A minor') from None
    return np.roll(_MAJOR, number % CLASSES + 3 * (number >= CLASSES))


def into(traits: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Traits float32 [N, C] moved up so that their pitch classes lie in a scale bool [12].

    Returns these, and by how many semitones, int64 [N]: 0 to 11, and -1 where by none.
    """
    sounds = traits[:, :CLASSES]
    moved = np.stack([np.roll(sounds, n, 1) for n in range(CLASSES)], 1)  # [N, 12, 12]
    fits = ~((moved > 0) & ~scale).any(2)
    up = np.where(fits.any(1), fits.argmax(1), -1)
    own = moved[np.arange(len(traits)), up]
    return np.concatenate([own, traits[:, CLASSES:]], 1), up
