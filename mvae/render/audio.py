"""Notes as sound: fluidsynth with a General MIDI soundfont where it is installed, else the small
synthesiser of mvae.

The soundfont is the one that the environment variable MVAE_SOUNDFONT names, else TimGM6mb, which
the pretty_midi package brings along. MVAE_SOUNDFONT=none takes the small synthesiser in any case.
"""

import importlib.util
import io
import os
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np

from mvae.errors import InputError
from mvae.files import write_atomically
from mvae.music.midi import write_midi
from mvae.music.notes import Notes
from mvae.render import synthesiser
from mvae.render.synthesiser import SAMPLE_RATE, TAIL

_PEAK = 0.97  # of full scale: what is louder is turned down as a whole
_GAIN = 1.2  # of fluidsynth: two or three instruments seldom reach full scale


def soundfont() -> Path | None:
    """The soundfont that fluidsynth plays, None where mvae's own synthesiser does.

    Raises InputError where MVAE_SOUNDFONT names no soundfont, or names one and fluidsynth is not
    installed.
    """
    named, program = os.environ.get('MVAE_SOUNDFONT', ''), shutil.which('fluidsynth')
    if named == 'none' or not (named or program):
        return None
    if not program:
        raise InputError(
            'MVAE_SOUNDFONT is set, but fluidsynth is not installed (apt install fluidsynth, brew install fluid-synth)'
        )
    spec = importlib.util.find_spec('pretty_midi')
    path = Path(named) if named else Path(spec.submodule_search_locations[0]) / 'TimGM6mb.sf2'
    try:
        with path.open('rb') as file:
            head = file.read(12)
    except OSError as error:
        raise InputError(
            f'cannot read the soundfont {path}: {error.strerror}; set MVAE_SOUNDFONT to another, or to none'
        ) from None
    if head[:4] != b'RIFF' or head[8:] != b'sfbk':
        raise InputError(
            f'{path} is no soundfont (.sf2 or .sf3); set MVAE_SOUNDFONT to another, or to none'
        )
    return path


def synthesise(notes: Notes, loudness: float | None = None) -> np.ndarray:
    """Sound of notes, int16 [N, 2] (left, right) at SAMPLE_RATE, from time 0 to TAIL seconds after
    the last note. Raises as `soundfont` does.

    loudness: root mean square that the sound is brought to, as a share of full scale and as far as
    its peak allows; None leaves it as it is played.
    """
    font = soundfont()
    sound = (
        np.repeat(synthesiser.play(notes)[:, None] * 0.5, 2, 1)
        if font is None
        else _fluidsynth(font, notes)
    )
    length = int((float(notes.end.max(initial=0.0)) + TAIL) * SAMPLE_RATE)
    sound = np.pad(sound[:length], ((0, max(0, length - len(sound))), (0, 0)))
    gain = 1.0 if loudness is None else loudness / max(float(np.sqrt(np.mean(sound**2))), 1e-9)
    sound *= min(gain, _PEAK / max(float(np.abs(sound).max(initial=0.0)), 1e-9))
    return np.round(sound * 32767).astype(np.int16)


def _fluidsynth(font: Path, notes: Notes) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        midi, raw = Path(folder) / 'notes.mid', Path(folder) / 'sound.raw'
        midi.write_bytes(write_midi(notes, 120.0, ''))
        form = ['-r', str(SAMPLE_RATE), '-T', 'raw', '-O', 'float', '-E', 'little']
        command = ['fluidsynth', '-niq', '-g', str(_GAIN), *form, '-F', raw, font, midi]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or not raw.is_file():
            reason = (done.stderr.strip() or 'no sound came').splitlines()[-1]
            raise InputError(
                f'fluidsynth cannot play {font}: {reason}; set MVAE_SOUNDFONT to another soundfont, or to none'
            )
        return np.fromfile(raw, '<f4').reshape(-1, 2)


def write_wav(path: str | Path, notes: Notes, loudness: float | None = None) -> None:
    """Notes as a WAV file, 16 bits in stereo.

    Raises InputError as `soundfont` does, and where the file cannot be written.
    """
    buffer = io.BytesIO()
    with wave.open(buffer, 'wb') as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(synthesise(notes, loudness).astype('<i2').tobytes())
    write_atomically(path, buffer.getvalue())
