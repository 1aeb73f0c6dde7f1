"""Sound: length, stillness and loudness, drums that differ, and clear errors for soundfonts."""

import shutil
import wave

import numpy as np
import pytest

from mvae.errors import InputError
from mvae.music.drums import DRUM_PITCHES
from mvae.music.notes import Notes
from mvae.render import audio
from mvae.render.synthesiser import SAMPLE_RATE, TAIL

HAS_FLUIDSYNTH = shutil.which('fluidsynth') is not None
PLAYERS = [
    'none',
    pytest.param(
        '', marks=pytest.mark.skipif(not HAS_FLUIDSYNTH, reason='fluidsynth is not installed')
    ),
]


def hit(pitch: int, is_drum: bool, start: float = 0.0, end: float = 0.5) -> Notes:
    return Notes.make([start], [end], [pitch], 80, 0, is_drum, 9 if is_drum else 0)


def strongest(sound: np.ndarray) -> float:
    """The frequency with most energy, Hz."""
    spectrum = np.abs(np.fft.rfft(sound[:, 0].astype(float)))
    return float(np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)[spectrum.argmax()])


def centroid(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound[:, 0].astype(float)))
    return float((np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE) * spectrum).sum() / spectrum.sum())


@pytest.fixture(params=PLAYERS)
def player(request, monkeypatch):
    monkeypatch.setenv('MVAE_SOUNDFONT', request.param)


def test_a_tone_sounds_at_its_pitch_from_its_start_on(player):
    sound = audio.synthesise(hit(69, False, start=1.0, end=2.0))
    assert sound.dtype == np.int16 and sound.shape == (int((2 + TAIL) * SAMPLE_RATE), 2)
    assert np.abs(sound[: int(0.95 * SAMPLE_RATE)]).max() < 10, 'still before the note'
    assert np.abs(sound[SAMPLE_RATE : 2 * SAMPLE_RATE]).max() > 1000
    assert strongest(sound) / 440 == pytest.approx(round(strongest(sound) / 440), abs=0.02), (
        'A4 or a harmonic of it'
    )


def test_the_same_notes_give_the_same_bytes(player):
    notes = Notes.concatenate([hit(60, False), hit(38, True)])
    assert np.array_equal(audio.synthesise(notes), audio.synthesise(notes))


def test_every_drum_is_heard_and_hats_are_brighter_than_kicks(player):
    sounds = {pitch: audio.synthesise(hit(int(pitch), True, end=0.125)) for pitch in DRUM_PITCHES}
    assert all(np.abs(sound.astype(int)).max() > 300 for sound in sounds.values())
    assert centroid(sounds[42]) > 2 * centroid(sounds[36])


def test_no_notes_are_silence(player):
    sound = audio.synthesise(Notes.empty())
    assert sound.shape == (int(TAIL * SAMPLE_RATE), 2) and np.abs(sound).max() < 10


def test_many_loud_notes_are_turned_down_instead_of_clipped(player):
    chord = Notes.make(np.zeros(40), np.ones(40), np.arange(40, 80), 127, 0, False, 0)
    sound = np.abs(audio.synthesise(chord).astype(int))
    assert sound.max() <= 32767 and (sound >= 32767).mean() < 1e-3


def test_loudness_is_made_equal_where_it_is_asked_for(player):
    start = np.arange(16) / 4
    tunes = [
        Notes.make(
            start[::step], start[::step] + 0.25 * step, np.full(16 // step, 60), 80, 0, False, 0
        )
        for step in (1, 8)
    ]
    rms = [
        np.sqrt((audio.synthesise(notes, 0.03).astype(float) ** 2).mean()) / 32768
        for notes in tunes
    ]
    np.testing.assert_allclose(rms, 0.03, rtol=0.02)
    plain = [
        np.sqrt((audio.synthesise(notes).astype(float) ** 2).mean()) / 32768 for notes in tunes
    ]
    assert plain[0] > 1.1 * plain[1], 'twice as many notes are louder else'


def test_wav_is_written_whole(player, tmp_path):
    audio.write_wav(tmp_path / 'a.wav', hit(60, False))
    with wave.open(str(tmp_path / 'a.wav')) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (
            2,
            2,
            SAMPLE_RATE,
        )
        assert file.getnframes() == int((0.5 + TAIL) * SAMPLE_RATE)
    assert [path.name for path in tmp_path.iterdir()] == ['a.wav']


def test_a_missing_or_wrong_soundfont_is_said(monkeypatch, tmp_path):
    program = tmp_path / 'fluidsynth'
    program.write_text('#!/bin/sh\necho "fluidsynth: error: unreadable" >&2; exit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setenv('MVAE_SOUNDFONT', str(tmp_path / 'missing.sf2'))
    with pytest.raises(InputError, match=r'missing\.sf2.*MVAE_SOUNDFONT'):
        audio.soundfont()
    (tmp_path / 'text.sf2').write_text('no soundfont at all')
    monkeypatch.setenv('MVAE_SOUNDFONT', str(tmp_path / 'text.sf2'))
    with pytest.raises(InputError, match='is no soundfont'):
        audio.soundfont()
    (tmp_path / 'broken.sf2').write_bytes(b'RIFF\0\0\0\0sfbk')
    monkeypatch.setenv('MVAE_SOUNDFONT', str(tmp_path / 'broken.sf2'))
    with pytest.raises(InputError, match=r'cannot play .*broken\.sf2'):
        audio.synthesise(hit(60, False))
    program.unlink()
    with pytest.raises(InputError, match='not installed'):
        audio.soundfont()
    monkeypatch.delenv('MVAE_SOUNDFONT')
    assert audio.soundfont() is None, (
        'without fluidsynth and without a wish our own synthesiser plays'
    )
