"""Monophonic lines, melody and bass: 128 note-ons, note-off and hold (paper section 4.1)."""

import dataclasses
from typing import ClassVar

import numpy as np

from mvae.music.codec import Codec, GridNotes
from mvae.music.columns import run_starts
from mvae.music.events import HOLDING, NOTE_OFF_EVENT, ONSET, REST

HOLD = 0  # nothing happens: a sounding note goes on, a rest goes on
NOTE_OFF = 1
FIRST_NOTE_ON = 2  # + pitch - min_pitch


@dataclasses.dataclass(frozen=True)
class LineCodec(Codec):
    """One column of tokens: hold, note-off, and a note-on for each pitch of the range (MIDI)."""

    min_pitch: int = 0
    max_pitch: int = 127

    head: ClassVar[str] = 'categorical'
    polyphonic: ClassVar[bool] = False

    @property
    def pitches(self) -> int:
        """How many pitches have a token."""
        return self.max_pitch - self.min_pitch + 1

    @property
    def sizes(self) -> tuple[int, ...]:
        return (FIRST_NOTE_ON + self.pitches,)

    def expresses(self, pitch: np.ndarray) -> np.ndarray:
        return (pitch >= self.min_pitch) & (pitch <= self.max_pitch)

    def voice(self, notes: GridNotes) -> GridNotes:
        """Of notes that start at one step the highest (of equal ones the first in the file).

        An overlap cuts the earlier note.
        """
        order = np.lexsort((-notes.pitch, notes.start))
        start = notes.start[order]
        kept = notes.select(order[run_starts(start)])
        kept.end[:-1] = np.minimum(kept.end[:-1], kept.start[1:])
        return kept

    def encode(self, notes: GridNotes, length: int) -> np.ndarray:
        """A note-on at each start, a note-off where a note ends before the next one starts.

        A note-off that falls on `length` is left out.
        """
        tokens = np.full(length, HOLD, np.uint16)
        # One that meets an onset is overwritten by it.
        tokens[notes.end[notes.end < length]] = NOTE_OFF
        on = notes.start < length
        tokens[notes.start[on]] = notes.pitch[on] - self.min_pitch + FIRST_NOTE_ON
        return tokens[:, None]

    def decode(self, columns: np.ndarray) -> GridNotes:
        """Each note lasts to the next note-on or note-off, the last at most to T.

        Note-offs without a sounding note mean nothing.
        """
        tokens = np.asarray(columns)[:, 0]
        events = np.flatnonzero(tokens)
        ends = np.append(events[1:], len(tokens))
        on = tokens[events] >= FIRST_NOTE_ON
        pitch = tokens[events[on]].astype(np.int64) - FIRST_NOTE_ON + self.min_pitch
        return GridNotes.make(events[on], ends[on], pitch)

    def events(self, columns: np.ndarray) -> np.ndarray:
        """The token 0 is a hold while a note sounds and a rest otherwise."""
        tokens = np.asarray(columns)[..., 0]
        onset, off = tokens >= FIRST_NOTE_ON, tokens == NOTE_OFF
        steps = np.arange(tokens.shape[-1])
        last = np.maximum.accumulate(np.where(onset | off, steps, -1), axis=-1)
        sounds = np.take_along_axis(onset, np.maximum(last, 0), axis=-1) & (last >= 0)
        cases = [onset, off, sounds]
        return np.select(cases, [ONSET, NOTE_OFF_EVENT, HOLDING], REST).astype(np.int8)

    def clean(self, windows: np.ndarray) -> np.ndarray:
        """Turns note-offs before the first note-on into holds: there is no note to end."""
        on = windows[..., 0] >= FIRST_NOTE_ON
        first = np.where(on.any(-1), on.argmax(-1), on.shape[-1])  # note-on
        before = np.arange(on.shape[-1]) < first[..., None]
        return np.where(before[..., None], windows.dtype.type(HOLD), windows)

    def canonical(self, columns: np.ndarray) -> np.ndarray:
        """Without note-offs that end no sounding note."""
        result = np.array(columns)
        tokens = result[:, 0]
        events = np.flatnonzero(tokens)
        offs = tokens[events] == NOTE_OFF
        sounding = np.append(False, tokens[events][:-1] >= FIRST_NOTE_ON)[: len(events)]
        tokens[events[offs & ~sounding]] = HOLD
        return result

    def room(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Unsigned, so that hold and note-off wrap round to the top and are never the lowest note.
        lowest = (windows - np.uint16(FIRST_NOTE_ON)).min(axis=(1, 2)).astype(np.int64)
        highest = windows.max(axis=(1, 2)).astype(np.int64) - FIRST_NOTE_ON
        top = self.pitches - 1
        return np.minimum(lowest, top), top - np.maximum(highest, 0)

    def transpose(self, windows: np.ndarray, shift: np.ndarray) -> np.ndarray:
        # Modulo 2**16: down as well as up.
        return windows + (windows >= FIRST_NOTE_ON) * shift.astype(np.uint16)[:, None, None]


def is_monophonic(start: np.ndarray, end: np.ndarray) -> bool:
    """Whether no two notes share a step; start, end int [N]."""
    order = np.lexsort((end, start))
    return bool(np.all(end[order][:-1] <= start[order][1:]))
