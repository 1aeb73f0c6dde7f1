"""How music is written as numbers: the range of pitches, the map of drums, the steps of a grid."""

import dataclasses
from typing import Any

from mvae.errors import InputError
from mvae.music.meter import Meter

DRUM_MAPS = ('current', 'old', 'roland')


@dataclasses.dataclass(frozen=True)
class Notation:
    """What the values of a store's and a model's columns mean.

    Attributes:
        min_pitch, max_pitch: MIDI pitches of melody and bass, inclusive. 0..127 gives the paper's
            130 tokens (section 4.1), 21..108 Magenta's 90.
        drum_map: which pitches belong to which drum; 'old' is Magenta's map before April 2019,
            'roland' the one of the kit that the Groove MIDI Dataset was played on.
        steps_per_quarter: steps of the grid per quarter note; 4 are sixteenths.
        meter: of all the music, such as '6/8'.

    Raises InputError for an impossible range, an unknown map, a grid without steps, or a meter that
    is none or does not fit the grid.
    """

    min_pitch: int = 0
    max_pitch: int = 127
    drum_map: str = 'current'
    steps_per_quarter: int = 4
    meter: str = '4/4'

    def __post_init__(self) -> None:
        if not 0 <= self.min_pitch <= self.max_pitch <= 127:
            raise InputError(
                f'pitch range {self.min_pitch}..{self.max_pitch} is not within 0..127 '
                'in ascending order'
            )
        if self.drum_map not in DRUM_MAPS:
            raise InputError(f'unknown drum map {self.drum_map!r}; known: {", ".join(DRUM_MAPS)}')
        if not 1 <= self.steps_per_quarter <= 96:
            raise InputError(
                f'a quarter has 1 to 96 steps, not {self.steps_per_quarter}; 4 are sixteenths'
            )
        self.measure.bar(self.steps_per_quarter)
        self.measure.beat(self.steps_per_quarter)

    @property
    def measure(self) -> Meter:
        """The meter as a value."""
        return Meter.parse(self.meter)

    @property
    def steps_per_bar(self) -> int:
        return self.measure.bar(self.steps_per_quarter)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; `Notation(**values)` reads them."""
        return dataclasses.asdict(self)
