"""Which tracks of a file a stream is made of: one rule for building datasets and reading files.

A build takes windows of all tracks that serve, reading one file takes the best of them.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np

from mvae.music import instruments
from mvae.music.chords import chord_notes
from mvae.music.codec import Codec, GridNotes
from mvae.music.columns import run_starts
from mvae.music.harmony import infer
from mvae.music.reasons import Reason
from mvae.music.sections import Section
from mvae.music.symbols import NO_CHORD

BASSES = range(32, 40)  # General MIDI programs
_UNPITCHED = (*range(96, 104), *range(112, 128))  # programs without a say in harmony
_ENDLESS = 2**40
# In steps. Notes that begin nearer to each other than this are one chord.
_APART = 0.25
ALL_DRUMS = -1  # the number of the track that all drum notes of a file make together
HARMONY = -2  # that of its chords
EVERYONE = -3  # and of the one that all its notes make


@dataclasses.dataclass(frozen=True, eq=False)
class Track:
    """One track of a file, as far as a codec can express it.

    Attributes:
        sections: of the file. number: as in `Notes.track`, or ALL_DRUMS or EVERYONE. place: among
            the file's tracks, from 1. program: General MIDI.
    """

    sections: Sequence[Section]
    codec: Codec
    number: int
    place: int
    program: int

    def mask(self, section: Section) -> np.ndarray:
        """Which notes of a section are the track's: bool [N]."""
        if self.number == EVERYONE:
            return self.codec.expresses(section.pitch)
        if self.number == ALL_DRUMS:
            return section.is_drum & self.codec.expresses(section.pitch)
        own = (section.track == self.number) & ~section.is_drum
        return own & self.codec.expresses(section.pitch)

    def notes(self, section: Section) -> GridNotes:
        """Its notes in a section, in the order of the file."""
        own = np.flatnonzero(self.mask(section))
        late, part = section.onset[own] - section.start[own], np.zeros(len(own), np.int64)
        if self.number == EVERYONE:
            part = instruments.number(section.track, section.program, section.is_drum)[own]
        times = section.start[own], section.end[own]
        return GridNotes.make(*times, section.pitch[own], section.velocity[own], late, part)

    def count_fallen(self, section: Section, steps: slice = slice(None)) -> int:
        """How many notes share a step, which they do not share in the file, with one before them.

        steps: those of the section that are looked at.
        """
        own = self.mask(section)
        first, last = steps.start or 0, section.total_steps if steps.stop is None else steps.stop
        own &= (section.start >= first) & (section.start < last)
        if not own.any():
            return 0
        start, onset = section.start[own], section.onset[own]
        slot = self.codec.slots(section.pitch[own])
        order = np.lexsort((onset, start, slot))
        start, onset, slot = start[order], onset[order], slot[order]
        first_there = run_starts(start, slot)
        earliest = onset[np.maximum.accumulate(np.where(first_there, np.arange(len(start)), 0))]
        return int((onset - earliest > _APART).sum())

    @cached_property
    def fallen(self) -> int:
        """How many of its notes share a step that they do not share in the file."""
        return sum(self.count_fallen(section) for section in self.sections)

    @cached_property
    def onsets(self) -> int:
        """How many steps notes begin at."""
        return sum(len(np.unique(self.notes(section).start)) for section in self.sections)

    @cached_property
    def pitch(self) -> float:
        """The mean MIDI pitch of its notes."""
        return float(np.concatenate([self.notes(s).pitch for s in self.sections]).mean())


@dataclasses.dataclass(frozen=True, eq=False)
class SilentTrack(Track):
    """A track without notes."""

    def mask(self, section: Section) -> np.ndarray:
        return np.zeros(len(section), bool)


@dataclasses.dataclass(frozen=True, eq=False)
class HarmonyTrack(Track):
    """The chords of a file as notes of their triads: those that it names, else those it implies.

    every: steps of a chord that is implied.
    """

    every: int = 8

    def notes(self, section: Section) -> GridNotes:
        if section.chord_start is not None and section.triads is not None:
            start, triad = section.chord_start, section.triads
        else:
            start, triad = self._implied(section)
        return chord_notes(start, np.append(start[1:], _ENDLESS), triad)

    def _implied(self, section: Section) -> tuple[np.ndarray, np.ndarray]:
        tonal = ~section.is_drum & ~np.isin(section.program, _UNPITCHED)
        if not tonal.any():
            return np.zeros(1, np.int64), np.full(1, NO_CHORD)
        notes = section.onset[tonal], section.offset[tonal], section.pitch[tonal]
        triad = infer(*notes, self.every)
        change = np.flatnonzero(np.diff(triad, prepend=-1))
        return change * self.every, triad[change]


