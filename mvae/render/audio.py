"""Notes as sound: by fluidsynth where it is installed, else by the small synthesiser of mvae.

Fluidsynth plays a General MIDI soundfont: the one that the environment variable MVAE_SOUNDFONT
names, else TimGM6mb, which the pretty_midi package brings along. MVAE_SOUNDFONT=none takes the
small synthesiser in any case.
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
from mvae.files import open_regular, write_atomically
from mvae.music.midi import write_midi
from mvae.music.notes import Notes
from mvae.render import synthesiser
from mvae.render.synthesiser import SAMPLE_RATE, TAIL

# Of full scale: what is above the knee is bent, towards 1. What is above _MOST is first turned down
# as a whole, so that a hundred notes at once are not bent beyond recognition.
_KNEE, _MOST = 0.7, 1.4
_ANOTHER = 'set MVAE_SOUNDFONT to another soundfont, or to none'
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
            'MVAE_SOUNDFONT is set, but fluidsynth is not installed '
            '(apt install fluidsynth, brew install fluid-synth)'
        )
    path = Path(named) if named else _timgm6mb()
    try:
        with open_regular(path) as file:
            head = file.read(12)
    except InputError as error:
        raise InputError(f'no soundfont: {error}; {_ANOTHER}') from None
    if head[:4] != b'RIFF' or head[8:] != b'sfbk':
        raise InputError(f'{path} is no soundfont (.sf2 or .sf3); {_ANOTHER}')
    return path


def _timgm6mb() -> Path:
    """The soundfont in the pretty_midi package, found without importing it."""
    spec = importlib.util.find_spec('pretty_midi')
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f'there is no soundfont: pretty_midi is not installed; {_ANOTHER}')
    return Path(spec.submodule_search_locations[0]) / 'TimGM6mb.sf2'


def synthesise(notes: Notes, loudness: float | None = None) -> np.ndarray:
    """Sound of notes, int16 [N, 2] (left, right) at SAMPLE_RATE.

    It lasts from time 0 to TAIL seconds after the last note. Raises InputError as `soundfont` does.

    loudness: root mean square that the sound is brought to, as a share of full scale and as far as
    its peaks allow; None leaves it as it is played. Peaks near full scale are rounded off.
    """
    font = soundfont()
    if font is None:
        sound = synthesiser.play(notes)
    else:
        sound = _fluidsynth(font, notes)
    length = int((float(notes.end.max(initial=0.0)) + TAIL) * SAMPLE_RATE)
    sound = np.pad(sound[:length], ((0, max(0, length - len(sound))), (0, 0)))
    gain = 1.0 if loudness is None else loudness / max(float(np.sqrt(np.mean(sound**2))), 1e-9)
    sound *= min(gain, _MOST / max(float(np.abs(sound).max(initial=0.0)), 1e-9))
    return np.round(_bent(sound) * 32767).astype(np.int16)


def _bent(sound: np.ndarray) -> np.ndarray:
    """Within -1..1: what is below the knee as it is, what is above it less and less."""
    over = np.abs(sound) > _KNEE
    loud, bent = sound[over], sound.copy()
    room = 1 - _KNEE
    bent[over] = np.sign(loud) * (_KNEE + room * np.tanh((np.abs(loud) - _KNEE) / room))
    return bent


def _fluidsynth(font: Path, notes: Notes) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        midi, raw = Path(folder) / 'notes.mid', Path(folder) / 'sound.raw'
        midi.write_bytes(write_midi(notes, 120.0, ''))
        form = ['-r', str(SAMPLE_RATE), '-T', 'raw', '-O', 'float', '-E', 'little']
        files = ['-F', str(raw), str(font), str(midi)]
        command = ['fluidsynth', '-niq', '-g', str(_GAIN), *form, *files]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or not raw.is_file():
            reason = (done.stderr.strip() or 'no sound came').splitlines()[-1]
            raise InputError(f'fluidsynth cannot play {font}: {reason}; {_ANOTHER}')
        return np.fromfile(raw, '<f4').reshape(-1, 2)


def to_wav(sound: np.ndarray, rate: int = SAMPLE_RATE) -> bytes:
    """Sound int16 [N, channels] as a WAV file, 16 bits."""
    buffer = io.BytesIO()
    with wave.open(buffer, 'wb') as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound.astype('<i2').tobytes())
    return buffer.getvalue()


def write_wav(path: str | Path, notes: Notes, loudness: float | None = None) -> None:
    """Notes as a WAV file, 16 bits in stereo.

    Raises InputError as `soundfont` does, and where the file cannot be written.
    """
    write_atomically(path, to_wav(synthesise(notes, loudness)))
