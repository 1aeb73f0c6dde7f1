"""What token ids mean (paper section 4.1): 128 note-ons, note-off and rest for melody and bass; 2^9
combinations of drum classes.
"""

import dataclasses
import functools

import numpy as np

from mvae.errors import InputError

HOLD = 0  # nothing happens: a sounding note goes on, a rest goes on
NOTE_OFF = 1
FIRST_NOTE_ON = 2  # + pitch - min_pitch

KINDS = ('melody', 'bass', 'drums', 'trio')
STREAMS = {
    'melody': ('melody',),
    'bass': ('bass',),
    'drums': ('drums',),
    'trio': ('melody', 'bass', 'drums'),
}
DRUM_MAPS = ('current', 'old')
# The 9 classes and the General MIDI pitches of each; the first of each is what a class sounds as
# (magenta.md 4.4).
_CLASS_PITCHES = (
    (36, 35),  # kick
    (38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85),  # snare
    (42, 44, 54, 68, 69, 70, 71, 73, 78, 80, 22),  # closed hi-hat
    (46, 67, 72, 74, 79, 81, 26),  # open hi-hat
    (45, 29, 41, 43, 61, 64, 84),  # low tom
    (48, 47, 60, 63, 77, 86, 87),  # mid tom
    (50, 30, 62, 76, 83),  # high tom
    (49, 52, 55, 57, 58),  # crash
    (51, 53, 59, 82),  # ride
)
_OLD_CLASSES = {22: -1, 26: -1, 43: 6, 52: 8}  # where the map before April 2019 differs
DRUM_CLASSES = len(_CLASS_PITCHES)
DRUM_PITCHES = np.array([pitches[0] for pitches in _CLASS_PITCHES])


@functools.cache
def _drum_classes(drum_map: str) -> np.ndarray:
    classes = np.full(128, -1)
    for number, pitches in enumerate(_CLASS_PITCHES):
        classes[list(pitches)] = number
    if drum_map == 'old':
        classes[list(_OLD_CLASSES)] = list(_OLD_CLASSES.values())
    classes.flags.writeable = False
    return classes


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """Pitch range of melody and bass tokens (inclusive MIDI pitches), and which drum map.

    0..127 gives the paper's 130 tokens, 21..108 Magenta's 90. drum_map 'old' is Magenta's before
    April 2019.

    Raises:
        InputError: an impossible range or an unknown drum map.
    """

    min_pitch: int = 0
    max_pitch: int = 127
    drum_map: str = 'current'

    def __post_init__(self):
        if not 0 <= self.min_pitch <= self.max_pitch <= 127:
            raise InputError(
                f'pitch range {self.min_pitch}..{self.max_pitch} is not within 0..127 in ascending order'
            )
        if self.drum_map not in DRUM_MAPS:
            raise InputError(f'unknown drum map {self.drum_map!r}; known: {", ".join(DRUM_MAPS)}')

    def sizes(self, kind: str) -> tuple[int, ...]:
        """Number of tokens of each stream (K entries)."""
        notes, drums = FIRST_NOTE_ON + self.max_pitch - self.min_pitch + 1, 2**DRUM_CLASSES
        return tuple(drums if stream == 'drums' else notes for stream in STREAMS[kind])

    @property
    def end_token(self) -> int:
        """The token behind a melody of free length (Magenta's add_end_token): one more than `sizes`
        counts; windows have none.
        """
        return self.sizes('melody')[0]

    def drum_classes(self) -> np.ndarray:
        """The class of every MIDI pitch: int [128], -1 for pitches of no class."""
        return _drum_classes(self.drum_map)

    def to_dict(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> 'Vocabulary':
        return cls(**values)