class Rule(ABC):
    """Which tracks may be a stream. A frozen, hashable value, as it is part of a `Form`.

    Attributes:
        missing: why a file without such a track gives nothing.
    """

    missing: Reason

    def tracks(self, sections: Sequence[Section], codec: Codec) -> list[Track]:
        """The tracks of a file that it chooses from, in their order."""
        return list_tracks(sections, codec)

    @abstractmethod
    def claims(self, track: Track) -> bool:
        """Whether the track's program says that it is of this kind."""

    def otherwise(self, free: Sequence[Track]) -> list[Track]:
        """What serves where no track is claimed; [] where nothing does.

        free: the tracks that no other stream of the form has taken or claims.
        """
        return []

    def passed_over(self, free: Sequence[Track]) -> list[Track]:
        """Of tracks that no stream has taken those that other programs would have made its own."""
        return []

    @abstractmethod
    def describe(self, codec: Codec) -> str:
        """What a file must hold for it, for the user whose file does not."""

    @abstractmethod
    def name(self, stream: str, track: Track, total: int) -> str:
        """What was taken, in words."""

    @abstractmethod
    def by(self, track: Track, drum_clues: Iterable[str]) -> str:
        """By what a track was chosen, in words; '' where nobody says.

        drum_clues: by what the file's drums are known.
        """


@dataclasses.dataclass(frozen=True)
class Programs(Rule):
    """Pitched tracks with programs first..last; in files without one a single other track.

    That other track is the one with the most onsets, of basses only where there are no others.

    below: that other track is the lowest instead, by its mean MIDI pitch, and must lie below this.
    """

    first: int
    last: int
    missing: Reason
    below: int = 0

    def claims(self, track: Track) -> bool:
        own = self.first <= track.program <= self.last
        return track.number != ALL_DRUMS and own and (track.program in BASSES) == (self.below > 0)

    def otherwise(self, free: Sequence[Track]) -> list[Track]:
        pitched = [track for track in free if track.number != ALL_DRUMS]
        if self.below:
            low = [track for track in pitched if track.pitch < self.below]
            return [min(low, key=lambda track: track.pitch)] if low else []
        others = [track for track in pitched if track.program not in BASSES] or pitched
        return [best(others)] if others else []

    def passed_over(self, free: Sequence[Track]) -> list[Track]:
        """All but drums and basses; of a stream that lies low none."""
        pitched = [track for track in free if track.number != ALL_DRUMS and not self.below]
        return [track for track in pitched if track.program not in BASSES]

    def by(self, track: Track, drum_clues: Iterable[str]) -> str:
        if self.claims(track):
            return f'programs {self.first}-{self.last}'
        return 'the lowest track' if self.below else 'the busiest track'

    def describe(self, codec: Codec) -> str:
        low, high = getattr(codec, 'min_pitch', 0), getattr(codec, 'max_pitch', 127)
        if self.below:
            return (
                f'no track of programs {self.first}..{self.last} and none that lies below MIDI '
                f'pitch {self.below} in the mean'
            )
        return f'no track with notes of the pitches {low}..{high} outside the drums'

    def name(self, stream: str, track: Track, total: int) -> str:
        return f'{stream} track {track.place} of {total}'


@dataclasses.dataclass(frozen=True)
class AllDrums(Rule):
    """All drum notes of the file as one track.

    Files often put kick, snare and hi-hat on MIDI tracks of their own, which only together are the
    drums. (Magenta merges them for drums but keeps them apart for trios.)
    """

    missing: Reason = Reason.NO_DRUMS

    def claims(self, track: Track) -> bool:
        return track.number == ALL_DRUMS

    def describe(self, codec: Codec) -> str:
        return 'no drum notes: give MIDI with General MIDI drums on channel 10'

    def name(self, stream: str, track: Track, total: int) -> str:
        return stream

    def by(self, track: Track, drum_clues: Iterable[str]) -> str:
        return ' and '.join(drum_clues)


