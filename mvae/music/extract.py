"""A score's token streams and the windows in them: what a training set takes from one file."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mvae.errors import InputError
from mvae.music import trio
from mvae.music.drums import encode_drums
from mvae.music.melody import encode_line, is_monophonic, take_line
from mvae.music.notes import Score
from mvae.music.pieces import STEPS_PER_QUARTER, Piece, split_pieces
from mvae.music.reasons import Reason, Rejected
from mvae.music.vocabulary import KINDS, STREAMS, Vocabulary
from mvae.music.windows import (
    clean_leading_note_offs,
    combine_hashes,
    content_hash,
    find_segments,
    slice_windows,
    window_bars,
)


@dataclass(frozen=True)
class ExtractSettings:
    """What is taken from a file.

    Attributes:
        vocabulary: token ids.
        kinds: of KINDS. bars: lengths of windows; the hop is one bar.
        max_rest_bars: a melody, bass line or drum track is cut where it rests for so many bars or
            more; the paper allows one bar of rest (section 5.1).
        trio_gap_bars: how long a part of a trio may rest, see trio.covered_bars.
        trio_silent_streams: whether to take trio windows in which a part has no onset at all.
        polyphony: 'top' takes the highest of notes that start together and lets a note end where
            the next one starts; 'reject' takes only tracks without notes that sound together.
        min_pitch_classes: different pitch classes that a segment between rests must have (melody
            and bass).
        melody_programs, bass_programs: first and last General MIDI program.
        max_bars_per_piece: the rest of a longer piece is left out.
        max_notes, max_steps: files with more notes, or longer pieces, are rejected whole.
        steps_per_quarter: the grid; a bar has four quarters.
    """

    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    kinds: tuple[str, ...] = KINDS
    bars: tuple[int, ...] = (2, 16)
    max_rest_bars: int = 1
    trio_gap_bars: int = 2
    trio_silent_streams: bool = False
    polyphony: str = 'top'
    min_pitch_classes: int = 1
    melody_programs: tuple[int, int] = (0, 31)
    bass_programs: tuple[int, int] = (32, 39)
    max_bars_per_piece: int = 1024
    max_notes: int = 250_000
    max_steps: int = 2**20
    steps_per_quarter: int = STEPS_PER_QUARTER

    def __post_init__(self):
        if self.polyphony not in ('top', 'reject'):
            raise InputError(f'polyphony {self.polyphony!r}: give top or reject')
        if unknown := [kind for kind in self.kinds if kind not in KINDS]:
            raise InputError(f'kind {unknown[0]!r}: give one of {", ".join(KINDS)}')
        if not self.bars or min(self.bars) < 1:
            raise InputError(f'bars {self.bars}: give at least one length, each of 1 bar or more')
        if self.max_rest_bars < 1 or self.trio_gap_bars < 0:
            raise InputError('max_rest_bars must be at least 1, trio_gap_bars at least 0')


@dataclass(frozen=True, eq=False)
class Extraction:
    """What one file gives.

    Attributes:
        tokens: uint16 [total], all streams that a window uses, one after the other, each of whole
            bars and stored once.
        windows: (kind, bars) -> int64 [N, K], offsets into tokens: stream k of window n is the bars
            * 16 tokens from there on (before clean_leading_note_offs). Each content occurs once.
            All kinds and bars are there.
        hashes: (kind, bars) -> uint64 [N], of the content (cleaned).
        rejections: (kind, reason) -> count, in the units of Reason; kind 'file' is for pieces that
            serve none.
    """

    tokens: np.ndarray
    windows: dict[tuple[str, int], np.ndarray]
    hashes: dict[tuple[str, int], np.ndarray]
    rejections: Counter


def extract(score: Score, settings: ExtractSettings) -> Extraction:
    """Takes all windows of all kinds from a score.

    Raises Rejected if the file as a whole is of no use: EMPTY, TOO_LARGE, or WRONG_METER
    throughout.
    """
    if len(score.notes) > settings.max_notes:
        detail = f'{len(score.notes):,} notes are more than the {settings.max_notes:,} allowed for one file'
        raise Rejected(Reason.TOO_LARGE, detail)
    pieces, reasons = split_pieces(score, settings.steps_per_quarter)
    if not pieces:
        raise Rejected(
            *(
                (Reason.WRONG_METER, NO_FOUR_QUARTERS)
                if reasons
                else (Reason.EMPTY, 'no notes in the file')
            )
        )
    steps = max(piece.total_steps for piece in pieces)
    if steps > settings.max_steps:
        raise Rejected(
            Reason.TOO_LARGE,
            f'{steps:,} sixteenths without a break, more than the {settings.max_steps:,} allowed',
        )
    collector = _Collector(settings)
    collector.rejections.update(('file', reason) for reason in reasons)
    for piece in pieces:
        collector.add(piece)
    return collector.finish()


NO_FOUR_QUARTERS = 'no bars of four quarters (4/4, 2/2); mvae knows no other meter'


class _Stream:
    """The tokens of one track from the beginning of a piece to its end, and where windows may lie
    in it.
    """

    def __init__(self, number: int, tokens: np.ndarray, steps_per_bar: int, pitched: bool):
        self.number, self.tokens = number, tokens
        self._steps_per_bar, self._pitched = steps_per_bar, pitched
        self._facts: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.segments = self.covered = np.zeros(0)

    def facts(self, bars: int) -> tuple[np.ndarray, np.ndarray]:
        """Of the window at every bar, cleaned: hash uint64 [n], and whether it is silent, bool [n]."""
        if bars not in self._facts:
            first = np.arange(len(self.tokens) // self._steps_per_bar - bars + 1)
            windows = slice_windows(self.tokens, first, bars, self._steps_per_bar)
            if self._pitched:
                windows = clean_leading_note_offs(windows)
            self._facts[bars] = content_hash(windows), ~windows.any(1)
        return self._facts[bars]


class _Collector:
    def __init__(self, settings: ExtractSettings):
        self.settings = settings
        self.rejections: Counter = Counter()
        self._streams: list[_Stream] = []
        self._found = {(kind, bars): [] for kind in settings.kinds for bars in settings.bars}

    def add(self, piece: Piece) -> None:
        bars = min(-(-piece.total_steps // piece.steps_per_bar), self.settings.max_bars_per_piece)
        if bars < min(self.settings.bars):
            self.rejections.update((kind, Reason.TOO_SHORT) for kind, _ in self._found)
            return
        streams = {
            'melody': self._add_lines('melody', piece, bars, self.settings.melody_programs),
            'bass': self._add_lines('bass', piece, bars, self.settings.bass_programs),
            'drums': self._add_drums(piece, bars),
        }
        for kind in self.settings.kinds:
            if kind == 'trio':
                self._find_trios(streams, bars)
            else:
                self._find_windows(kind, streams[kind])

    def finish(self) -> Extraction:
        """Drops windows that occur twice and streams that none uses."""
        used: set[int] = set()
        windows, hashes = {}, {}
        for (kind, bars), found in self._found.items():
            streams = [np.zeros((0, len(STREAMS[kind])), np.int64)] + [
                numbers for numbers, _, _ in found
            ]
            streams = np.concatenate(streams)
            starts = np.concatenate([np.zeros(0, np.int64)] + [first for _, first, _ in found])
            own = np.concatenate([np.zeros(0, np.uint64)] + [hashed for _, _, hashed in found])
            first = np.sort(np.unique(own, return_index=True)[1])
            if len(first) < len(own):
                self.rejections[kind, Reason.DUPLICATE] += len(own) - len(first)
            windows[kind, bars], hashes[kind, bars] = (streams[first], starts[first]), own[first]
            used.update(np.unique(streams[first]).tolist())
        bases = np.zeros(len(self._streams), np.int64)
        tokens = [self._streams[number].tokens for number in sorted(used)]
        lengths = [len(stream) for stream in tokens]
        bases[sorted(used)] = np.cumsum(lengths, dtype=np.int64) - lengths
        return Extraction(
            tokens=np.concatenate([np.zeros(0, np.uint16), *tokens]),
            windows={
                key: bases[numbers] + starts[:, None] for key, (numbers, starts) in windows.items()
            },
            hashes=hashes,
            rejections=self.rejections,
        )

    def _reject(self, kind: str, reason: Reason, count: int = 1) -> None:
        if count and kind in self.settings.kinds:
            self.rejections[kind, reason] += int(count)

    def _stream(
        self, tokens: np.ndarray, piece: Piece, start: np.ndarray, end: np.ndarray, pitched: bool
    ) -> _Stream:
        stream = _Stream(len(self._streams), tokens, piece.steps_per_bar, pitched)
        total_bars = len(tokens) // piece.steps_per_bar
        stream.covered = trio.covered_bars(
            start, end, total_bars, self.settings.trio_gap_bars, piece.steps_per_bar
        )
        self._streams.append(stream)
        return stream

    def _segments(
        self, start: np.ndarray, end: np.ndarray, piece: Piece, bars: int
    ) -> tuple[np.ndarray, np.ndarray]:
        rest = self.settings.max_rest_bars * piece.steps_per_bar
        segments, segment_of = find_segments(start, end, rest, piece.steps_per_bar)
        return np.minimum(segments, bars), segment_of

    def _add_lines(
        self, kind: str, piece: Piece, bars: int, programs: tuple[int, int]
    ) -> list[_Stream]:
        vocabulary = self.settings.vocabulary
        inside = (piece.program >= programs[0]) & (piece.program <= programs[1]) & ~piece.is_drum
        inside &= (piece.pitch >= vocabulary.min_pitch) & (piece.pitch <= vocabulary.max_pitch)
        streams, polyphonic = [], 0
        for track in np.unique(piece.track[inside]):
            own = inside & (piece.track == track)
            start, end, pitch = piece.start[own], piece.end[own], piece.pitch[own]
            if self.settings.polyphony == 'reject' and not is_monophonic(start, end):
                polyphonic += 1
                continue
            line = take_line(start, end, pitch)
            stream = self._stream(
                encode_line(line, bars * piece.steps_per_bar, vocabulary), piece, start, end, pitched=True
            )  # fmt: skip
            segments, segment_of = self._segments(line.start, line.end, piece, bars)
            if self.settings.min_pitch_classes > 1:
                classes = np.zeros((len(segments), 12), bool)
                classes[segment_of, line.pitch % 12] = True
                rich = classes.sum(1) >= self.settings.min_pitch_classes
                self._reject(kind, Reason.ONE_PITCH_CLASS, (~rich).sum())
                segments = segments[rich]
            stream.segments = segments
            streams.append(stream)
        self._reject(kind, Reason.POLYPHONIC, polyphonic)
        if not streams and not polyphonic:
            self._reject(kind, NO_STREAM[kind])
        return streams

    def _add_drums(self, piece: Piece, bars: int) -> list[_Stream]:
        """All drum notes of the piece as one stream.

        Magenta merges them for drums but keeps each drum instrument apart for trios. Files of type
        1 often put kick, snare and hi-hat on MIDI tracks of their own, which only together are the
        drums; so they are merged here for both.
        """
        vocabulary = self.settings.vocabulary
        own = piece.is_drum & (vocabulary.drum_classes()[piece.pitch] >= 0)
        if not own.any():
            self._reject('drums', Reason.NO_DRUMS)
            return []
        start, end = piece.start[own], piece.end[own]
        tokens = encode_drums(start, piece.pitch[own], bars * piece.steps_per_bar, vocabulary)
        stream = self._stream(tokens, piece, start, end, pitched=False)
        hits = np.unique(start)
        stream.segments, _ = self._segments(hits, hits + 1, piece, bars)
        return [stream]

    def _find_windows(self, kind: str, streams: list[_Stream]) -> None:
        for bars in self.settings.bars:
            for stream in streams:
                first = window_bars(stream.segments, bars)
                if not len(first):
                    if len(stream.segments):
                        extent = stream.segments[-1, 1] - stream.segments[0, 0]
                        self._reject(kind, Reason.RESTS if extent >= bars else Reason.TOO_SHORT)
                    continue
                hashes, silent = (fact[first] for fact in stream.facts(bars))
                self._keep(
                    kind, bars, np.full((len(first), 1), stream.number), first, hashes, silent
                )

    def _find_trios(self, streams: dict[str, list[_Stream]], total_bars: int) -> None:
        missing = [part for part in STREAMS['trio'] if not streams[part]]
        if missing:
            for part in missing:
                self._reject('trio', NO_STREAM[part])
            return
        covered = [
            np.stack([stream.covered for stream in streams[part]]) for part in STREAMS['trio']
        ]
        together = trio.cover_together(
            covered[0], covered[1], covered[2][0], self.settings.trio_gap_bars
        )
        combine: Callable = np.logical_and if self.settings.trio_silent_streams else np.logical_or
        for bars in self.settings.bars:
            melody, bass, first = trio.find_trio_windows(together, bars)
            if not len(first):
                self._reject('trio', Reason.TOO_SHORT if total_bars < bars else Reason.NOT_TOGETHER)
                continue
            chosen = melody, bass, np.zeros_like(first)
            numbers, hashes, silent = [], [], []
            for part, index in zip(STREAMS['trio'], chosen, strict=True):
                facts = [stream.facts(bars) for stream in streams[part]]
                hashes.append(np.stack([fact[0] for fact in facts])[index, first])
                silent.append(np.stack([fact[1] for fact in facts])[index, first])
                numbers.append(np.array([stream.number for stream in streams[part]])[index])
            self._keep(
                'trio',
                bars,
                np.stack(numbers, 1),
                first,
                combine_hashes(*hashes),
                combine.reduce(silent),
            )

    def _keep(self, kind: str, bars: int, numbers, first, hashes, silent) -> None:
        self._reject(kind, Reason.SILENT, silent.sum())
        kept = ~silent
        steps_per_bar = 4 * self.settings.steps_per_quarter
        self._found[kind, bars].append((numbers[kept], first[kept] * steps_per_bar, hashes[kept]))


NO_STREAM = {'melody': Reason.NO_MELODY, 'bass': Reason.NO_BASS, 'drums': Reason.NO_DRUMS}
