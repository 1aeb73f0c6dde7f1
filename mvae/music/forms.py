"""The registry: which streams there are, and which forms are made of them.

A new kind of music is a codec, where none fits, a function that makes its stream, and a line in
each of the two tables below.
"""

import dataclasses
import difflib
from collections.abc import Callable

from mvae.errors import InputError
from mvae.music.drums import DrumCodec
from mvae.music.form import Form, Sound, Stream
from mvae.music.groove import GrooveCodec
from mvae.music.line import LineCodec
from mvae.music.notation import Notation
from mvae.music.percussion import PercussionCodec
from mvae.music.reasons import Reason
from mvae.music.tracks import AllDrums, Programs


def _melody(notation: Notation) -> Stream:
    """Pianos, chromatic percussion, organs and guitars (General MIDI programs 0 to 31)."""
    codec = LineCodec(notation.min_pitch, notation.max_pitch)
    return Stream('melody', codec, Programs(0, 31, Reason.NO_MELODY), Sound(0, 0))


def _bass(notation: Notation) -> Stream:
    """General MIDI's basses, 32 to 39, or a track as low as they lie (below G3)."""
    codec = LineCodec(notation.min_pitch, notation.max_pitch)
    return Stream('bass', codec, Programs(32, 39, Reason.NO_BASS, below=55), Sound(33, 1))


def _drums(notation: Notation) -> Stream:
    sound = Sound(0, 9, is_drum=True)
    return Stream('drums', DrumCodec(notation.drum_map), AllDrums(), sound, tonal=False)


def _groove(notation: Notation) -> Stream:
    sound = Sound(0, 9, is_drum=True)
    return Stream('groove', GrooveCodec(notation.drum_map), AllDrums(), sound, tonal=False)


def _percussion(notation: Notation) -> Stream:
    sound = Sound(0, 9, is_drum=True)
    return Stream('percussion', PercussionCodec(), AllDrums(), sound, tonal=False)


STREAMS: dict[str, Callable[[Notation], Stream]] = {
    'melody': _melody,
    'bass': _bass,
    'drums': _drums,
    'groove': _groove,
    'percussion': _percussion,
}
FORMS: dict[str, tuple[str, ...]] = {
    'melody': ('melody',),
    'bass': ('bass',),
    'drums': ('drums',),
    'trio': ('melody', 'bass', 'drums'),
    'groove': ('groove',),
    'percussion': ('percussion',),
}
# What a dataset is built for where nobody says. A groove takes 27 numbers for each step, percussion
# 4 where drums take one.
USUAL_FORMS = ('melody', 'bass', 'drums', 'trio')


def make_form(name: str, bars: int, notation: Notation | None = None) -> Form:
    """A form of the registry, in the paper's notation where none is given.

    Raises InputError for unknown names and impossible lengths.
    """
    notation = notation or Notation()
    if name not in FORMS:
        near = difflib.get_close_matches(name, FORMS, 1, 0.3)
        hint = f'did you mean {near[0]}? ' if near else ''
        raise InputError(f'unknown form {name!r}; {hint}known: {", ".join(FORMS)}')
    streams = tuple(STREAMS[stream](notation) for stream in FORMS[name])
    return Form(name, streams, bars, notation.steps_per_quarter, notation.measure)


def with_melody_programs(form: Form, first: int, last: int) -> Form:
    """The form with melodies of the General MIDI programs first..last."""
    streams = [
        dataclasses.replace(stream, rule=Programs(first, last, Reason.NO_MELODY))
        if stream.name == 'melody'
        else stream
        for stream in form.streams
    ]
    return dataclasses.replace(form, streams=tuple(streams))
