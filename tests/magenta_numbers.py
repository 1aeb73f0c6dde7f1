"""Numbers that Magenta's own code computed: where they are, and how its rows become tokens.

One small checkpoint with all its numbers stands in tests/golden (its README says how they were
made); the others lie outside of the project.
"""

from pathlib import Path

import numpy as np
import pytest

from mvae.music.band import BandCodec
from mvae.music.form import Form
from mvae.music.groove import GrooveCodec
from mvae.music.percussion import PercussionCodec, columns_of

OWN = Path(__file__).parent / 'golden'
SHARED = Path(__file__).parents[2] / 'shared' / 'golden'
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="Magenta's other fixtures are not here; they are no part of the project",
)
LOUDEST, EARLIEST = 127 * 512, 60 * 512  # in the columns of a groove
CHECKPOINTS = [
    'cat-drums_2bar_small',
    *(
        pytest.param(name, marks=needs_shared)
        for name in (
            *('hierdec-trio_16bar', 'groovae_2bar_hits_control_tfds'),
            *('hier-multiperf_vel_1bar_med_chords', 'nade-drums_2bar_full'),
        )
    ),
    *(  # what those above have too, and less of it
        pytest.param(name, marks=[needs_shared, pytest.mark.slow])
        for name in (
            *('cat-mel_2bar_big', 'hierdec-mel_16bar', 'groovae_2bar_humanize'),
            *('hier-multiperf_vel_1bar_med', 'cat-mel_2bar_med_chords'),
        )
    ),
]


def folder(name: str) -> Path:
    """Where the checkpoint `<name>.ckpt` and its fixtures.npz lie."""
    return OWN / name if (OWN / name).is_dir() else SHARED / name


def tokens_of(one_hot: np.ndarray, form: Form) -> np.ndarray:
    """Streams [B, T, sum of V_k] -> int32 [B, T, C]."""
    if is_groove(form):
        return _columns(one_hot)
    if is_band(form):  # a row of zeros is behind the end, in ours 0
        return np.where(one_hot.any(-1), one_hot.argmax(-1) + 1, 0)[..., None].astype(np.int32)
    if is_percussion(form):
        return columns_of(one_hot > 0).astype(np.int32)
    sizes = [size for stream in form.streams for size in stream.codec.sizes]
    blocks = np.split(one_hot, np.cumsum(sizes)[:-1], axis=-1)
    return np.stack([block.argmax(-1) for block in blocks], -1).astype(np.int32)


def told_of(controls: np.ndarray, form: Form) -> tuple[np.ndarray, ...]:
    """Of each condition its columns int32 [..., T, C], of Magenta's controls [..., T, sum of V]."""
    if not form.conditions:
        return ()
    columns = controls if is_groove(form) else controls.argmax(-1)[..., None]
    return (columns.astype(np.int32),)


def is_groove(form: Form) -> bool:
    return isinstance(form.streams[0].codec, GrooveCodec)


def is_band(form: Form) -> bool:
    return isinstance(form.streams[0].codec, BandCodec)


def is_percussion(form: Form) -> bool:
    return isinstance(form.streams[0].codec, PercussionCodec)


def numbers_of(columns: np.ndarray) -> np.ndarray:
    """Columns of a groove int [..., 27] as Magenta's hits, velocities / 127, offsets in -1..1."""
    hits, velocity, offset = np.split(np.asarray(columns).astype(np.float64), 3, -1)
    offset = np.where(offset > EARLIEST, offset - 2 * EARLIEST - 1, offset)
    return np.concatenate([hits, velocity / LOUDEST, offset / EARLIEST], -1)


def _columns(numbers: np.ndarray) -> np.ndarray:
    """The columns whose `numbers_of` these are."""
    hits, velocity, offset = np.split(numbers.astype(np.float64), 3, -1)
    early = np.rint(offset * EARLIEST) % (2 * EARLIEST + 1)
    return np.concatenate([hits, np.rint(velocity * LOUDEST), early], -1).astype(np.int32)
