"""What a model reads and writes: a `Form` of `Stream`s."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from mvae.errors import InputError
from mvae.music import instruments, reading
from mvae.music.codec import Codec, GridNotes
from mvae.music.meter import FOUR_FOUR, Meter
from mvae.music.notes import Notes, Score
from mvae.music.tracks import Rule


class Sound(NamedTuple):
    """How a stream is played: by a General MIDI program or the drum kit, and on which track."""

    program: int
    track: int
    is_drum: bool = False


@dataclasses.dataclass(frozen=True)
class Stream:
    """One part of the music, such as the bass.

    Attributes:
        name: unique within a form. codec: its notes <-> its columns.
        rule: which tracks of a file it is made of. sound: how it is played.
        tonal: whether transposition moves it.
    """

    name: str
    codec: Codec
    rule: Rule
    sound: Sound
    tonal: bool = True


@dataclasses.dataclass(frozen=True)
class Form:
    """A fixed number of bars in one meter for one or several streams.

    A piece is int32 [T, K]: T rows, and the columns of all parts side by side, the streams and then
    the conditions. `split` gives each stream its own, `told` each condition, and `join` puts them
    all together again. A row is a step of the grid, but for streams that write a bar as events. A
    model unfolds a piece segment by segment: bars, or the instruments of a band.

    Attributes:
        name: in the registry (mvae.music.forms). streams: at least one. bars: length.
        steps_per_quarter: of the grid. meter: of all bars.
        conditions: what a model is told of every step and does not write, such as its chord.
    """

    name: str
    streams: tuple[Stream, ...]
    bars: int
    steps_per_quarter: int = 4
    meter: Meter = FOUR_FOUR
    conditions: tuple[Stream, ...] = ()

    def __post_init__(self) -> None:
        if self.bars < 1:
            raise InputError(f'a window has at least 1 bar, not {self.bars}')

    @property
    def steps(self) -> int:
        """T, rows of a window."""
        return self.bars * self.rows_per_bar

    @property
    def rows_per_bar(self) -> int:
        return self.streams[0].codec.rows(self.steps_per_bar)

    @property
    def segments(self) -> int:
        """U, which a hierarchical model unfolds one after the other."""
        return self.bars * self.streams[0].codec.segments

    @property
    def steps_per_segment(self) -> int:
        """S, rows of a segment."""
        return self.steps // self.segments

    @property
    def steps_per_bar(self) -> int:
        return self.meter.bar(self.steps_per_quarter)

    @property
    def steps_per_beat(self) -> int:
        return self.meter.beat(self.steps_per_quarter)

    @property
    def parts(self) -> tuple[Stream, ...]:
        """All that a piece has columns of: streams, and then conditions."""
        return self.streams + self.conditions

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many values each of the K columns has."""
        return tuple(size for part in self.parts for size in part.codec.sizes)

    @cached_property
    def layout(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Of each stream the name of its head and the sizes of its columns: what a model needs."""
        return tuple((stream.codec.head, stream.codec.sizes) for stream in self.streams)

    @cached_property
    def told_layout(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Of each condition the name of its reader and the sizes of its columns."""
        return tuple((told.codec.head, told.codec.sizes) for told in self.conditions)

    @property
    def rules(self) -> list[tuple[str, Codec, Rule]]:
        """Name, codec and rule of each stream, as `tracks.choose_tracks` takes them."""
        return [(stream.name, stream.codec, stream.rule) for stream in self.streams]

    @cached_property
    def _borders(self) -> list[int]:
        return np.cumsum([len(part.codec.sizes) for part in self.parts])[:-1].tolist()

    def split_parts(self, pieces: np.ndarray) -> tuple[np.ndarray, ...]:
        """[..., K] -> of each part its columns [..., C]."""
        return tuple(np.split(np.asarray(pieces), self._borders, axis=-1))

    def split(self, pieces: np.ndarray) -> tuple[np.ndarray, ...]:
        """[..., K] -> of each stream its columns [..., C]."""
        return self.split_parts(pieces)[: len(self.streams)]

    def told(self, pieces: np.ndarray) -> tuple[np.ndarray, ...]:
        """[..., K] -> of each condition its columns [..., C]."""
        return self.split_parts(pieces)[len(self.streams) :]

    def join(self, parts: Sequence[Any]) -> np.ndarray:
        """Of each part [..., C] -> int32 [..., K]."""
        return np.concatenate([np.asarray(part) for part in parts], -1).astype(np.int32)

    def happens(self, pieces: np.ndarray) -> np.ndarray:
        """Where a stream of pieces [..., K] has anything but zeros: bool [...]."""
        return np.asarray(np.concatenate(self.split(pieces), -1).any(-1))

    def judged(self, pieces: np.ndarray) -> np.ndarray:
        """Of pieces [..., K] the columns by which music is the same: see `Codec.judged`."""
        own = zip(self.streams, self.split(pieces), strict=True)
        return np.concatenate([stream.codec.judged(columns) for stream, columns in own], -1)

    def tell(self, told: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
        """Of each condition its columns int32 [..., T, C]; zeros for those that told lacks.

        told: by name, arrays of integers or what a user writes, such as {'chords': 'C G Am F'}.
        Raises InputError for unknown names, and for what the condition cannot be.
        """
        names = [condition.name for condition in self.conditions]
        for name in told:
            if name not in names:
                what = f'it is told {" and ".join(names)}' if names else 'it is told nothing'
                raise InputError(f'a model of {self.name} is not told {name}; {what}')
        return tuple(self._told(part, told.get(part.name)) for part in self.conditions)

    def _told(self, part: Stream, value: Any) -> np.ndarray:
        sizes = part.codec.sizes
        if value is None:
            return np.zeros((self.steps, len(sizes)), np.int32)
        if isinstance(value, str):
            steps = self.bars * self.steps_per_bar
            return self.beside([part.codec.parse(value, self.steps_per_bar, steps)], None)[0]
        columns = np.asarray(value)
        good = columns.dtype.kind in 'iu' and columns.shape[-2:] == (self.steps, len(sizes))
        if not good or (columns < 0).any() or (columns >= sizes).any():
            raise InputError(
                f'{part.name} are integers from 0 of shape [{self.steps}, {len(sizes)}], below '
                f'{max(sizes)}; these are {columns.dtype} {list(columns.shape)}'
            )
        return columns.astype(np.int32)

    def beside(
        self, told: Sequence[np.ndarray], columns: np.ndarray | None
    ) -> tuple[np.ndarray, ...]:
        """Of each condition what holds at each step, [steps, C], as it stands in rows: [T, C].

        columns: of the first stream, [T, C]; see `Codec.beside`.
        """
        return tuple(self.streams[0].codec.beside(part, columns) for part in told)

    def told_by_step(self, piece: np.ndarray) -> tuple[np.ndarray, ...]:
        """What a piece [T, K] says of each condition at each step of the grid: [steps, C] each."""
        first = self.split(piece)[0]
        return tuple(self.streams[0].codec.by_step(part, first) for part in self.told(piece))

    def symbols(self, piece: np.ndarray) -> list[tuple[int, str]]:
        """What is written above a piece [T, K], such as its chords: steps and words."""
        own = zip(self.conditions, self.told_by_step(piece), strict=True)
        return sorted(found for part, columns in own for found in part.codec.symbols(columns))

    def timed_symbols(self, piece: np.ndarray, qpm: float) -> list[tuple[float, str]]:
        """Those with their times in seconds, at qpm quarters per minute."""
        seconds = 60 / (qpm * self.steps_per_quarter)
        return [(step * seconds, words) for step, words in self.symbols(piece)]

    def read(self, score: Score) -> tuple[np.ndarray, str]:
        """One window of a score and what was taken, in a few words; see `reading.read`."""
        return reading.read(score, self)

    def read_whole(self, score: Score) -> tuple[np.ndarray, str]:
        """All bars of a score as one piece, and what was taken; see `reading.read_whole`."""
        return reading.read_whole(score, self)

    def read_all(self, score: Score) -> np.ndarray:
        """All of a score, window after window: int32 [W, T, K]; see `reading.read_all`."""
        return reading.read_all(score, self)

    def write(self, piece: np.ndarray, qpm: float = 120.0) -> Notes:
        """The notes of a piece int [T, K] of any length, at qpm quarters per minute.

        Streams that write a bar as events take whole bars.

        Raises InputError if it is no piece of this form.
        """
        piece = np.asarray(piece)
        if piece.ndim == 2:
            self.check(piece[None], len(piece))
        else:
            raise InputError(f'a piece of {self.name} is of shape [T, {len(self.sizes)}]')
        if self.streams[0].codec.ensemble and len(piece) % self.rows_per_bar:
            bar = f'{self.rows_per_bar} rows'
            raise InputError(f'a bar of {self.name} has {bar}; {len(piece)} are no whole bars')
        seconds = 60 / (qpm * self.steps_per_quarter)
        parts = []
        for _, sound, notes in self.players(piece):
            times = (notes.start + notes.late) * seconds, (notes.end + notes.late) * seconds
            looks = sound.program, sound.is_drum, sound.track
            parts.append(Notes.make(*times, notes.pitch, notes.velocity, *looks))
        return Notes.concatenate(parts)

    def players(self, piece: np.ndarray) -> list[tuple[Stream, Sound, GridNotes]]:
        """Who plays what in a piece [T, K]: each stream, or each instrument of an ensemble."""
        found = []
        for stream, columns in zip(self.streams, self.split(piece), strict=True):
            notes = stream.codec.decode(columns)
            own = _players(notes) if stream.codec.ensemble else [(stream.sound, notes)]
            found += [(stream, sound, notes) for sound, notes in own]
        return found

    def seconds(self, rows: float, qpm: float) -> float:
        """How long so many rows of whole bars last at qpm quarters per minute."""
        steps = rows * self.steps_per_bar / self.rows_per_bar
        return steps * 60 / (qpm * self.steps_per_quarter)

    def canonical(self, piece: np.ndarray) -> np.ndarray:
        """The piece [T, K] that sounds the same and that notes can express; same dtype."""
        own = zip(self.streams, self.split(piece), strict=True)
        parts = [stream.codec.canonical(columns) for stream, columns in own]
        grid = zip(self.conditions, self.told_by_step(piece), strict=True)
        told = [part.codec.canonical(columns) for part, columns in grid]
        both = [*parts, *self.beside(told, parts[0])]
        return np.concatenate(both, -1).astype(np.asarray(piece).dtype)

    def clean(self, windows: np.ndarray) -> np.ndarray:
        """Windows [N, T, K] without what only the music before them explains."""
        own = zip(self.parts, self.split_parts(windows), strict=True)
        return np.concatenate([part.codec.clean(columns) for part, columns in own], -1)

    def check(self, pieces: Any, steps: int | None = None) -> np.ndarray:
        """Pieces as int32 [B, T, K], B at least 1. Raises InputError if they are none of this form.

        steps: T, that of the form where None.
        """
        try:
            pieces = np.asarray(pieces)
        except ValueError:
            raise InputError(f'tokens of {self.name} lie in rows of unequal length') from None
        steps = self.steps if steps is None else steps
        shape = (steps, len(self.sizes))
        wrong = pieces.ndim != 3 or pieces.shape[1:] != shape or not len(pieces)
        if wrong or pieces.dtype.kind not in 'iu':
            raise InputError(
                f'tokens of {self.name} are integers of shape [B, {steps}, {shape[1]}], '
                f'these are {pieces.dtype} {list(pieces.shape)}'
            )
        names = [part.name for part in self.parts for _ in part.codec.sizes]
        for name, column, size in zip(names, np.moveaxis(pieces, -1, 0), self.sizes, strict=True):
            if column.size and not 0 <= column.min() <= column.max() < size:
                raise InputError(
                    f'{name} tokens lie in 0..{size - 1}, these in {column.min()}..{column.max()}'
                )
        return pieces.astype(np.int32)

    def fingerprint(self) -> dict[str, Any]:
        """What a store or checkpoint must share with the form, as JSON values; length apart.

        4/4 is not said: what was written before there were other meters has no word of it.
        """
        codecs, told = (
            {
                part.name: {'codec': type(part.codec).__name__, **dataclasses.asdict(part.codec)}
                for part in parts
            }
            for parts in (self.streams, self.conditions)
        )
        return {
            'form': self.name,
            'steps_per_bar': self.steps_per_bar,
            'streams': codecs,
            'conditions': told or [],
        } | ({} if self.meter == FOUR_FOUR else {'meter': str(self.meter)})

    def __str__(self) -> str:
        meter = '' if self.meter == FOUR_FOUR else f' in {self.meter}'
        return f'{self.bars}-bar {self.name}{meter}'


def _players(notes: GridNotes) -> list[tuple[Sound, GridNotes]]:
    """The notes of each instrument."""
    numbers = np.unique(notes.part)
    own = zip(numbers, *(column.tolist() for column in instruments.played(numbers)), strict=True)
    return [
        (Sound(program, track, is_drum), notes.select(notes.part == number))
        for number, track, program, is_drum in own
    ]


def differences(mine: dict[str, Any], other: dict[str, Any]) -> str:
    """How a fingerprint differs from another, in words; '' where it does not."""
    changed = []
    for name in mine | other:
        a, b = mine.get(name), other.get(name)
        if isinstance(a, dict) and isinstance(b, dict):
            inside = differences(a, b)
            changed += [f'{name}: {inside}'] if inside else []
        elif isinstance(a, dict) or isinstance(b, dict):
            changed.append(f'also {name}' if b is None else f'no {name}')
        elif a != b:
            changed.append(f'{name} {a} instead of {b}')
    return ', '.join(changed)
