"""The registry: which streams there are, and which forms are made of them.

A new kind of music is a codec, where none fits, a function that makes its stream, and a line in
each of the tables below: STREAMS, FORMS, and CONDITIONS where models are told something.
"""

import dataclasses
import difflib
from collections.abc import Callable, Iterable

from mvae.errors import InputError
from mvae.music import band
from mvae.music.chords import ChordCodec
from mvae.music.drums import DrumCodec
from mvae.music.form import Form, Sound, Stream
from mvae.music.groove import GrooveCodec, HitsCodec
from mvae.music.line import LineCodec
from mvae.music.notation import Notation
from mvae.music.percussion import PercussionCodec
from mvae.music.reasons import Reason
from mvae.music.tracks import AllDrums, Everyone, Harmony, Programs


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


def _chords(notation: Notation) -> Stream:
    """A triad for each half bar, or bar of three beats and less, where no symbols are written."""
    beats = notation.steps_per_bar // notation.measure.beat(notation.steps_per_quarter)
    halves = 2 if beats > 3 or notation.measure.compound else 1
    rule = Harmony(max(1, notation.steps_per_bar // halves))
    return Stream('chords', ChordCodec(), rule, Sound(48, 2))


def _hits(notation: Notation) -> Stream:
    sound = Sound(0, 9, is_drum=True)
    return Stream('hits', HitsCodec(notation.drum_map), AllDrums(), sound, tonal=False)


def _groove(notation: Notation) -> Stream:
    sound = Sound(0, 9, is_drum=True)
    return Stream('groove', GrooveCodec(notation.drum_map), AllDrums(), sound, tonal=False)


def _band(notation: Notation) -> Stream:
    """Whatever plays: pitches, velocities and programs are all of MIDI's."""
    codec = band.BandCodec(notation.measure.bar(band.STEPS_PER_QUARTER))
    return Stream('band', codec, Everyone(), Sound(0, 0))


def _percussion(notation: Notation) -> Stream:
    sound = Sound(0, 9, is_drum=True)
    return Stream('percussion', PercussionCodec(), AllDrums(), sound, tonal=False)


STREAMS: dict[str, Callable[[Notation], Stream]] = {
    'melody': _melody,
    'bass': _bass,
    'drums': _drums,
    'groove': _groove,
    'band': _band,
    'percussion': _percussion,
    'chords': _chords,
    'hits': _hits,
}
FORMS: dict[str, tuple[str, ...]] = {
    'melody': ('melody',),
    'bass': ('bass',),
    'drums': ('drums',),
    'trio': ('melody', 'bass', 'drums'),
    'groove': ('groove',),
    'percussion': ('percussion',),
    'band': ('band',),
    'lead': ('melody',),
    'groove_of_hits': ('groove',),
    'band_of_chords': ('band',),
}
# What models of a form are told of every step, and do not write.
CONDITIONS: dict[str, tuple[str, ...]] = {
    'lead': ('chords',),
    'groove_of_hits': ('hits',),
    'band_of_chords': ('chords',),
}
# Steps of a quarter where a form has a grid of its own, whatever the notation says.
GRIDS = dict.fromkeys(('band', 'band_of_chords'), band.STEPS_PER_QUARTER)
# What a dataset is built for where nobody says. A groove takes 27 numbers for each step, percussion
# 4 where drums take one.
USUAL_FORMS = ('melody', 'bass', 'drums', 'trio')


def parts_of(name: str) -> tuple[str, ...]:
    """Names of the streams of a form of the registry, and then of its conditions."""
    return FORMS[name] + CONDITIONS.get(name, ())


def make_form(name: str, bars: int, notation: Notation | None = None) -> Form:
    """A form of the registry, in the paper's notation where none is given.

    Raises InputError for unknown names and impossible lengths.
    """
    notation = notation or Notation()
    if name not in FORMS:
        near = difflib.get_close_matches(name, FORMS, 1, 0.3)
        hint = f'did you mean {near[0]}? ' if near else ''
        raise InputError(f'unknown form {name!r}; {hint}known: {", ".join(FORMS)}')
    grid = GRIDS.get(name, notation.steps_per_quarter)
    notation = dataclasses.replace(notation, steps_per_quarter=grid)
    streams, told = (
        tuple(STREAMS[part](notation) for part in parts)
        for parts in (FORMS[name], CONDITIONS.get(name, ()))
    )
    return Form(name, streams, bars, grid, notation.measure, told)


def by_grid(forms: Iterable[Form]) -> list[tuple[int, list[Form]]]:
    """The forms by the steps of their quarter."""
    grids: dict[int, list[Form]] = {}
    for form in forms:
        grids.setdefault(form.steps_per_quarter, []).append(form)
    return sorted(grids.items())


def with_melody_programs(form: Form, first: int, last: int) -> Form:
    """The form with melodies of the General MIDI programs first..last."""
    streams = [
        dataclasses.replace(stream, rule=Programs(first, last, Reason.NO_MELODY))
        if stream.name == 'melody'
        else stream
        for stream in form.streams
    ]
    return dataclasses.replace(form, streams=tuple(streams))
