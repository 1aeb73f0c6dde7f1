"""The small synthesiser: parts as loud as each other, a stereo picture, peaks that are bent."""

import sys
from pathlib import Path

import numpy as np
import pytest
from midi_maker import midi

sys.path.insert(0, str(Path(__file__).parents[1] / 'benchmarks'))
from loudness import a_weighting, levels

from mvae.music.forms import make_form
from mvae.music.notes import Notes
from mvae.music.sources import read_source
from mvae.render import audio, synthesiser
from mvae.render.synthesiser import SAMPLE_RATE
from mvae.render.voices import BASS, DRUMS, MELODY


@pytest.fixture(autouse=True)
def small_synthesiser(monkeypatch):
    monkeypatch.setenv('MVAE_SOUNDFONT', 'none')


def note(pitch, program=0, is_drum=False, seconds=1.0):
    return Notes.make([0.0], [seconds], [pitch], 127, program, is_drum, 0)


def test_the_weighting_is_that_of_the_standard():
    """IEC 61672, table 3: dB at nominal frequencies."""
    expected = {31.5: -39.4, 63: -26.2, 125: -16.1, 250: -8.6, 1000: 0.0, 4000: 1.0, 8000: -1.1}
    found = 20 * np.log10(a_weighting(np.array(list(expected))))
    np.testing.assert_allclose(found, list(expected.values()), atol=0.15)


def test_the_parts_of_a_trio_are_about_as_loud():
    """Two bars: a tune in eighths, a bass in quarters, a beat with a hi-hat."""
    steps = range(0, 32, 2)
    tune = [(n, 2, 67 + 5 * n % 12) for n in steps]
    bass = [(n, 4, 36 + n % 7) for n in range(0, 32, 4)]
    beat = [(n, 1, 42) for n in steps] + [(n, 1, 36 + n % 8 // 2) for n in range(0, 32, 4)]
    form = make_form('trio', 2)
    notes = form.write(read_source(midi(tune, bass, beat), form.read)[0])
    parts = [notes.select(notes.track == stream.sound.track) for stream in form.streams]
    plain, weighted, small = np.array([levels(part) for part in parts]).T
    assert np.ptp(weighted) < 6 and np.ptp(small) < 6, (weighted, small)
    assert plain.min() > -28


def test_a_low_bass_is_heard_above_what_a_phone_leaves_out():
    plain, _, small = levels(note(28, 33))
    assert small > plain - 13, 'E1, 41 Hz'


def test_a_tone_is_what_the_table_says():
    sound = synthesiser.play(note(69))
    time = np.arange(SAMPLE_RATE // 2)[1000:, None] / SAMPLE_RATE  # it has come, and does not go
    f = 440.0 * np.arange(1, len(MELODY.partials) + 1)
    sines = np.sin(2 * np.pi * f * time) * np.exp(-time * (MELODY.decay + MELODY.damping * f))
    expected = MELODY.level * sines @ np.array(MELODY.partials)
    left, right = sound[1000 : SAMPLE_RATE // 2].T
    np.testing.assert_allclose(left, expected * np.sqrt(1 - MELODY.pan), atol=1e-4)
    np.testing.assert_allclose(right, expected * np.sqrt(1 + MELODY.pan), atol=1e-4)


def test_basses_have_a_voice_of_their_own_and_parts_stand_apart():
    assert not np.allclose(synthesiser.play(note(40, 33)), synthesiser.play(note(40)), atol=1e-2)
    places = {voice.pan for voice in (MELODY, BASS, *DRUMS)}
    assert len(places) > 4 and min(places) < 0 < max(places)
    hat = (synthesiser.play(note(42, is_drum=True)) ** 2).sum(0)
    assert hat[1] > 1.5 * hat[0], 'to the right'


def test_peaks_are_bent_and_what_is_quiet_stays_as_it_is():
    quiet, loud = np.linspace(-0.7, 0.7, 99), np.linspace(-1.4, 1.4, 999)
    np.testing.assert_array_equal(audio._bent(quiet), quiet)
    bent = audio._bent(loud)
    assert np.abs(bent).max() < 1 and (np.diff(bent) > 0).all()
    assert np.abs(np.diff(bent, 2)).max() < 1e-4, 'without a corner'


def test_nothing_is_clipped_however_much_sounds_at_once():
    for count in (1, 5, 200):
        many = Notes.concatenate([note(36, is_drum=True), note(28, 33), note(60)] * count)
        assert np.abs(audio.synthesise(many).astype(int)).max() < 32767
