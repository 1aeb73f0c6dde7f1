"""One MIDI file of a user as a model's input: the tracks that serve best, padded or cropped to the
window.
"""

from typing import NamedTuple

import numpy as np

from mvae.music.drums import encode_drums
from mvae.music.melody import encode_line, take_line
from mvae.music.notes import Score
from mvae.music.pieces import STEPS_PER_BAR, Piece, split_pieces
from mvae.music.reasons import Reason, Rejected
from mvae.music.vocabulary import FIRST_NOTE_ON, STREAMS, Vocabulary
from mvae.music.windows import clean_leading_note_offs

_PROGRAMS = {'melody': (0, 31), 'bass': (32, 39)}
_MAX_STEPS = 2**20


def pick(score: Score, kind: str, bars: int, vocabulary: Vocabulary) -> tuple[np.ndarray, str]:
    """One window of a score, its best tracks in the place with the most notes.

    Melody: of the tracks with programs 0-31 the one with the most onsets; where there is none, of
    all pitched tracks. Bass: the same with 32-39, else the lowest track. Drums: all drum notes.
    Trio: each of these, no track twice; a part that the file lacks stays silent. Chords give their
    highest note, rests may be of any length, tempo changes are followed. Music longer than the
    window loses its empty bars at the beginning and is cropped; shorter music is padded with holds.

    What codec.decode gives comes back as the same tokens, see codec.canonical.

    Returns:
        tokens int32 [T, K] with T = 16 * bars, and what was done, in a few words.
    Raises Rejected (EMPTY, WRONG_METER, TOO_LARGE, NO_MELODY, NO_BASS, NO_DRUMS).
    """
    pieces = _read_pieces(score)
    chosen, note = _choose_tracks(pieces, kind, vocabulary)
    encoded = [_encode(piece, chosen, kind, vocabulary) for piece in pieces]
    best = int(np.argmax([_count_onsets(tokens, kind) for tokens in encoded]))
    if len(pieces) > 1:
        note += f', part {best + 1} of {len(pieces)} (the meter changes)'
    tokens, total = encoded[best], len(encoded[best]) // STEPS_PER_BAR
    if total > bars:
        first = _first_bar(tokens)
        if first:
            note += f', {_bars(first)} of silence at the beginning left out'
        if total - first > bars:
            note += f', cropped {_bars(total - first)} to {bars}'
        tokens = tokens[first * STEPS_PER_BAR :]
    if len(tokens) < bars * STEPS_PER_BAR:
        note += f', padded {_bars(len(tokens) // STEPS_PER_BAR)} to {bars}'
    return _fit(tokens, bars), note


def pick_all(score: Score, kind: str, bars: int, vocabulary: Vocabulary) -> np.ndarray:
    """All of a score in windows that follow each other without overlap, of the same tracks as pick.

    Each part of one meter begins with its first bar that has a note and is padded at its end;
    silent windows are left out.

    Returns: int32 [N, T, K], N at least 1. Raises Rejected as pick does.
    """
    pieces = _read_pieces(score)
    chosen, _ = _choose_tracks(pieces, kind, vocabulary)
    steps, windows = bars * STEPS_PER_BAR, []
    for piece in pieces:
        tokens = _encode(piece, chosen, kind, vocabulary)
        for begin in range(_first_bar(tokens) * STEPS_PER_BAR, len(tokens), steps):
            window = _fit(tokens[begin : begin + steps], bars)
            for number, stream in enumerate(STREAMS[kind]):
                if stream != 'drums':
                    window[:, number] = clean_leading_note_offs(window[None, :, number])[0]
            if window.any():
                windows.append(window)
    return np.stack(windows)


class _Track(NamedTuple):
    """A pitched part of the file.

    place counts the file's tracks from 1; onsets are distinct steps.
    """

    number: int
    place: int
    program: int
    onsets: int
    pitch: float


def _read_pieces(score: Score) -> list[Piece]:
    pieces, reasons = split_pieces(score, follow_tempo=True)
    if not pieces and reasons:
        meters = zip(
            score.meter_numerators.tolist(), score.meter_denominators.tolist(), strict=True
        )
        names = (
            ', '.join(dict.fromkeys(f'{n}/{d}' for n, d in meters if n != d))
            or 'a meter of its own'
        )
        raise Rejected(
            Reason.WRONG_METER,
            f'the music is in {names}; give music whose bars are four quarters (4/4 or 2/2)',
        )
    if not pieces:
        raise Rejected(Reason.EMPTY, 'there are no notes; give music with at least one')
    if max(piece.total_steps for piece in pieces) > _MAX_STEPS:
        raise Rejected(
            Reason.TOO_LARGE,
            f'the music is longer than {_MAX_STEPS // STEPS_PER_BAR:,} bars; cut it',
        )
    return pieces


