"""What a groove model is for: `TASKS`, from a pattern or a rhythm to drums as they are played.

Each is a command too (mvae.commands.grooves).
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mvae.errors import InputError
from mvae.music.drums import DRUM_CLASSES, DRUM_NAMES
from mvae.music.groove import GrooveCodec, played, with_parts
from mvae.music.notes import Score
from mvae.music.reasons import Reason, Rejected
from mvae.music.sources import Source, read_source
from mvae.musicvae import MusicVAE

_TAP_PITCH = 46  # an open hi-hat: any class would do, since taps are read as one
_CLOSED_HAT = np.arange(DRUM_CLASSES) == DRUM_NAMES.index('closed hat')


def _same_hits(given: np.ndarray, said: np.ndarray) -> np.ndarray:
    """The hits that were given, with velocity and offset that were said.

    A hit that was not said has the median velocity of its class, or stays as it was given.
    """
    own, other = played(given), played(said)
    result = with_parts(0 * given, said, own.hits & other.hits)
    lost, velocities = own.hits & ~other.hits, slice(DRUM_CLASSES, 2 * DRUM_CLASSES)
    result[:, :DRUM_CLASSES] = own.hits
    result[:, velocities] = np.where(lost, given[:, velocities], result[:, velocities])
    for number in np.flatnonzero((own.hits & other.hits).any(0)):
        column, both = DRUM_CLASSES + number, (own.hits & other.hits)[:, number]
        result[lost[:, number], column] = np.median(said[both, column])
    return result


def _with_hat(given: np.ndarray, said: np.ndarray) -> np.ndarray:
    """What was given, and of what was said the closed hi-hat."""
    return with_parts(given, said, _CLOSED_HAT)


def _all_said(given: np.ndarray, said: np.ndarray) -> np.ndarray:
    return said


class Task(NamedTuple):
    """reads: what the model must have learned from, `model.reads`.

    keep: of columns given and said [T, 27] those that are played. any_track: whether the rhythm is
    that of a track of any instrument.
    """

    reads: str
    keep: Callable[[np.ndarray, np.ndarray], np.ndarray]
    any_track: bool = False


TASKS = {
    'humanize': Task('hits', _same_hits),
    'tap': Task('taps', _all_said),
    'drumify': Task('taps', _all_said, any_track=True),
    'add-hats': Task('no_hat', _with_hat),
}


def perform(
    model: MusicVAE,
    name: str,
    source: Source,
    temperature: float = 0.0,
    seed: int = 0,
    track: int | None = None,
    like: Source | None = None,
) -> tuple[np.ndarray, str]:
    """Drums of a whole source, of any length, played by a task.

    name: of TASKS. temperature: of hits, 0 is greedy. track: of `drumify`, from 1, in the order of
    the file; the one with the most notes where None. like: drums that are played as the result is
    to be, for a model that is told the hits, which else draws a way of its own. Bars in which
    nothing is given stay silent, as many at a time as the model reads.

    Returns the piece int32 [T, 27], and in a few words what was taken. Raises InputError for music
    and models that do not serve.
    """
    task = _known(name)
    _check_model(model, name, task, like is not None)
    if track is not None and not task.any_track:
        raise InputError(f'{name} takes the drums of a file: a track is for drumify')
    steps = model.form.steps

    def read(score: Score) -> tuple[np.ndarray, str]:
        if not task.any_track:
            return model.form.read_whole(score)
        taps, note = _taps(score, track)
        return model.form.read_whole(taps)[0], note

    given, note = read_source(source, read)
    windows = np.pad(given, ((0, -len(given) % steps), (0, 0))).reshape(-1, steps, given.shape[1])
    sounding = windows.any((1, 2))
    said, told = np.zeros_like(windows), model.told_of(windows[sounding])
    z = _codes(model, windows[sounding], like, seed)
    said[sounding] = model.decode_tokens(z, temperature, seed, told)
    streams = (x.reshape(-1, x.shape[-1])[: len(given)] for x in (windows, said))
    piece = task.keep(*(model.form.split(part)[0] for part in streams))
    return model.form.canonical(model.form.join([piece, *model.form.told(given)])), note


def _codes(model: MusicVAE, windows: np.ndarray, like: Source | None, seed: int) -> np.ndarray:
    """Of windows [W, T, K] how they are to be played, float32 [W, Z]."""
    if like is not None:
        mu = model.encode_tokens(model.read_all(like)).mu
        return np.resize(mu, (len(windows), mu.shape[1]))
    if model.form.conditions:  # what they hold is told: one way to play all of them
        return np.repeat(model.priors[model.usual_prior].draw(1, seed), len(windows), 0)
    return model.encode_tokens(windows).mu


def _known(name: str) -> Task:
    if name not in TASKS:
        raise InputError(f'{name!r} is none of {", ".join(TASKS)}')
    return TASKS[name]


def _check_model(model: MusicVAE, name: str, task: Task, like: bool) -> None:
    train = f'mvae train --exp groove2 --config.model.reads={task.reads}'
    wanted = f'{train} --run runs/{task.reads} trains one'
    streams = model.form.streams
    if len(streams) > 1 or not isinstance(streams[0].codec, GrooveCodec):
        raise InputError(
            f'{name} needs a model of groove, this one is of {model.form.name}; {wanted}'
        )
    told = [condition.name for condition in model.form.conditions]
    if told and task.keep is not _same_hits:
        raise InputError(f'{name} needs a model that is told no {told[0]}; {wanted}')
    if like and not told:
        raise InputError(
            'whom to play like is for a model that is told the hits, as those of '
            'mvae train --exp hits2 are'
        )
    if not told and (reads := model.config.model.reads) != task.reads:
        raise InputError(
            f'{name} needs a model with model.reads={task.reads}, this one has {reads}; {wanted}'
        )


def _taps(score: Score, track: int | None) -> tuple[Score, str]:
    """One track of a score as hits of one drum, and its name."""
    notes = score.notes
    numbers, counts = np.unique(notes.track, return_counts=True)
    if not len(numbers):
        raise Rejected(Reason.EMPTY, 'there are no notes; give music with at least one')
    if track is not None and not 1 <= track <= len(numbers):
        raise InputError(f'there is no track {track}: the file has {len(numbers)} with notes')
    place = int(np.argmax(counts)) if track is None else track - 1
    own = notes.select(notes.track == numbers[place])
    count = np.ones(len(own))
    hits = dataclasses.replace(
        own,
        pitch=(_TAP_PITCH * count).astype(own.pitch.dtype),
        is_drum=count.astype(bool),
        program=(0 * count).astype(own.program.dtype),
    )
    why = ' (by the most notes)' if track is None else ''
    taps = dataclasses.replace(score, notes=hits, drum_clues={})
    return taps, f'the rhythm of track {place + 1} of {len(numbers)}{why}'
