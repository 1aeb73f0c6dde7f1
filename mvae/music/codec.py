"""Tokens of any kind to notes, and which tokens notes can express."""

import numpy as np

from mvae.errors import InputError
from mvae.music.drums import decode_drums
from mvae.music.melody import decode_line
from mvae.music.notes import Notes
from mvae.music.pieces import STEPS_PER_QUARTER
from mvae.music.vocabulary import FIRST_NOTE_ON, HOLD, NOTE_OFF, STREAMS, Vocabulary

VELOCITY = 80
_TRACKS = {'melody': 0, 'bass': 1, 'drums': 9}
_PROGRAMS = {'melody': 0, 'bass': 33, 'drums': 0}


def decode(
    tokens: np.ndarray,
    kind: str,
    vocabulary: Vocabulary,
    qpm: float = 120.0,
    steps_per_quarter: int = STEPS_PER_QUARTER,
) -> Notes:
    """Notes of a token sequence, from time 0 on, as Magenta writes them.

    The melody is track 0 with program 0, the bass track 1 with program 33, the drums track 9;
    velocity 80. A melody or bass note lasts to the next note-on, note-off or the end of the
    sequence; a drum hit lasts one step.

    Args:
        tokens: int [T, K], or [T] if K is 1.
    Raises InputError if the shape or a token does not belong to the kind and the vocabulary.
    """
    seconds = 60 / (qpm * steps_per_quarter)
    parts = []
    for stream, column in zip(STREAMS[kind], _checked(tokens, kind, vocabulary).T, strict=True):
        if stream == 'drums':
            start, pitch = decode_drums(column)
            end = start + 1
        else:
            start, end, pitch = decode_line(column, vocabulary)
        is_drum = stream == 'drums'
        parts.append(
            Notes.make(start * seconds, end * seconds, pitch, VELOCITY, _PROGRAMS[stream], is_drum, _TRACKS[stream])
        )  # fmt: skip
    return Notes.concatenate(parts)


def canonical(tokens: np.ndarray, kind: str) -> np.ndarray:
    """The one token sequence [T, K] (or [T]) that sounds the same and that notes can express; same
    dtype.

    Notes express a melody or bass sequence if each of its note-offs ends a sounding note: no
    note-off stands before the first note-on or, without a note-on between them, after another
    note-off. All drum sequences can be expressed. For such sequences with at least one note
    encoding (pick.pick) after decoding gives the same tokens.
    """
    result = np.array(tokens)
    columns = result.reshape(len(result), -1)
    for number, stream in enumerate(STREAMS[kind]):
        if stream != 'drums':
            column = columns[:, number]
            events = np.flatnonzero(column)
            offs = column[events] == NOTE_OFF
            previous_sounds = np.append(False, column[events][:-1] >= FIRST_NOTE_ON)[: len(events)]
            column[events[offs & ~previous_sounds]] = HOLD
    return result


def _checked(tokens: np.ndarray, kind: str, vocabulary: Vocabulary) -> np.ndarray:
    sizes = vocabulary.sizes(kind)
    tokens = np.asarray(tokens)
    columns = tokens[:, None] if tokens.ndim == 1 else tokens
    if columns.ndim != 2 or columns.shape[1] != len(sizes) or columns.dtype.kind not in 'iu':
        raise InputError(
            f'tokens of kind {kind} are integers of shape [T, {len(sizes)}], these are {tokens.dtype} {list(tokens.shape)}'
        )
    for column, size, stream in zip(columns.T, sizes, STREAMS[kind], strict=True):
        if len(column) and not 0 <= column.min() <= column.max() < size:
            raise InputError(
                f'{stream} tokens lie in 0..{size - 1}, these in {column.min()}..{column.max()}'
            )
    return columns
