"""What happens at a step: a note begins, ends, sounds on, or nothing sounds."""

import numpy as np

from mvae.music.vocabulary import FIRST_NOTE_ON, NOTE_OFF

EVENTS = ('onset', 'note_off', 'hold', 'rest')


def events_of(tokens: np.ndarray, stream: str) -> np.ndarray:
    """Index into EVENTS of every step: tokens int [..., T] of one stream -> int8 [..., T].

    The token 0 is a hold while a note sounds and a rest otherwise. Drums do not sound on: they have
    onsets and rests.
    """
    tokens = np.asarray(tokens)
    if stream == 'drums':
        return np.where(tokens > 0, 0, 3).astype(np.int8)
    onset, off = tokens >= FIRST_NOTE_ON, tokens == NOTE_OFF
    last = np.maximum.accumulate(
        np.where(onset | off, np.arange(tokens.shape[-1]), -1), axis=-1
    )  # of the events up to here
    sounds = np.take_along_axis(onset, np.maximum(last, 0), axis=-1) & (last >= 0)
    return np.select([onset, off, sounds], [0, 1, 2], 3).astype(np.int8)
