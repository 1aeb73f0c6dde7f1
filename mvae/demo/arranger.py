"""A tune becomes a trio: style, form, drums and bass.

They are drawn from a seed that depends on the tune alone.
"""

import dataclasses
import hashlib
import random

import numpy as np

from mvae.demo import harmony as harmonies
from mvae.demo.bassline import bass_line
from mvae.demo.drumming import drum_track
from mvae.demo.form import plan
from mvae.demo.styles import DRUM_PITCHES, STYLES, Style
from mvae.demo.tunes import BAR, Tune

BASS_PROGRAM = 33
"""Electric bass (finger), counted from 0."""
TICKS_PER_STEP = 120
_QUARTER = 4 * TICKS_PER_STEP


@dataclasses.dataclass(frozen=True)
class Arrangement:
    """A piece for melody, bass and drums.

    melody, bass: (start, end, pitch) int arrays [N], times in sixteenth steps.
    drums: bool [16 * bars, 9].
    qpm: quarter notes per minute, one for the whole piece.
    """

    title: str
    style: str
    qpm: int
    program: int
    bars: int
    melody: tuple[np.ndarray, np.ndarray, np.ndarray]
    bass: tuple[np.ndarray, np.ndarray, np.ndarray]
    drums: np.ndarray


def arrange(tune: Tune, style: Style | None = None) -> Arrangement:
    """Bass and drums for a tune; the same tune always gives the same.

    style: None draws one that suits.
    """
    name = f'{tune.collection}/{tune.number}/{tune.title}'.encode()
    rng = random.Random(int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), 'big'))
    drawn = _draw_style(tune, rng)
    style = style or drawn
    intro, phrases = plan(tune.sections, tune.bars, rng)
    harmony = harmonies.infer(tune.start, tune.end, tune.pitch, tune.bars, tune.sharps, tune.mode)
    start, end = tune.start + intro * BAR, tune.end + intro * BAR
    drums = drum_track(style, phrases, _accents(start, end), rng)
    bass = bass_line(style, phrases, harmony, intro, drums[:, 0], rng)
    return Arrangement(
        title=tune.title,
        style=style.name,
        qpm=rng.randrange(style.tempo[0], style.tempo[1] + 1, 2),
        program=rng.choice(style.programs),
        bars=tune.bars + intro,
        melody=(start, end, tune.pitch),
        bass=bass,
        drums=drums,
    )


def _draw_style(tune: Tune, rng: random.Random) -> Style:
    """Weighs the styles by the melody: dotted, slow, or even."""
    dotted = np.mean(tune.start % 4 == 3)
    slow = len(tune.start) / tune.bars < 6.5
    feel = 2 if slow else 1 if dotted > 0.1 else 0
    return rng.choices(STYLES, [style.feel[feel] for style in STYLES])[0]


def _accents(start: np.ndarray, end: np.ndarray) -> frozenset[int]:
    """Steps of syncopations: notes that begin off the beat and last an eighth or longer."""
    return frozenset(start[(start % 4 != 0) & (end - start >= 2)].tolist())


def to_midi(arrangement: Arrangement) -> bytes:
    """A MIDI file of three tracks (melody, bass, drums on channel 10) with title, tempo and 4/4."""
    import symusic

    score = symusic.Score(_QUARTER, ttype='tick')
    score.tempos.append(symusic.Tempo(0, arrangement.qpm))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    steps, classes = np.nonzero(arrangement.drums)
    drums = steps, steps + 1, np.array(DRUM_PITCHES)[classes]
    for name, program, is_drum, (start, end, pitch), loud in (
        (arrangement.title, arrangement.program, False, arrangement.melody, 92),
        ('Bass', BASS_PROGRAM, False, arrangement.bass, 84),
        ('Drums', 0, True, drums, 80),
    ):
        track = symusic.Track(name, program, is_drum, ttype='tick')
        velocity = loud + 10 * (start % 16 == 0) + 5 * (start % 4 == 0)
        track.notes = symusic.Note.from_numpy(
            (start * TICKS_PER_STEP).astype(np.int32),
            ((end - start) * TICKS_PER_STEP).astype(np.int32),
            pitch.astype(np.int8),
            velocity.astype(np.int8),
            ttype='tick',
        )
        score.tracks.append(track)
    return score.dumps_midi()
