"""Drums: hits on steps to bit masks of the 9 drum classes and back."""

import numpy as np

from mvae.music.vocabulary import DRUM_CLASSES, DRUM_PITCHES, Vocabulary

_BITS = 1 << np.arange(DRUM_CLASSES)


def encode_drums(
    start: np.ndarray, pitch: np.ndarray, length: int, vocabulary: Vocabulary
) -> np.ndarray:
    """Tokens uint16 [length] of hits at steps `start`: per step the sum of 2**class over the
    classes that are hit.

    How long a hit lasts, and how loud it is, has no part. Pitches of no class and hits from step
    `length` on are left out.
    """
    classes = vocabulary.drum_classes()[pitch]
    kept = (classes >= 0) & (start < length)
    roll = np.zeros((length, DRUM_CLASSES), bool)
    roll[start[kept], classes[kept]] = True
    return (roll @ _BITS).astype(np.uint16)


def decode_drums(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hits of tokens [T]: steps int64 [N] in order, and the pitch of each class hit, int64 [N]."""
    steps, classes = np.nonzero(np.asarray(tokens).astype(np.int64)[:, None] & _BITS)
    return steps, DRUM_PITCHES[classes]
