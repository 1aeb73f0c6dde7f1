"""Small MIDI files for the tests, as bytes."""

from collections.abc import Sequence

import symusic

TICKS = 480
STEP = TICKS // 4

Note = tuple[int, int, int]  # start and length in sixteenths, pitch


def midi(
    melody: Sequence[Note] = (),
    bass: Sequence[Note] = (),
    drums: Sequence[Note] = (),
    meter: tuple[int, int] = (4, 4),
    qpm: float = 120.0,
    name: str = '',
    markers: Sequence[tuple[int, str]] = (),
) -> bytes:
    """A file with up to three tracks: melody (program 0), bass (33), drums (channel 10)."""
    score = symusic.Score(TICKS)
    score.tempos.append(symusic.Tempo(0, qpm))
    score.time_signatures.append(symusic.TimeSignature(0, *meter))
    for step, text in markers:
        score.markers.append(symusic.TextMeta(step * STEP, text))
    for notes, program, is_drum in ((melody, 0, False), (bass, 33, False), (drums, 0, True)):
        if notes:
            track = symusic.Track(name=name, program=program, is_drum=is_drum)
            for start, length, pitch in notes:
                track.notes.append(symusic.Note(start * STEP, length * STEP, pitch, 90))
            score.tracks.append(track)
    return score.dumps_midi()


def tune(seed: int, bars: int = 20) -> list[Note]:
    """A melody of quarter notes that no other seed shares, without a rest."""
    state, notes = seed * 2654435761 % 2**32, []
    for quarter in range(4 * bars):
        state = (1103515245 * state + 12345) % 2**31
        notes.append((4 * quarter, 4, 60 + (state >> 16) % 13))
    return notes


def low(notes: Sequence[Note]) -> list[Note]:
    """The same two octaves below, as a bass line."""
    return [(start, length, pitch - 24) for start, length, pitch in notes]


def beat(seed: int, bars: int = 20) -> list[Note]:
    """A drum track with a kick on every beat and other hits by the seed."""
    hits = [(4 * quarter, 1, 36) for quarter in range(4 * bars)]
    return hits + [(start + 2, 1, 38 + 4 * (pitch % 3)) for start, _, pitch in tune(seed, bars)]


def song(seed: int, bars: int = 20) -> bytes:
    """A file with all three parts."""
    return midi(tune(seed, bars), low(tune(seed + 1000, bars)), beat(seed, bars))


def performed(seed: int, bars: int = 8) -> bytes:
    """Drums as somebody plays them: each hit of a beat louder or softer, earlier or later."""
    score, drums = symusic.Score(TICKS), symusic.Track(is_drum=True)
    score.tempos.append(symusic.Tempo(0, 120.0))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    for n, (start, length, pitch) in enumerate(beat(seed, bars)):
        place = max(start * STEP + (37 * n + seed) % 60 - 30, 0)
        velocity = 1 + (53 * n + seed) % 127
        drums.notes.append(symusic.Note(place, length * STEP, pitch, velocity))
    score.tracks.append(drums)
    return score.dumps_midi()