def _choose_tracks(
    pieces: list[Piece], kind: str, vocabulary: Vocabulary
) -> tuple[dict[str, int | None], str]:
    """The number of the track for each stream (drums: 0), None for a silent one; and the choice in
    words.
    """
    tracks, total = _list_tracks(pieces, vocabulary)
    melodic, low = (
        [t for t in tracks if first <= t.program <= last] for first, last in _PROGRAMS.values()
    )
    chosen: dict[str, int | None] = {}
    words = []
    for stream in STREAMS[kind]:
        if stream == 'drums':
            has_drums = any(_drum_mask(piece, vocabulary).any() for piece in pieces)
            chosen[stream] = 0 if has_drums else None
            words.append('drums' if has_drums else '')
            continue
        if stream == 'melody':
            # A trio's bass is no melody: it would be heard twice.
            candidates = melodic or [t for t in tracks if kind == 'melody' or t not in low]
            best = max(candidates, key=lambda t: t.onsets, default=None)
        else:
            others = [t for t in tracks if t.number != chosen.get('melody')]
            best = (
                max(low, key=lambda t: t.onsets)
                if low
                else min(others, key=lambda t: t.pitch, default=None)
            )
        chosen[stream] = None if best is None else best.number
        words.append('' if best is None else f'{stream} track {best.place} of {total}')
    missing = [stream for stream, track in chosen.items() if track is None]
    if len(missing) == len(chosen):
        raise Rejected(*_nothing(kind, vocabulary))
    note = ', '.join(filter(None, words)) + (
        f', no {" and no ".join(missing)}: left silent' if missing else ''
    )
    return chosen, note


def _nothing(kind: str, vocabulary: Vocabulary) -> tuple[Reason, str]:
    if kind == 'drums':
        return Reason.NO_DRUMS, 'no drum notes: give MIDI with General MIDI drums on channel 10'
    reason = Reason.NO_BASS if kind == 'bass' else Reason.NO_MELODY
    return (
        reason,
        f'no track with notes of the pitches {vocabulary.min_pitch}..{vocabulary.max_pitch} outside the drums',
    )


def _list_tracks(pieces: list[Piece], vocabulary: Vocabulary) -> tuple[list[_Track], int]:
    """Pitched tracks with notes in the vocabulary's range, and how many tracks the file has in all."""
    numbers = np.unique(np.concatenate([piece.track for piece in pieces]))
    tracks = []
    for place, number in enumerate(numbers.tolist(), 1):
        masks = [_pitch_mask(piece, number, vocabulary) for piece in pieces]
        if any(mask.any() for mask in masks):
            onsets = sum(
                len(np.unique(piece.start[mask])) for piece, mask in zip(pieces, masks, strict=True)
            )
            pitch = np.concatenate(
                [piece.pitch[mask] for piece, mask in zip(pieces, masks, strict=True)]
            )
            program = np.concatenate(
                [piece.program[mask] for piece, mask in zip(pieces, masks, strict=True)]
            )
            tracks.append(_Track(number, place, int(program[0]), onsets, float(pitch.mean())))
    return tracks, len(numbers)


def _pitch_mask(piece: Piece, track: int, vocabulary: Vocabulary) -> np.ndarray:
    in_range = (piece.pitch >= vocabulary.min_pitch) & (piece.pitch <= vocabulary.max_pitch)
    return (piece.track == track) & ~piece.is_drum & in_range


def _drum_mask(piece: Piece, vocabulary: Vocabulary) -> np.ndarray:
    return piece.is_drum & (vocabulary.drum_classes()[piece.pitch] >= 0)


def _encode(
    piece: Piece, chosen: dict[str, int | None], kind: str, vocabulary: Vocabulary
) -> np.ndarray:
    """The chosen tracks of a piece as tokens int32 [whole bars * 16, K]."""
    length = -(-piece.total_steps // STEPS_PER_BAR) * STEPS_PER_BAR
    tokens = np.zeros((length, len(STREAMS[kind])), np.int32)
    for number, stream in enumerate(STREAMS[kind]):
        if chosen[stream] is None:
            continue
        if stream == 'drums':
            own = piece.is_drum
            tokens[:, number] = encode_drums(piece.start[own], piece.pitch[own], length, vocabulary)
        else:
            own = _pitch_mask(piece, chosen[stream], vocabulary)
            line = take_line(piece.start[own], piece.end[own], piece.pitch[own])
            tokens[:, number] = encode_line(line, length, vocabulary)
    return tokens


def _count_onsets(tokens: np.ndarray, kind: str) -> int:
    return sum(
        np.count_nonzero(column if stream == 'drums' else column >= FIRST_NOTE_ON)
        for stream, column in zip(STREAMS[kind], tokens.T, strict=True)
    )


def _first_bar(tokens: np.ndarray) -> int:
    """The bar of the first event; the number of bars if there is none."""
    events = np.flatnonzero(tokens.any(1))
    return int(events[0]) // STEPS_PER_BAR if len(events) else len(tokens) // STEPS_PER_BAR


def _fit(tokens: np.ndarray, bars: int) -> np.ndarray:
    """The first `bars` bars, filled up with holds."""
    window = np.zeros((bars * STEPS_PER_BAR, tokens.shape[1]), np.int32)
    window[: len(tokens)] = tokens[: len(window)]
    return window


def _bars(count: int) -> str:
    return f'{count} bar' if count == 1 else f'{count} bars'
