"""Monophonic lines, melody and bass: notes on steps to tokens and back."""

from typing import NamedTuple

import numpy as np

from mvae.music.vocabulary import FIRST_NOTE_ON, HOLD, NOTE_OFF, Vocabulary


class Line(NamedTuple):
    """The notes of a track that its line is made of, in order of time: int64 columns [N], unit
    steps.

    start: strictly rising. end: where the note ends in the file, which may be after the next one's
    start. pitch: MIDI.
    """

    start: np.ndarray
    end: np.ndarray
    pitch: np.ndarray


def take_line(start: np.ndarray, end: np.ndarray, pitch: np.ndarray) -> Line:
    """Of notes that start at the same step the highest stays (of equal ones the first in the file)."""
    order = np.lexsort((-pitch.astype(np.int64), start))
    start = start[order]
    first = np.ones(len(start), bool)
    np.not_equal(start[1:], start[:-1], out=first[1:])
    order = order[first]
    return Line(
        start[first].astype(np.int64), end[order].astype(np.int64), pitch[order].astype(np.int64)
    )


def is_monophonic(start: np.ndarray, end: np.ndarray) -> bool:
    """Whether no two notes share a step."""
    order = np.lexsort((end, start))
    return bool(np.all(end[order][:-1] <= start[order][1:]))


def encode_line(line: Line, length: int, vocabulary: Vocabulary) -> np.ndarray:
    """Tokens uint16 [length] of a line; pitches must lie in the vocabulary's range.

    A note-on at each start, a note-off where a note ends before the next one starts; an overlap
    cuts the earlier note. Notes from step `length` on are left out, and so is a note-off that falls
    there.
    """
    tokens = np.full(length, HOLD, np.uint16)
    ends = np.minimum(line.end, np.append(line.start[1:], length))
    tokens[ends[ends < length]] = NOTE_OFF  # one that meets an onset is overwritten by it
    on = line.start < length
    tokens[line.start[on]] = line.pitch[on] - vocabulary.min_pitch + FIRST_NOTE_ON
    return tokens


def add_end_token(tokens: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """Tokens [T] of a melody of free length -> [T + 1], closed as Magenta's add_end_token does; the
    vocabulary has one token more then.
    """
    return np.append(tokens, tokens.dtype.type(vocabulary.end_token))


def decode_line(tokens: np.ndarray, vocabulary: Vocabulary) -> Line:
    """Notes of tokens [T]: each lasts to the next note-on or note-off, the last at most to T or to
    an end token.

    Note-offs without a sounding note mean nothing.
    """
    tokens = np.asarray(tokens)
    tokens = tokens[: np.append(np.flatnonzero(tokens == vocabulary.end_token), len(tokens))[0]]
    events = np.flatnonzero(tokens)
    ends = np.append(events[1:], len(tokens))
    on = tokens[events] >= FIRST_NOTE_ON
    pitch = tokens[events[on]].astype(np.int64) - FIRST_NOTE_ON + vocabulary.min_pitch
    return Line(events[on], ends[on], pitch)
