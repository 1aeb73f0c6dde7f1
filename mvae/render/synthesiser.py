"""A small synthesiser for machines without fluidsynth: plucked tones and noises of drums.

The instruments can be told apart, and the bytes are the same everywhere. No library does it without
a system package: symusic's renderer drops hi-hats, tinysoundfont wants PortAudio, pretty_midi is
silent for drums.
"""

import numpy as np
from scipy import signal

from mvae.music.drums import DRUM_PITCHES
from mvae.music.notes import Notes

SAMPLE_RATE = 44_100
TAIL = 1.5  # seconds after the last note's end, for it to ring out
_HARMONICS = np.array([1.0, 0.5, 0.28, 0.14, 0.08, 0.04])
_RELEASE = 0.04  # seconds in which a tone that is let go fades
# Of the nine classes, in their order: (loudness, tone in Hz at the stroke and at rest or 0, its
# decay in seconds, noise above Hz or 0, its decay).
_DRUMS = (
    (1.0, 130, 48, 0.13, 0, 0),  # kick
    (0.7, 220, 180, 0.07, 1500, 0.11),  # snare
    (0.35, 0, 0, 0, 7000, 0.035),  # closed hi-hat
    (0.35, 0, 0, 0, 6500, 0.25),  # open hi-hat
    (0.8, 120, 85, 0.2, 0, 0),  # low, mid and high tom
    (0.8, 165, 120, 0.18, 0, 0),
    (0.8, 230, 170, 0.16, 0, 0),
    (0.4, 0, 0, 0, 3500, 0.8),  # crash
    (0.3, 480, 480, 0.4, 5500, 0.35),  # ride
)
_CLASS_OF = {int(pitch): n for n, pitch in enumerate(DRUM_PITCHES)}


def play(notes: Notes) -> np.ndarray:
    """The sound of notes, float32 [N] at SAMPLE_RATE; one loud note takes about -1..1.

    It lasts from time 0 to TAIL seconds after the last note.
    """
    sound = np.zeros(int((float(notes.end.max(initial=0.0)) + TAIL) * SAMPLE_RATE), np.float32)
    for start, end, pitch, velocity, is_drum in zip(
        notes.start, notes.end, notes.pitch, notes.velocity, notes.is_drum, strict=True
    ):
        if is_drum:
            wave = _drum(_CLASS_OF.get(int(pitch), 2))
        else:
            wave = _tone(int(pitch), float(end - start))
        first = int(start * SAMPLE_RATE)
        wave = wave[: len(sound) - first]
        sound[first : first + len(wave)] += wave * (velocity / 127) ** 2
    return sound


def _tone(pitch: int, seconds: float) -> np.ndarray:
    """A string: high harmonics fade first, low notes last longest."""
    time = np.arange(int((seconds + _RELEASE) * SAMPLE_RATE)) / SAMPLE_RATE
    frequency = 440 * 2 ** ((pitch - 69) / 12) * np.arange(1, len(_HARMONICS) + 1)
    heard = frequency < SAMPLE_RATE / 2
    decay = np.exp(-time[:, None] * (0.8 + 0.002 * frequency[heard]))
    wave = (np.sin(2 * np.pi * time[:, None] * frequency[heard]) * decay) @ _HARMONICS[heard]
    envelope = np.minimum(1, time / 0.004) * np.clip((seconds + _RELEASE - time) / _RELEASE, 0, 1)
    return (0.5 * wave * envelope).astype(np.float32)


def _drum(number: int) -> np.ndarray:
    loudness, high, low, tone_decay, noise_above, noise_decay = _DRUMS[number]
    time = np.arange(int(6 * max(tone_decay, noise_decay) * SAMPLE_RATE)) / SAMPLE_RATE
    wave = np.zeros(len(time))
    if high:
        phase = np.cumsum(low + (high - low) * np.exp(-time / 0.03)) / SAMPLE_RATE
        wave += np.sin(2 * np.pi * phase) * np.exp(-time / tone_decay)
    if noise_above:
        noise = np.random.default_rng(number).standard_normal(len(time))
        high_pass = signal.butter(2, noise_above, 'highpass', fs=SAMPLE_RATE, output='sos')
        filtered = signal.sosfilt(high_pass, noise)
        wave += 0.5 * filtered * np.exp(-time / noise_decay)
    return (loudness * wave).astype(np.float32)
