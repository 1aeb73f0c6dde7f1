"""A score's columns and the windows in them: what a training set takes from one file."""

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mvae.errors import InputError
from mvae.music import coverage
from mvae.music.codec import Codec
from mvae.music.form import Form, Stream
from mvae.music.forms import USUAL_FORMS, by_grid, make_form, with_melody_programs
from mvae.music.line import is_monophonic
from mvae.music.notation import Notation
from mvae.music.notes import Score
from mvae.music.reasons import Reason, Rejected
from mvae.music.sections import Section, leave_far_behind, split_sections
from mvae.music.tracks import Rule, SilentTrack, Track, choose_tracks, told_tracks
from mvae.music.voices import Voice, facts_of, pick
from mvae.music.windows import combine_hashes, find_segments, window_bars

Key = tuple[str, int]  # name of a form, bars


@dataclass(frozen=True)
class ExtractSettings:
    """What is taken from a file.

    Attributes:
        notation: what the values of columns mean, and the grid.
        forms: names in the registry. bars: lengths of windows; the hop is one bar.
        max_rest_bars: a form of one stream is cut where the stream rests for so many bars or more;
            the paper allows one bar of rest (section 5.1).
        gap_bars: how long a part may rest where several play together, see coverage.covered_bars.
        silent_streams: whether to take windows of several streams in which one has no onset.
        polyphony: 'top' takes the highest of notes that start together and lets a note end where
            the next one starts; 'reject' takes only tracks without notes that sound together.
        min_pitch_classes: different pitch classes that a segment between rests must have, where the
            stream is tonal.
        max_bars_per_section: the rest of a longer section is left out.
        max_notes: files with more notes are rejected whole.
        max_steps: where notes of a section count as far behind it, and are left out.
        melody_programs: General MIDI programs of melodies, first and last; of a file
            without them its busiest other track. Basses (32..39) are never among them.
        follow_tempo: bars go on where the tempo changes; else windows end there.
    """

    notation: Notation = field(default_factory=Notation)
    forms: tuple[str, ...] = USUAL_FORMS
    bars: tuple[int, ...] = (2, 16)
    max_rest_bars: int = 1
    gap_bars: int = 2
    silent_streams: bool = False
    polyphony: str = 'top'
    min_pitch_classes: int = 1
    max_bars_per_section: int = 1024
    max_notes: int = 250_000
    max_steps: int = 2**20
    melody_programs: tuple[int, int] = (0, 31)
    follow_tempo: bool = True

    def __post_init__(self) -> None:
        if self.polyphony not in ('top', 'reject'):
            raise InputError(f'polyphony {self.polyphony!r}: give top or reject')
        if not self.bars or min(self.bars) < 1:
            raise InputError(f'bars {self.bars}: give at least one length, each of 1 bar or more')
        if self.max_rest_bars < 1 or self.gap_bars < 0:
            raise InputError('max_rest_bars must be at least 1, gap_bars at least 0')
        self.make_forms()

    def make_forms(self) -> tuple[Form, ...]:
        """Each form once, at the shortest length. Raises InputError for unknown names."""
        return _forms(self.forms, min(self.bars), self.notation, self.melody_programs)

    @property
    def keys(self) -> list[Key]:
        """(form, bars) of all windows that are taken."""
        return [(name, bars) for name in self.forms for bars in sorted(set(self.bars))]


@functools.lru_cache
def _forms(
    names: tuple[str, ...], bars: int, notation: Notation, programs: tuple[int, int]
) -> tuple[Form, ...]:
    """Made once for all files."""
    forms = (make_form(name, bars, notation) for name in names)
    return tuple(with_melody_programs(form, *programs) for form in forms)


@dataclass(frozen=True, eq=False)
class Extraction:
    """What one file gives.

    Attributes:
        tokens: uint16 [total], the columns of all tracks that a window uses, one track after the
            other, each row by row, of whole bars, and stored once.
        windows: (form, bars) -> int64 [N, K], offsets into tokens, where stream k of window n
            begins (before `Codec.clean`). Each content occurs once. All forms and bars are there.
        hashes: (form, bars) -> uint64 [N], of the content (cleaned).
        rejections: (form, reason) -> count, in the units of Reason; form 'file' is for sections
            and notes that serve none.
        chosen: (form, stream, by what) -> how many tracks were taken.
    """

    tokens: np.ndarray
    windows: dict[Key, np.ndarray]
    hashes: dict[Key, np.ndarray]
    rejections: Counter[tuple[str, Reason]]
    chosen: Counter[tuple[str, str, str]]


