"""Why a file, piece, track or window gives nothing: a closed list.

The funnel of every build counts by it.
"""

import enum

from mvae.errors import InputError


class Reason(enum.StrEnum):
    """The value is what the funnel and the list of rejected files print."""

    UNREADABLE = 'unreadable'  # not a MIDI file, or a broken one
    UNSUPPORTED = 'unsupported'  # MIDI of type 2, or timed in SMPTE frames, which have no beats
    EMPTY = 'empty'  # no notes
    TOO_LARGE = 'too_large'  # more notes or bars than the settings allow
    TIMEOUT = 'timeout'  # the reader did not come back in time
    CRASHED = 'crashed'  # the reader took its process with it
    DUPLICATE_FILE = 'duplicate_file'  # the bytes of another file
    WRONG_METER = 'wrong_meter'  # bars or beats are others than asked for
    NO_MELODY = 'no_melody'
    NO_BASS = 'no_bass'
    NO_DRUMS = 'no_drums'
    FEW_INSTRUMENTS = 'few_instruments'  # windows in which fewer play than in a band
    MANY_INSTRUMENTS = 'many_instruments'  # bars in which more play than a band has room for
    FEW_EVENTS = 'few_events'  # windows of a band in which next to nothing happens
    MANY_EVENTS = 'many_events'  # bars in which an instrument does more than it has room for
    OTHER_PROGRAM = 'other_program'  # tracks of programs that the settings take no melodies from
    POLYPHONIC = 'polyphonic'  # simultaneous notes where the settings reject them
    ONE_PITCH_CLASS = 'one_pitch_class'  # fewer pitch classes than the settings ask for
    TOO_SHORT = 'too_short'  # fewer bars than a window
    RESTS = 'rests'  # rests longer than the settings allow leave no window
    NOT_TOGETHER = 'not_together'  # the parts never play together for the length of a window
    SILENT = 'silent'  # no note begins in the window (or in one of its streams)
    DUPLICATE = 'duplicate'  # the content of another window
    FELL_TOGETHER = 'fell_together'  # notes that share a step of the grid with another, as triplets
    FAR_BEHIND = 'far_behind'  # notes behind the bars that are read
    NO_SUCH_PITCH = 'no_such_pitch'  # notes of a pitch above 127
    NO_NOTE_OFF = 'no_note_off'  # notes that nothing ends


class Rejected(InputError):
    """Raised where one input is refused as a whole.

    Attributes:
        reason: from the closed list.
        detail: a sentence for the user.
    """

    def __init__(self, reason: Reason, detail: str):
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

    def __reduce__(self):  # crosses process borders with both its arguments
        return Rejected, (self.reason, self.detail)
