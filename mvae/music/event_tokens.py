"""One instrument in one bar as a row of tokens: what happens, one event after the other.

A row begins with the instrument: a General MIDI program or the drum kit. Then notes begin and end,
time goes on by some steps, and the velocity changes for the notes that follow. The last token says
that the row ends. (Simon et al., Learning a latent space of multitrack measures, 2018; Oore et al.,
This time with feeling, 2018; docs/magenta.md, Bands.)
"""

from collections import defaultdict, deque
from collections.abc import Iterable

import numpy as np

from mvae.music.codec import GridNotes
from mvae.music.instruments import DRUM_KIT, SOUNDS

# Where the tokens of each kind begin.
NOTE_ON, NOTE_OFF, SHIFT, VELOCITY, SOUND = 0, 128, 256, 352, 360
END = SOUND + SOUNDS
TOKENS = END + 1
LONGEST = VELOCITY - SHIFT  # steps that one token lets pass
_BINS = SOUND - VELOCITY
_LOUDNESSES = 128 // _BINS  # velocities of a bin
_UNSAID = 100  # velocity of notes before any is said


def rows_of(notes: GridNotes, row: np.ndarray, sound: np.ndarray, steps: int) -> list[np.ndarray]:
    """The tokens of rows, int64 [L] each, beginning and end among them.

    Args:
        notes: N notes, with starts 0 to steps - 1 and ends up to steps, of all rows.
        row: int [N], which row a note is in, 0 to R - 1; each has a note.
        sound: int [R], the program of each row, or 128 for drums.
        steps: of a bar; all rows last so long.

    At one step events go by the begin of their notes, from low to high. Of notes of one pitch that
    overlap, the one that began first ends first.
    """
    notes, row = _in_turn(notes, row)
    n, rows = len(row), len(sound)
    place = np.arange(n)
    # Of each event its row, step, note and whether the note ends; then the ends of the rows.
    of = np.concatenate([row, row, np.arange(rows)])
    step = np.concatenate([notes.start, notes.end, np.full(rows, steps)])
    note = np.concatenate([place, place, np.full(rows, n)])
    ends = np.repeat([0, 1, 2], [n, n, rows])
    order = np.lexsort((ends, note, step, of))
    of, step, note, ends = of[order], step[order], note[order], ends[order]
    first = np.append(True, of[1:] != of[:-1])
    passed = step - np.where(first, 0, np.append(0, step[:-1]))
    pitch, loudness = (np.append(x, 0)[note] for x in (notes.pitch, _bins(notes.velocity)))
    happens = np.select([ends == 0, ends == 1], [NOTE_ON + pitch, NOTE_OFF + pitch], END)
    columns = [np.where(first, SOUND + np.asarray(sound)[of], -1)]
    columns += [_shift(passed - LONGEST * k) for k in range(-(-steps // LONGEST))]
    columns += [_changes(of, loudness, ends == 0), happens]
    table = np.stack(columns, 1)
    there = table >= 0
    lengths = np.bincount(of, there.sum(1), minlength=rows).astype(int)
    return np.split(table[there], np.cumsum(lengths)[:-1])


def _in_turn(notes: GridNotes, row: np.ndarray) -> tuple[GridNotes, np.ndarray]:
    """Row by row in order of start and pitch; of a pitch the first to begin ends first."""
    by_pitch = np.lexsort((notes.start, notes.pitch, row))
    by_end = np.lexsort((notes.end, notes.pitch, row))
    end = np.empty_like(notes.end)
    end[by_pitch] = notes.end[by_end]
    notes = notes._replace(end=end)
    order = np.lexsort((notes.pitch, notes.start, row))
    return notes.select(order), row[order]


def _shift(passed: np.ndarray) -> np.ndarray:
    """The token that lets so many steps pass, at most LONGEST; -1 where none is needed."""
    return np.where(passed > 0, SHIFT - 1 + np.minimum(passed, LONGEST), -1)


def _bins(velocity: np.ndarray) -> np.ndarray:
    return np.maximum(velocity - 1, 0) // _LOUDNESSES


def _changes(of: np.ndarray, loudness: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """A token of velocity where a note begins in another than the one before; else -1."""
    said = np.full(len(of), -1)
    at = np.flatnonzero(begins)
    row, own = of[at], loudness[at]
    new = np.append(True, (row[1:] != row[:-1]) | (own[1:] != own[:-1]))[: len(at)]
    said[at[new]] = VELOCITY + own[new]
    return said


def notes_of(tokens: Iterable[int], steps: int) -> tuple[int, GridNotes]:
    """The sound of a row, a program or 128 for drums, and its notes in order of their begin.

    Any tokens will do. Those behind the first END say nothing, nor do those behind the end of the
    bar. The first sound counts; a row without one is played by program 0. What nothing ends sounds
    to the end of the bar, and what ends as it begins is no note.
    """
    step, velocity, sound = 0, _UNSAID, -1
    found: list[list[int]] = []  # start, end, pitch, velocity
    sounding: dict[int, deque[list[int]]] = defaultdict(deque)
    for token in tokens:
        if token == END:
            break
        if token >= SOUND:
            sound = token - SOUND if sound < 0 else sound
        elif token >= VELOCITY:
            velocity = 1 + _LOUDNESSES * (token - VELOCITY)
        elif token >= SHIFT:
            step = min(step + token - SHIFT + 1, steps)
        elif token >= NOTE_OFF:
            if own := sounding[token - NOTE_OFF]:
                own.popleft()[1] = step
        else:
            found.append([step, steps, token, velocity])
            sounding[token].append(found[-1])
    columns = np.array([note for note in found if note[0] < note[1]], np.int64).reshape(-1, 4).T
    return max(sound, 0), GridNotes.make(*columns)


def is_drum_kit(tokens: np.ndarray) -> np.ndarray:
    """Which rows int [..., L] the drum kit plays, by the first sound that they name: bool [...]."""
    named = (tokens >= SOUND) & (tokens < END)
    first = np.take_along_axis(tokens, named.argmax(-1)[..., None], -1)[..., 0]
    return first == SOUND + DRUM_KIT
