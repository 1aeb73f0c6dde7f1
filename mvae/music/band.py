"""Bands: all instruments of a bar, each as a row of events (mvae.music.event_tokens).

Simon et al., Learning a latent space of multitrack measures, 2018; docs/magenta.md, Bands.
"""

import dataclasses
from collections import Counter
from typing import ClassVar, NamedTuple

import numpy as np

from mvae.errors import InputError
from mvae.music.codec import Codec, GridNotes
from mvae.music.columns import run_starts
from mvae.music.event_tokens import (
    END,
    NOTE_OFF,
    NOTE_ON,
    SHIFT,
    TOKENS,
    VELOCITY,
    is_drum_kit,
    notes_of,
    rows_of,
)
from mvae.music.events import HOLDING, NO_STEP, NOTE_OFF_EVENT, ONSET, REST
from mvae.music.instruments import DRUM_KIT, SOUNDS, played
from mvae.music.reasons import Reason

STEPS_PER_QUARTER = 24
_FEWEST_INSTRUMENTS, _FEWEST_EVENTS = 2, 8  # of a bar to learn from
_ENDS = 2  # tokens of a row beside its events: the instrument and the end


class _Rows(NamedTuple):
    """What the instruments of all bars play, bar by bar in the order in which they are written.

    tokens: of each row. bar: int64 [R], of each row. of: int64 [N], the row of each note.
    """

    tokens: list[np.ndarray]
    bar: np.ndarray
    of: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """How many tokens each row has: int64 [R]."""
        return np.array([len(row) for row in self.tokens], np.int64)


