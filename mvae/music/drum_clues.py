"""Whether a part is drums, by its name and its notes, where the channel does not say so."""

import re
import unicodedata

import numpy as np

_DRUMS = set(
    (
        'drum drums drumkit drumset drumloop drumtrack drumz percussion percussions perc percs '
        'kick kickdrum kik bassdrum snare snares snaredrum hihat hihats hh hat hats tomtom tomtoms '
        'cymbal cymbals toms clap claps shaker tambourine cowbell bongos congas '
        'schlagzeug perkussion trommeln slagwerk percussie drumstel batterie '
        'batteries percussioni batteria bateria percusion percusiones percussao trommer trummor '
        'slagverk rummut lyomasoittimet perkusja bicie dobok udarnye ударные барабаны перкуссия '
        'ドラム ドラムス ドラムセット パーカッション 鼓 鼓组 鼓組 架子鼓 打击乐 드럼'
    ).split()
)
# What else such a name may hold. Any other word may make it the name of something else.
_OTHERS = set(
    (
        'kit kits set sets part parts track tracks channel ch midi gm standard std room power '
        'rock jazz brush acoustic electronic electric live main loop loops pattern merged new '
        'left right l r bass closed open pedal side stick ride crash tom hi high mid low '
        'floor and und et y e i machine fill fills tr basic studio dry real latin pop dance house '
        'techno extra add'
    ).split()
)
_KEYS = np.arange(27, 88)  # General MIDI's map of drums, and what GM2 adds
_KIT = np.array([35, 36, 37, 38, 39, 40, 42, 44, 46, 49, 51, 57])  # what most rhythms are made of


def named_drums(name: str, program: int, pitch: np.ndarray) -> bool:
    """Whether a track is drums by its name; its program and pitches int [N] must agree.

    'Drums', 'Schlagzeug 2', 'Bass Drum' and 'Rock Kit' say so. 'Steel Drums', 'queen_snare' and
    'Distant Drums' only may, and so may all names where the program is that of an instrument: then
    the pitches must be those of a drum kit.
    """
    words = re.findall(r'[^\W\d_]+', _fold(name))
    if re.search(r'\bbass\b(?! drums?\b)', ' '.join(words)):
        return False
    last = next((word for word in reversed(words) if word not in _OTHERS), '')
    if last not in _DRUMS and not {'kit', 'kits'} & set(words):
        return False
    plain = all(word in _DRUMS or word in _OTHERS for word in words)
    return mostly(pitch, _KEYS if plain and program == 0 else _KIT)


def sounds_like_drums(pitch: np.ndarray) -> bool:
    """Whether most pitches int [N] are those of a drum kit."""
    return mostly(pitch, _KIT)


def mostly(pitch: np.ndarray, keys: np.ndarray) -> bool:
    """Whether more than half of the pitches int [N] are among the keys."""
    is_key = np.zeros(128, bool)
    is_key[keys] = True
    return 2 * int(is_key[pitch].sum()) > len(pitch)


def _fold(text: str) -> str:
    """Lower case, without the accents of Latin letters."""
    bare = re.sub('[\u0300-\u036f]', '', unicodedata.normalize('NFKD', text))
    return unicodedata.normalize('NFC', bare).casefold()
