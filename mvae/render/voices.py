"""The voices of the small synthesiser, as data: whoever plays them elsewhere needs this table.

A tone is a sum of sines at multiples of its pitch. Each fades by itself, high ones faster:

    partials[n] * sin(2 pi f t) * exp(-t * (decay + damping * f)),    f = (n + 1) * pitch in Hz

A drum is a sine that falls from one frequency to another, and noise above a frequency:

    sin(2 pi * integral of (low + (high - low) * exp(-t / fall))) * exp(-t / tone_decay)
    0.5 * noise * exp(-t / noise_decay)

Small loudspeakers play little below 300 Hz. So the bass has many partials, and the strokes of kick
and toms begin high.
Levels are such that A-weighted, as ears weigh them, the parts of a trio are about as loud.
"""

from typing import NamedTuple


class Tone(NamedTuple):
    """A pitched voice.

    level: of the sum. pan: -1 is left, 1 is right. partials: amplitudes of the multiples of the
    pitch, from 1 on. decay: per second. damping: per second and Hz. attack, release: seconds in
    which it comes and goes, in straight lines.
    """

    level: float
    pan: float
    partials: tuple[float, ...]
    decay: float
    damping: float
    attack: float = 0.004
    release: float = 0.04


class Drum(NamedTuple):
    """A drum.

    level, pan: as of a tone. high, low: Hz at the stroke and at rest; 0, 0 for no tone. fall,
    tone_decay: seconds. noise_above: Hz, 0 for no noise. noise_decay: seconds.
    """

    level: float
    pan: float
    high: float = 0
    low: float = 0
    fall: float = 0.03
    tone_decay: float = 0
    noise_above: float = 0
    noise_decay: float = 0


MELODY = Tone(0.26, -0.2, (1, 0.5, 0.28, 0.14, 0.08, 0.04), 0.8, 0.002)
_BASS = (1, 0.9, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2)
BASS = Tone(0.25, 0.1, _BASS, 0.6, 0.0015)
BASS_PROGRAMS = range(32, 40)  # of General MIDI; all others sound as the melody

# Of the nine classes of drums, in their order.
DRUMS = (
    Drum(0.8, 0.0, 700, 52, 0.014, 0.13),  # kick
    Drum(0.6, 0.05, 220, 180, 0.03, 0.07, 1300, 0.12),  # snare
    Drum(0.42, 0.35, noise_above=5500, noise_decay=0.05),  # closed hi-hat
    Drum(0.36, 0.35, noise_above=5000, noise_decay=0.25),  # open hi-hat
    Drum(0.66, 0.4, 400, 85, 0.015, 0.2),  # low, mid and high tom
    Drum(0.66, 0.1, 500, 120, 0.015, 0.18),
    Drum(0.66, -0.2, 600, 170, 0.015, 0.16),
    Drum(0.33, -0.4, noise_above=3500, noise_decay=0.8),  # crash
    Drum(0.28, -0.35, 480, 480, 0.03, 0.4, 5500, 0.35),  # ride
)