@dataclasses.dataclass(frozen=True)
class BandCodec(Codec):
    """One column: 0 where nothing is written, otherwise a token and 1.

    A bar is so many `instruments`, one behind the other, of `row_length` tokens each. They go by
    program, drums last. A row that is shorter is filled up with zeros. Who is missing has a row of
    nothing but the end. A bar that is too full for it is left out whole: it has zeros. Notes that
    sound into the next bar end at the bar line.
    """

    steps_per_bar: int = 4 * STEPS_PER_QUARTER
    instruments: int = 8
    row_length: int = 64

    head: ClassVar[str] = 'events'
    ensemble: ClassVar[bool] = True
    unread: ClassVar[str] = 'with nothing that fits'

    @property
    def sizes(self) -> tuple[int, ...]:
        return (TOKENS + 1,)

    @property
    def segments(self) -> int:
        return self.instruments

    def rows(self, steps_per_bar: int) -> int:
        return self.instruments * self.row_length

    def expresses(self, pitch: np.ndarray) -> np.ndarray:
        return np.ones(len(pitch), bool)

    def slots(self, pitch: np.ndarray) -> np.ndarray:
        """None exclude each other."""
        return np.arange(len(pitch))

    def voice(self, notes: GridNotes) -> GridNotes:
        """The notes of the bars that are not too full, cut at bar lines."""
        notes = notes.select(np.argsort(notes.start, kind='stable'))
        notes = notes._replace(end=np.minimum(notes.end, self._bar_line(notes)))
        rows = self._rows(notes)
        many, long = self._too_full(rows)
        return notes.select(~np.isin(notes.start // self.steps_per_bar, np.append(many, long)))

    def refused(self, notes: GridNotes) -> dict[Reason, int]:
        notes = notes._replace(end=np.minimum(notes.end, self._bar_line(notes)))
        many, long = self._too_full(self._rows(notes))
        return {Reason.MANY_INSTRUMENTS: len(many), Reason.MANY_EVENTS: len(long)}

    def _bar_line(self, notes: GridNotes) -> np.ndarray:
        """Where the bar ends in which each note begins."""
        return (notes.start // self.steps_per_bar + 1) * self.steps_per_bar

    def _too_full(self, rows: _Rows) -> tuple[np.ndarray, np.ndarray]:
        """Bars of too many instruments, and others of too many events of one: int64 each."""
        bars, counts = np.unique(rows.bar, return_counts=True)
        many = bars[counts > self.instruments]
        long = np.unique(rows.bar[rows.lengths > self.row_length])
        return many, np.setdiff1d(long, many)

    def _rows(self, notes: GridNotes) -> _Rows:
        """notes: none of which sounds over a bar line."""
        if not len(notes.start):
            return _Rows([], np.zeros(0, np.int64), np.zeros(0, np.int64))
        parts, part = np.unique(notes.part, return_inverse=True)
        own = played(parts)
        sound = np.where(own.is_drum, DRUM_KIT, own.program)
        rank = np.argsort(order := np.lexsort((own.track, sound)))
        bar = notes.start // self.steps_per_bar
        rows, of = np.unique(bar * len(parts) + rank[part], return_inverse=True)
        start = bar * self.steps_per_bar
        inside = notes._replace(start=notes.start - start, end=notes.end - start)
        bars, place = np.divmod(rows, len(parts))
        tokens = rows_of(inside, of, sound[order][place], self.steps_per_bar)
        return _Rows(tokens, bars, of)

    def encode(self, notes: GridNotes, length: int) -> np.ndarray:
        rows = self._rows(notes.select(notes.start < length))
        bars = -(-length // self.steps_per_bar)
        columns = np.zeros((bars, self.instruments, self.row_length), np.uint16)
        columns[rows.bar, :, 0] = END + 1
        first = run_starts(rows.bar)
        begin = np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))
        place = np.arange(len(first)) - begin
        for row, bar, slot in zip(rows.tokens, rows.bar, place, strict=True):
            columns[bar, slot, : len(row)] = row + 1
        return columns.reshape(-1, 1)

    def decode(self, columns: np.ndarray) -> GridNotes:
        """The notes of all bars.

        Tracks are numbered as they come. The first piano of a bar goes on as the first piano of the
        next.
        """
        table = np.asarray(columns).astype(np.int64).reshape(-1, self.instruments, self.row_length)
        found: list[tuple[int, int, GridNotes]] = []  # sound, which of that sound, notes
        for bar, rows in enumerate(table):
            begin, heard = bar * self.steps_per_bar, Counter[int]()
            for row in rows:
                written = int(np.append(row, 0).argmin())
                if written and row[0] != END + 1:
                    sound, notes = notes_of((row[:written] - 1).tolist(), self.steps_per_bar)
                    notes = notes._replace(start=notes.start + begin, end=notes.end + begin)
                    found.append((sound, heard[sound], notes))
                    heard[sound] += 1
        place = {who: n for n, who in enumerate(dict.fromkeys((s, nth) for s, nth, _ in found))}
        parts = [GridNotes.make([], [], [], [])]
        for sound, nth, notes in found:
            part = np.full(len(notes.start), place[sound, nth] * SOUNDS + sound)
            parts.append(notes._replace(part=part))
        together = GridNotes(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        return together.select(np.argsort(together.start, kind='stable'))

    def beside(self, told: np.ndarray, columns: np.ndarray | None) -> np.ndarray:
        """Zeros where an instrument is named or is missing; else what holds as an event happens.

        An end has what its last event has. Where the music is not written yet, what holds has to
        hold through each bar.
        """
        bars = told.reshape(-1, self.steps_per_bar, told.shape[-1])
        if columns is not None:
            step = np.minimum(self._steps(columns), self.steps_per_bar - 1)
            bar = np.arange(len(step)) // self.rows(self.steps_per_bar)
            return np.where(step[:, None] < 0, 0, bars[bar, step]).astype(told.dtype)
        if (bars != bars[:, :1]).any():
            raise InputError('what a band is told holds through a bar; give one chord for each')
        unknown: np.ndarray = np.repeat(bars[:, :1], self.rows(self.steps_per_bar), 1)
        unknown[:, :: self.row_length] = 0
        return unknown.reshape(-1, told.shape[-1])

    def by_step(self, told: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """What an event is told holds until the next one is told something else."""
        step, rows = self._steps(columns), self.rows(self.steps_per_bar)
        at = np.flatnonzero((step >= 0) & (step < self.steps_per_bar))
        row_of = np.full((len(columns) // rows, self.steps_per_bar), -1)
        row_of[at // rows, step[at]] = at
        latest = np.maximum.accumulate(np.where(row_of < 0, 0, np.arange(self.steps_per_bar)), 1)
        row = np.take_along_axis(row_of, latest, 1).ravel()
        return np.where(row[:, None] < 0, 0, told[row]).astype(told.dtype)

    def _steps(self, columns: np.ndarray) -> np.ndarray:
        """At which step of its bar each row of columns [T, 1] happens, -1 at none: int64 [T].

        Ends of notes may happen as the next bar begins.
        """
        token = np.asarray(columns)[:, 0].astype(np.int64).reshape(-1, self.row_length) - 1
        passed = np.where((token >= SHIFT) & (token < VELOCITY), token - SHIFT + 1, 0)
        before = np.cumsum(passed, 1) - passed
        ended = token == END
        before[:, 1:] = np.where(ended[:, 1:], before[:, :-1], before[:, 1:])
        before[:, 0] = -1  # who plays, or that nobody does
        return np.where(token < 0, -1, before).ravel()

    def events(self, columns: np.ndarray) -> np.ndarray:
        """Beside the beginnings and ends of notes all that goes on holds; an end is a rest."""
        token = np.asarray(columns)[..., 0].astype(int) - 1
        kinds = [token < NOTE_ON, token < NOTE_OFF, token < SHIFT, token < END]
        found = np.select(kinds, [NO_STEP, ONSET, NOTE_OFF_EVENT, HOLDING], REST)
        return found.astype(np.int8)

    def canonical(self, columns: np.ndarray) -> np.ndarray:
        """Who plays in order of their programs, and every event in its usual place."""
        notes = self.voice(self.decode(columns))
        length = len(columns) // self.rows(self.steps_per_bar) * self.steps_per_bar
        return self.encode(notes, length).astype(columns.dtype)

    def thin(self, windows: np.ndarray) -> dict[Reason, np.ndarray]:
        """Those of which a bar has less than Magenta asks for."""
        bars = windows.shape[1] // self.rows(self.steps_per_bar)
        rows = windows.reshape(len(windows), bars, self.instruments, self.row_length)
        playing = (rows[..., 0] > 0) & (rows[..., 0] != END + 1)
        lengths = ((rows > 0).sum(-1) - _ENDS) * playing
        few = (playing.sum(-1) < _FEWEST_INSTRUMENTS).any(-1)
        quiet = (lengths.sum(-1) < _FEWEST_EVENTS).any(-1) & ~few
        return {Reason.FEW_INSTRUMENTS: few, Reason.FEW_EVENTS: quiet}

    def room(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """By its instruments with pitches, not its drums."""
        moved = self._tonal(windows)
        pitch = (windows.astype(np.int64) - 1) % NOTE_OFF
        low = np.where(moved, pitch, 127).min((1, 2), initial=127)
        high = np.where(moved, pitch, 0).max((1, 2), initial=0)
        none = ~moved.any((1, 2))
        return np.where(none, 0, low), np.where(none, 0, 127 - high)

    def transpose(self, windows: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Drums stay as they are."""
        moved = self._tonal(windows) * shift[:, None, None]
        return (windows.astype(np.int64) + moved).astype(windows.dtype)

    def _tonal(self, windows: np.ndarray) -> np.ndarray:
        """Which values of windows [N, T, 1] are the begin or end of a note that can be moved."""
        tokens = windows.astype(np.int64) - 1
        shape = len(windows), windows.shape[1] // self.row_length, self.row_length
        rows = tokens.reshape(shape)
        drums = np.repeat(is_drum_kit(rows), self.row_length, 1)[..., None]
        return (tokens >= NOTE_ON) & (tokens < SHIFT) & ~drums