def extract(score: Score, settings: ExtractSettings) -> Extraction:
    """Takes all windows of all forms from a score.

    Raises Rejected if the whole file is of no use: EMPTY, TOO_LARGE, or WRONG_METER throughout.
    """
    if len(score.notes) > settings.max_notes:
        allowed = f'more than the {settings.max_notes:,} allowed for one file'
        raise Rejected(Reason.TOO_LARGE, f'{len(score.notes):,} notes are {allowed}')
    collector = _Collector(settings)
    for grid, forms in by_grid(settings.make_forms()):
        sections, lost = _sections(score, settings, grid)
        collector.lose(lost)
        tracks_of = functools.cache(_tracks_of(sections))
        chosen = {form: choose_tracks(form.rules, tracks_of) for form in forms}
        collector.note(chosen, tracks_of, score.drum_clues)
        for section in sections:
            collector.add(section, chosen)
    return collector.finish()


def _tracks_of(sections: Sequence[Section]) -> Callable[[Rule, Codec], list[Track]]:
    return lambda rule, codec: rule.tracks(sections, codec)


def _sections(
    score: Score, settings: ExtractSettings, grid: int
) -> tuple[list[Section], Counter[Reason]]:
    """The sections on a grid of so many steps to the quarter, and what serves no form, and why."""
    meter = settings.notation.measure
    sections, reasons = split_sections(score, grid, settings.follow_tempo, meter)
    if not sections and reasons:
        raise Rejected(Reason.WRONG_METER, f'no bars of {meter}; --meter takes another')
    if not sections:
        raise Rejected(Reason.EMPTY, 'no notes in the file')
    longest = settings.max_bars_per_section * meter.bar(grid)
    sections, far = leave_far_behind(sections, min(settings.max_steps, longest))
    if not sections:
        most = f'{settings.max_bars_per_section:,} bars'
        raise Rejected(Reason.TOO_LARGE, f'all notes begin behind {most}')
    return sections, Counter({**Counter(reasons), **score.lost, Reason.FAR_BEHIND: far})


