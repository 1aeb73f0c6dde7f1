"""The studio's sound against the small synthesiser's; where swing puts a step; sound files."""

import base64
import io
import wave

import numpy as np
import pytest
from javascript import needs_node, run

from mvae.music.drums import DRUM_PITCHES
from mvae.music.forms import make_form
from mvae.music.notes import Notes
from mvae.render import synthesiser
from mvae.render.voices import BASS, DRUMS, MELODY
from mvae.studio.contents import VOICES, about_form

pytestmark = needs_node
SOUND = ('music.js', 'sound.js')
KICK, SNARE = 0, 1


@pytest.mark.parametrize('voice', [MELODY, BASS], ids=['melody', 'bass'])
def test_tones_are_pythons(voice):
    found = run(
        SOUND,
        'return Array.from(toneWave(given.voice, given.pitch, given.seconds));',
        {'voice': voice._asdict(), 'pitch': 45, 'seconds': 0.37},
    )
    ours = synthesiser._tone(voice, 45, 0.37)
    assert len(found) == len(ours)
    np.testing.assert_allclose(found, ours, atol=1e-3)


def test_drums_are_pythons_where_they_are_no_noise_and_as_loud_where_they_are():
    found = run(
        SOUND,
        'return given.map((drum, n) => Array.from(drumWave(drum, n)));',
        [drum._asdict() for drum in DRUMS],
    )
    np.testing.assert_allclose(found[KICK], synthesiser._drum(KICK), atol=1e-3)
    for n, own in enumerate(found):
        ours = synthesiser._drum(n)
        assert len(own) == len(ours)
        loud = [float(np.sqrt(np.mean(np.square(x)))) for x in (own, ours)]
        assert loud[0] == pytest.approx(loud[1], rel=0.1), n


def test_noise_of_drums_lies_above_its_frequency():
    hiss, high = run(
        SOUND, 'const x = hiss(8192, 1); return [x, highPass(x, 5000)].map(y => Array.from(y));'
    )
    assert np.var(hiss) == pytest.approx(1, rel=0.1)
    before, after = (np.abs(np.fft.rfft(x)) for x in (hiss, high))
    hertz = np.fft.rfftfreq(8192, 1 / 44100)
    low, above = hertz < 1500, hertz > 9000
    assert after[low].sum() < 0.1 * before[low].sum()
    assert after[above].sum() == pytest.approx(before[above].sum(), rel=0.1)


def test_swing_delays_every_second_step_by_up_to_a_third():
    straight, swung = run(
        SOUND, 'return [0, 1].map(swing => [0, 1, 2, 3].map(n => stepTime(n, 0.3, swing)));'
    )
    np.testing.assert_allclose(straight, [0, 0.3, 0.6, 0.9])
    np.testing.assert_allclose(swung, [0, 0.4, 0.6, 1.0])


def test_a_sound_file_is_what_python_plays():
    form = make_form('trio', 1)
    tokens = np.zeros((16, 3), int)
    tokens[[0, 4, 8], 0] = [62, 66, 1]
    tokens[0, 1] = 38
    tokens[::8, 2] = 1 << KICK
    found = run(
        SOUND,
        """
        const tokens = given.tokens.map(values => Int32Array.from(values));
        const notes = notesOf(given.form, tokens);
        const parts = notes.map((own, n) => ({ stream: given.form.streams[n], notes: own }));
        const bytes = writeWav(new Waves(given.voices), parts, 16, 0.125, 0);
        return Buffer.from(bytes).toString('base64');
        """,
        {'form': about_form(form), 'tokens': tokens.T.tolist(), 'voices': VOICES},
    )
    with wave.open(io.BytesIO(base64.b64decode(found))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 44100, 2)
        sound = np.frombuffer(file.readframes(file.getnframes()), '<i2').reshape(-1, 2) / 32767
    ours = synthesiser.play(form.write(tokens))
    assert len(sound) == int((16 * 0.125 + synthesiser.TAIL) * 44100)
    both = min(len(sound), len(ours))
    quiet = np.abs(ours[:both]) < 0.7  # louder, a file's peaks are bent
    np.testing.assert_allclose(sound[:both][quiet], ours[:both][quiet], atol=2e-3)


def test_every_class_of_drums_sounds():
    notes = Notes.make(0.0, 0.1, DRUM_PITCHES, 80, 0, True, 9)
    assert np.abs(synthesiser.play(notes)).max() > 0.1
    found = run(
        SOUND,
        """
        const drums = given.form.streams[0];
        const waves = new Waves(given.voices);
        return drums.codec.pitches.map(pitch => {
          const { wave, level } = waves.of(drums, { pitch }, 0.1);
          return level * wave.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        });
        """,
        {'form': about_form(make_form('drums', 1)), 'voices': VOICES},
    )
    assert min(found) > 0.05
