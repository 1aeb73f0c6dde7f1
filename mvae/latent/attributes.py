"""Attributes: what a listener would name of a piece, as a number (paper section 5.3).

An attribute is a function (notes, steps) -> float. notes: `Notes` of one stream, start and end in
sixteenth steps from the first downbeat of a piece in 4/4. steps: the length of the piece. Whoever
has another idea writes another function. A share or a mean of nothing is 0, as in an empty piece.

The paper names five attributes of melodies without formulas. The formulas here are ours. Those of
drums are ours altogether.
"""

import math
import os
import runpy
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mvae.errors import InputError
from mvae.music.drums import drum_classes
from mvae.music.form import Form
from mvae.music.meter import FOUR_FOUR
from mvae.music.notes import Notes

Attribute = Callable[[Notes, int], float]

# Quarters per minute at which a sixteenth takes a second, so that notes count in sixteenths.
_QPM = 15.0
_C_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_KICK, _SNARE, _HI_HATS = 0, 1, (2, 3)  # classes of drums


def c_diatonic(notes: Notes, steps: int) -> float:
    """Share of the notes that lie in C major."""
    return _share(np.isin(notes.pitch % 12, _C_MAJOR))


def note_density(notes: Notes, steps: int) -> float:
    """Onsets per sixteenth step; notes that begin together are one onset."""
    return len(_onsets(notes)) / steps if steps else 0.0


def mean_interval(notes: Notes, steps: int) -> float:
    """Mean distance of consecutive notes in semitones; a repeated note counts as 0."""
    pitch = notes.pitch[np.lexsort((notes.pitch, notes.start))].astype(np.int64)
    return float(np.abs(np.diff(pitch)).mean()) if len(pitch) > 1 else 0.0


def syncopation_16th(notes: Notes, steps: int) -> float:
    """Share of the onsets on an odd sixteenth (step 1 mod 2), with none on the sixteenth before."""
    return _syncopation(_onsets(notes), 2, 1, (1,))


def syncopation_8th(notes: Notes, steps: int) -> float:
    """Share of the onsets on an odd eighth (step 2 mod 4), with none 1 or 2 steps earlier.

    Such an onset is reached from a rest or from a note that began before the beat: there is none on
    the sixteenth or on the eighth before.
    """
    return _syncopation(_onsets(notes), 4, 2, (1, 2))


def drum_density(notes: Notes, steps: int) -> float:
    """Hits per sixteenth step; drums struck together count each."""
    return len(notes) / steps if steps else 0.0


def drum_syncopation_16th(notes: Notes, steps: int) -> float:
    """`syncopation_16th` of kick and snare.

    Beside a hi-hat that runs through, no onset of the whole kit would be syncopated.
    """
    return syncopation_16th(_drums(notes, _KICK, _SNARE), steps)


def drum_syncopation_8th(notes: Notes, steps: int) -> float:
    """`syncopation_8th` of kick and snare."""
    return syncopation_8th(_drums(notes, _KICK, _SNARE), steps)


def backbeat(notes: Notes, steps: int) -> float:
    """Share of the snare's hits on beats 2 and 4 (step 4 mod 8): 1 where it does nothing else.

    It is a share, not a difference to beats 1 and 3: so a change in per cent can refer to its zero.
    """
    return _share(_onsets(_drums(notes, _SNARE)) % 8 == 4)


def hi_hat_density(notes: Notes, steps: int) -> float:
    """Hits of the hi-hat, closed and open, per sixteenth step."""
    return drum_density(_drums(notes, *_HI_HATS), steps)


LINE: dict[str, Attribute] = {
    f.__name__: f
    for f in (c_diatonic, note_density, mean_interval, syncopation_16th, syncopation_8th)
}
DRUMS: dict[str, Attribute] = {
    f.__name__: f
    for f in (drum_density, drum_syncopation_16th, drum_syncopation_8th, backbeat, hi_hat_density)
}


# The others speak of quarters and of bars of four.
_ANY_METER = ('c_diatonic', 'note_density', 'mean_interval', 'drum_density', 'hi_hat_density')


