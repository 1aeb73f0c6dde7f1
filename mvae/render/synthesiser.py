"""A small synthesiser for machines without fluidsynth: it plays the voices of `voices`.

The instruments can be told apart, also on the loudspeakers of a phone, and the bytes are the same
everywhere. No library does it without a system package: symusic's renderer drops hi-hats,
tinysoundfont wants PortAudio, pretty_midi is silent for drums.
"""

import collections
import functools

import numpy as np

from mvae.music.drums import drum_classes
from mvae.music.notes import Notes
from mvae.render.voices import BASS, BASS_PROGRAMS, DRUMS, MELODY, Drum, Tone

SAMPLE_RATE = 44_100
TAIL = 1.5  # seconds after the last note's end, for it to ring out
_HI_HAT = 2  # stands for drums of no class


def play(notes: Notes) -> np.ndarray:
    """The sound of notes, float32 [N, 2] (left, right) at SAMPLE_RATE.

    It lasts from time 0 to TAIL seconds after the last note. A trio of the usual velocity takes
    about -1..1; nothing keeps more from taking more.
    """
    length = int((float(notes.end.max(initial=0.0)) + TAIL) * SAMPLE_RATE)
    lanes: dict[float, np.ndarray] = collections.defaultdict(lambda: np.zeros(length, np.float32))
    for start, end, pitch, velocity, program, is_drum in zip(
        notes.start,
        notes.end,
        notes.pitch,
        notes.velocity,
        notes.program,
        notes.is_drum,
        strict=True,
    ):
        voice: Tone | Drum
        if is_drum:
            number = int(drum_classes()[pitch])
            number = _HI_HAT if number < 0 else number
            voice, wave = DRUMS[number], _drum(number)
        else:
            voice = BASS if program in BASS_PROGRAMS else MELODY
            wave = _tone(voice, int(pitch), round(float(end - start), 6))
        first = int(start * SAMPLE_RATE)
        gain = np.float32(voice.level * (velocity / 127) ** 2)
        lane = lanes[voice.pan]  # what stands at one place between left and right
        lane[first : first + len(wave)] += wave[: length - first] * gain
    sound = np.zeros((2, length), np.float32)
    for pan, lane in lanes.items():
        for side, gain in zip(sound, _sides(pan), strict=True):
            side += lane * gain
    return np.ascontiguousarray(sound.T)


def _sides(pan: float) -> np.ndarray:
    """Gains of left and right, of the same power together wherever the sound stands."""
    return np.sqrt(np.array([1 - pan, 1 + pan], np.float32))


@functools.lru_cache(256)  # notes of a piece are often alike
def _tone(voice: Tone, pitch: int, seconds: float) -> np.ndarray:
    time = np.arange(int((seconds + voice.release) * SAMPLE_RATE)) / SAMPLE_RATE
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    # The n-th partial is the n-th power of the first but for its amplitude: a sine and a fading are
    # computed once.
    first = np.exp(time * (2j * np.pi - voice.damping) * frequency)
    wave, power = np.zeros(len(time)), np.exp(-time * voice.decay)
    audible = int(SAMPLE_RATE / 2 / frequency)
    for amplitude in voice.partials[:audible]:
        power = power * first
        wave += amplitude * power.imag
    come = time / voice.attack
    go = (seconds + voice.release - time) / voice.release
    return (wave * np.clip(np.minimum(come, go), 0, 1)).astype(np.float32)


@functools.cache
def _drum(number: int) -> np.ndarray:
    drum = DRUMS[number]
    time = np.arange(int(6 * max(drum.tone_decay, drum.noise_decay) * SAMPLE_RATE)) / SAMPLE_RATE
    wave = np.zeros(len(time))
    if drum.tone_decay:
        frequency = drum.low + (drum.high - drum.low) * np.exp(-time / drum.fall)
        phase = np.cumsum(frequency) / SAMPLE_RATE
        wave += np.sin(2 * np.pi * phase) * np.exp(-time / drum.tone_decay)
    if drum.noise_above:
        noise = np.random.default_rng(number).standard_normal(len(time))
        wave += 0.5 * _high_pass(noise, drum.noise_above) * np.exp(-time / drum.noise_decay)
    return wave.astype(np.float32)


def _high_pass(noise: np.ndarray, above: float) -> np.ndarray:
    """Noise [T] as loud as a Butterworth filter of second order leaves it. above: in Hz."""
    frequency = np.fft.rfftfreq(len(noise), 1 / SAMPLE_RATE)
    gain = frequency**2 / np.sqrt(frequency**4 + above**4)
    return np.fft.irfft(np.fft.rfft(noise) * gain, len(noise))