@dataclasses.dataclass(frozen=True)
class Harmony(Rule):
    """The chords of all that sounds. every: steps of a chord where the file names none."""

    every: int = 8
    missing: Reason = Reason.NO_MELODY

    def tracks(self, sections: Sequence[Section], codec: Codec) -> list[Track]:
        return [HarmonyTrack(sections, codec, HARMONY, 0, 0, self.every)]

    def claims(self, track: Track) -> bool:
        return True

    def describe(self, codec: Codec) -> str:
        return 'no notes to have chords of'

    def name(self, stream: str, track: Track, total: int) -> str:
        return stream

    def by(self, track: Track, drum_clues: Iterable[str]) -> str:
        named = any(section.triads is not None for section in track.sections)
        return 'symbols in the file' if named else 'what sounds'


@dataclasses.dataclass(frozen=True)
class Everyone(Rule):
    """All notes of the file, whoever plays them."""

    missing: Reason = Reason.EMPTY

    def tracks(self, sections: Sequence[Section], codec: Codec) -> list[Track]:
        return [Track(sections, codec, EVERYONE, 0, 0)] if sections else []

    def claims(self, track: Track) -> bool:
        return track.number == EVERYONE

    def describe(self, codec: Codec) -> str:
        return 'there are no notes; give music with at least one'

    def name(self, stream: str, track: Track, total: int) -> str:
        return f'all {total} tracks'

    def by(self, track: Track, drum_clues: Iterable[str]) -> str:
        return ''


def best(tracks: Sequence[Track]) -> Track:
    """The track with the most onsets, the first of equal ones."""
    return max(tracks, key=lambda track: track.onsets)


def list_tracks(sections: Sequence[Section], codec: Codec) -> list[Track]:
    """The tracks with a note that the codec can express: pitched ones, then all drums together."""
    if not sections:
        return []
    track = np.concatenate([s.track for s in sections])
    program = np.concatenate([s.program for s in sections])
    is_drum = np.concatenate([s.is_drum for s in sections])
    expressed = codec.expresses(np.concatenate([s.pitch for s in sections]))
    numbers, first, place = np.unique(track, return_index=True, return_inverse=True)
    pitched = np.unique(place[expressed & ~is_drum]).tolist()
    programs = program[first].tolist()
    # In the order of the file.
    found = [Track(sections, codec, int(numbers[n]), n + 1, programs[n]) for n in pitched]
    if (expressed & is_drum).any():
        found.append(Track(sections, codec, ALL_DRUMS, 0, 0))
    return found


def told_tracks(rule: Rule, sections: Sequence[Section], codec: Codec) -> list[Track]:
    """Those that a condition is made of: one, or none where the file lacks it."""
    return [track for track in rule.tracks(sections, codec) if rule.claims(track)][:1]


def count_tracks(sections: Sequence[Section]) -> int:
    """How many tracks with notes there are, drums among them."""
    return len(np.unique(np.concatenate([section.track for section in sections])))


def choose_tracks(
    streams: Sequence[tuple[str, Codec, Rule]], tracks_of: Callable[[Rule, Codec], list[Track]]
) -> dict[str, list[Track]]:
    """The tracks that may be each stream of a form, in the order of the file; [] where none may.

    A stream whose own tracks are missing gets what serves otherwise. It never gets the best track
    of a stream before it, or one that a stream after it claims.

    streams: name, codec and rule of each. tracks_of: the file's tracks, of `Rule.tracks`.
    """
    chosen: dict[str, list[Track]] = {}
    for n, (name, codec, rule) in enumerate(streams):
        tracks = tracks_of(rule, codec)
        own = [track for track in tracks if rule.claims(track)]
        if not own:
            taken = {best(before).number for before in chosen.values() if before}
            later = [other for _, _, other in streams[n + 1 :]]
            claimed = {track.number for track in tracks if any(r.claims(track) for r in later)}
            own = rule.otherwise([t for t in tracks if t.number not in taken | claimed])
        chosen[name] = own
    return chosen