def _of_stream(track: int, attribute: Attribute) -> Attribute:
    return lambda notes, steps: attribute(notes.select(notes.track == track), steps)


def attributes_of(form: Form) -> dict[str, Attribute]:
    """Ours for a form, by name: those of its first tonal stream, and those of its drums.

    Each takes all notes of a piece, and looks at its stream. In other meters than 4/4 there are
    only those that do not ask for beats.
    """
    tonal = [stream.sound.track for stream in form.streams if stream.tonal][:1]
    drums = [stream.sound.track for stream in form.streams if stream.sound.is_drum][:1]
    own = {name: _of_stream(track, f) for track in tonal for name, f in LINE.items()}
    own |= {name: _of_stream(track, f) for track in drums for name, f in DRUMS.items()}
    return {name: f for name, f in own.items() if form.meter == FOUR_FOUR or name in _ANY_METER}


def read_attribute(place: str) -> tuple[str, Attribute]:
    """The user's own attribute, from 'path/to/file.py:function'.

    Returns its name, which is the function's, and the function. It is given all notes of a piece.
    Raises InputError where there is no such file or function, or where the file does not run.
    """
    path, _, name = place.rpartition(':')
    if not path or not name:
        raise InputError(
            f'an attribute of your own is written path/to/file.py:function, not {place!r}'
        )
    if not os.path.isfile(path):
        raise InputError(
            f'{path} does not exist; an attribute of your own is written path/to/file.py:function'
        )
    try:
        defined = runpy.run_path(path, run_name=Path(path).stem)
    except Exception as error:  # whatever the user's file raises
        raise InputError(f'{path} does not run: {type(error).__name__}: {error}') from None
    if not callable(defined.get(name)):
        known = ', '.join(
            n for n, value in defined.items() if callable(value) and not n.startswith('_')
        )
        raise InputError(f'{path} has no function {name}' + (f'; it has {known}' if known else ''))
    return name, defined[name]


def values_of(
    tokens: np.ndarray,
    form: Form,
    attributes: dict[str, Attribute],
    name: Callable[[int], str] = 'piece {}'.format,
) -> np.ndarray:
    """Every attribute of every piece: tokens int [B, T, K] -> float64 [B, len(attributes)].

    name: what to call piece number n in a message. Raises InputError naming attribute and piece
    where a function fails or gives no finite number.
    """
    values = np.empty((len(tokens), len(attributes)))
    for n, piece in enumerate(np.asarray(tokens)):
        notes, steps = form.write(piece, _QPM), round(form.seconds(len(piece), _QPM))
        for k, (title, attribute) in enumerate(attributes.items()):
            place = _place(title, attribute)
            try:
                values[n, k] = float(attribute(notes, steps))
            except Exception as error:  # whatever the user's function raises
                what = f'{type(error).__name__}: {error}'
                raise InputError(f'{place} fails on {name(n)}: {what}') from None
            if not math.isfinite(values[n, k]):
                raise InputError(
                    f'{place} gives {values[n, k]} for {name(n)}; an attribute is a finite number'
                )
    return values


def _place(name: str, attribute: Attribute) -> str:
    code = getattr(attribute, '__code__', None)
    return f'attribute {name}' + (f' ({code.co_filename}:{attribute.__name__})' if code else '')


def _share(which: Sequence[bool] | np.ndarray) -> float:
    return float(np.mean(which)) if len(which) else 0.0


def _onsets(notes: Notes) -> np.ndarray:
    """The steps at which something begins, rising: int64."""
    return np.unique(np.rint(notes.start).astype(np.int64))


def _drums(notes: Notes, *classes: int) -> Notes:
    return notes.select(np.isin(drum_classes()[notes.pitch], classes))


def _syncopation(onsets: np.ndarray, period: int, place: int, before: tuple[int, ...]) -> float:
    """Share of the onsets at `place` modulo `period` without one at any of the steps `before`."""
    reached = np.isin(onsets[:, None] - np.array(before), onsets).any(1)
    return _share((onsets % period == place) & ~reached)