class _Collector:
    def __init__(self, settings: ExtractSettings):
        self.settings = settings
        self.rejections: Counter[tuple[str, Reason]] = Counter()
        self.chosen: Counter[tuple[str, str, str]] = Counter()
        self._voices: list[Voice] = []
        # Of each form and length the windows' voices, offsets in them, and hashes.
        self._found: dict[Key, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]
        self._found = {key: [] for key in settings.keys}

    def lose(self, lost: Counter[Reason]) -> None:
        """Takes down what no form can use; of the same file on several grids once."""
        for reason, count in lost.items():
            if count:
                self.rejections['file', reason] = max(count, self.rejections['file', reason])

    def note(
        self,
        chosen: dict[Form, dict[str, list[Track]]],
        tracks_of: Callable[[Rule, Codec], list[Track]],
        drum_clues: Iterable[str],
    ) -> None:
        """Counts what was chosen by what, what was not, and the notes that fall together."""
        for form, taken in chosen.items():
            used = {track.number for tracks in taken.values() for track in tracks}
            for stream in form.streams:
                others = tracks_of(stream.rule, stream.codec)
                left = stream.rule.passed_over([t for t in others if t.number not in used])
                self._reject(form.name, Reason.OTHER_PROGRAM, len(left))
                for track in taken[stream.name]:
                    self.chosen[form.name, stream.name, stream.rule.by(track, drum_clues)] += 1
                    self._reject(form.name, Reason.FELL_TOGETHER, track.fallen)

    def add(self, section: Section, chosen: dict[Form, dict[str, list[Track]]]) -> None:
        whole_bars = -(-section.total_steps // section.steps_per_bar)
        bars = min(whole_bars, self.settings.max_bars_per_section)
        if bars < min(self.settings.bars):
            names = {form.name for form in chosen}
            lost = (form for form, _ in self._found if form in names)
            self.rejections.update((form, Reason.TOO_SHORT) for form in lost)
            return
        made: dict[tuple[Codec, int], Voice | None] = {}  # streams and forms share them
        for form, tracks in chosen.items():
            voices = [
                self._voices_of(form, stream, tracks[stream.name], section, bars, made)
                for stream in form.streams
            ]
            if not all(voices):
                continue
            told = [self._told(part, section, bars, made, voices[0][0]) for part in form.conditions]
            if len(voices) == 1:
                self._find_alone(form, voices[0], told, bars)
            else:
                self._find_together(form, voices, told, bars)

    def _voices_of(
        self,
        form: Form,
        stream: Stream,
        tracks: Sequence[Track],
        section: Section,
        bars: int,
        made: dict[tuple[Codec, int], Voice | None],
    ) -> list[Voice]:
        """The stream's tracks in a section; those that are silent there, or refused, left out."""
        voices, refused = [], 0
        for track in tracks:
            key = stream.codec, track.number
            if key not in made:
                made[key] = self._voice(track, section, bars)
            voice = made[key]
            if voice is not None:
                voices.append(voice)
            elif len(track.notes(section).start):
                refused += 1
        self._reject(form.name, Reason.POLYPHONIC, refused)
        if not voices and not refused:
            self._reject(form.name, stream.rule.missing)
        return voices

    def _voice(self, track: Track, section: Section, bars: int) -> Voice | None:
        notes = track.notes(section)
        strict = self.settings.polyphony == 'reject' and not track.codec.polyphonic
        if not len(notes.start) or (strict and not is_monophonic(notes.start, notes.end)):
            return None
        voice = Voice(len(self._voices), track, notes, section, bars)
        self._voices.append(voice)
        return voice

    def _told(
        self,
        part: Stream,
        section: Section,
        bars: int,
        made: dict[tuple[Codec, int], Voice | None],
        other: Voice,
    ) -> Voice:
        """What a condition says of a section beside a voice: all zeros where the file lacks it."""
        tracks = told_tracks(part.rule, [section], part.codec)
        track = tracks[0] if tracks else SilentTrack([section], part.codec, 0, 0, 0)
        key = part.codec, track.number
        if (voice := made.get(key)) is None:
            notes = track.notes(section)
            made[key] = voice = Voice(len(self._voices), track, notes, section, bars, other)
            self._voices.append(voice)
        return voice

    def finish(self) -> Extraction:
        """Drops windows that occur twice and tracks that none uses."""
        used: set[int] = set()
        windows, hashes = {}, {}
        parts_of = {form.name: len(form.parts) for form in self.settings.make_forms()}
        for (form, bars), found in self._found.items():
            none = np.zeros((0, parts_of[form]), np.int64)
            numbers = np.concatenate([none] + [one for one, _, _ in found])
            starts = np.concatenate([np.zeros(0, np.int64)] + [first for _, first, _ in found])
            own = np.concatenate([np.zeros(0, np.uint64)] + [hashed for _, _, hashed in found])
            first = np.sort(np.unique(own, return_index=True)[1])
            self._reject(form, Reason.DUPLICATE, len(own) - len(first))
            windows[form, bars], hashes[form, bars] = (numbers[first], starts[first]), own[first]
            used.update(numbers[first].ravel().tolist())
        columns = [self._voices[number].columns for number in sorted(used)]
        widths, bases = np.ones((2, len(self._voices)), np.int64)
        widths[sorted(used)] = [part.shape[1] for part in columns]
        bases[sorted(used)] = np.cumsum([0] + [part.size for part in columns])[:-1]
        return Extraction(
            tokens=np.concatenate([np.zeros(0, np.uint16), *(part.ravel() for part in columns)]),
            windows={
                key: bases[numbers] + starts[:, None] * widths[numbers]
                for key, (numbers, starts) in windows.items()
            },
            hashes=hashes,
            rejections=self.rejections,
            chosen=self.chosen,
        )

    def _reject(self, form: str, reason: Reason, count: int = 1) -> None:
        if count:
            self.rejections[form, reason] += int(count)

    def _segments(self, form: Form, voice: Voice, bars: int) -> np.ndarray:
        """Where windows of a form of one stream may lie: int64 [M, 2], first bar and end."""
        rest = self.settings.max_rest_bars * form.steps_per_bar
        start, end = voice.kept.start, voice.kept.end
        if not len(start):
            return np.zeros((0, 2), np.int64)
        segments, segment_of = find_segments(start, end, rest, form.steps_per_bar)
        if form.streams[0].tonal and self.settings.min_pitch_classes > 1:
            classes = np.zeros((len(segments), 12), bool)
            classes[segment_of, voice.kept.pitch % 12] = True
            rich = classes.sum(1) >= self.settings.min_pitch_classes
            self._reject(form.name, Reason.ONE_PITCH_CLASS, (~rich).sum())
            segments = segments[rich]
        return np.minimum(segments, bars)

    def _find_alone(
        self, form: Form, voices: Sequence[Voice], told: Sequence[Voice], total_bars: int
    ) -> None:
        segments = [self._segments(form, voice, total_bars) for voice in voices]
        for voice in voices:
            for reason, count in voice.refused.items():
                self._reject(form.name, reason, count)
        for bars in sorted(set(self.settings.bars)):
            for voice, own in zip(voices, segments, strict=True):
                first = window_bars(own, bars)
                if len(first):
                    first = self._rich(form, voice, first, bars)
                    facts = voice.facts(bars)
                    hashes, silent = facts.hashes[first], facts.silent[first]
                    numbers = np.full((len(first), 1), voice.number)
                    self._keep(form, bars, numbers, told, first, hashes, silent)
                elif len(own):
                    long = own[-1, 1] - own[0, 0] >= bars
                    self._reject(form.name, Reason.RESTS if long else Reason.TOO_SHORT)

    def _rich(self, form: Form, voice: Voice, first: np.ndarray, bars: int) -> np.ndarray:
        """The windows at bars first [n] without those that have too little to learn from."""
        kept = np.ones(len(first), bool)
        for reason, thin in voice.facts(bars).thin.items():
            self._reject(form.name, reason, int(thin[first].sum()))
            kept &= ~thin[first]
        return first[kept]

    def _find_together(
        self,
        form: Form,
        voices: Sequence[Sequence[Voice]],
        told: Sequence[Voice],
        total_bars: int,
    ) -> None:
        """Windows of several streams; voices: of each stream those that may be it."""
        covered = [
            np.stack([self._covered(form, voice, total_bars) for voice in own]) for own in voices
        ]
        together = coverage.cover_together(covered, self.settings.gap_bars)
        combine = np.logical_and if self.settings.silent_streams else np.logical_or
        for bars in sorted(set(self.settings.bars)):
            choice, first = coverage.find_common_windows(together, bars)
            tracks = pick(voices, choice, lambda voice: voice.track)
            apart = np.diff(np.sort(tracks, 0), axis=0).all(0)  # no track is two parts
            choice, first = choice[apart], first[apart]
            if not len(first):
                short = total_bars < bars
                self._reject(form.name, Reason.TOO_SHORT if short else Reason.NOT_TOGETHER)
                continue
            hashes, silent = facts_of(voices, choice, first, bars)
            numbers = pick(voices, choice, lambda voice: voice.number).T
            hashed = combine_hashes(hashes)
            silence = combine.reduce(silent)
            self._keep(form, bars, numbers, told, first, hashed, silence)

    def _covered(self, form: Form, voice: Voice, total_bars: int) -> np.ndarray:
        gap = self.settings.gap_bars
        notes = voice.notes
        return coverage.covered_bars(notes.start, notes.end, total_bars, gap, form.steps_per_bar)

    def _keep(
        self,
        form: Form,
        bars: int,
        numbers: np.ndarray,
        told: Sequence[Voice],
        first: np.ndarray,
        hashes: np.ndarray,
        silent: np.ndarray,
    ) -> None:
        """The windows that are not silent; of each its voices [N, K], first bar and hash [N]."""
        self._reject(form.name, Reason.SILENT, silent.sum())
        kept, starts = ~silent, first * form.rows_per_bar
        if told:
            also = np.tile([voice.number for voice in told], (len(numbers), 1))
            numbers = np.concatenate([numbers, also], 1)
            own = [voice.facts(bars).hashes[first] for voice in told]
            hashes = combine_hashes(np.stack([hashes, *own]))
        self._found[form.name, bars].append((numbers[kept], starts[kept], hashes[kept]))
