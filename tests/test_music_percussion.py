"""Percussion: the frozen order of its instruments, its bits, its classes."""

import numpy as np

from mvae.music.codec import GridNotes
from mvae.music.drums import drum_classes
from mvae.music.percussion import PERCUSSION_PITCHES, PercussionCodec, columns_of, roll_of

PERCUSSION = PercussionCodec()


def test_the_instruments_are_those_of_the_old_drum_map_class_by_class():
    old = drum_classes('old')
    assert sorted(PERCUSSION_PITCHES) == np.flatnonzero(old >= 0).tolist()
    assert (np.diff(old[PERCUSSION_PITCHES][PERCUSSION_PITCHES != 52]) >= 0).all()
    assert PERCUSSION_PITCHES[[0, 1, 2, 17, 60]].tolist() == [36, 35, 38, 42, 82]
    assert PERCUSSION.expresses(np.array([22, 26, 35, 81])).tolist() == [False, False, True, True]


def test_a_bar_by_hand():
    """A kick with the 17th and the last instrument, then nothing, then two of one step."""
    pitches = PERCUSSION_PITCHES[[0, 16, 60, 1, 15]]
    notes = GridNotes.make([0, 0, 0, 2, 2], [4, 1, 1, 3, 9], pitches)
    columns = PERCUSSION.encode(PERCUSSION.voice(notes), 3)
    assert PERCUSSION.sizes == (65536, 65536, 65536, 8192)
    assert columns.tolist() == [[1, 1, 0, 4096], [0] * 4, [2 + 32768, 0, 0, 0]]
    again = PERCUSSION.decode(columns)
    assert again.start.tolist() == [0, 0, 0, 2, 2] and again.pitch.tolist() == pitches.tolist()
    np.testing.assert_array_equal(columns_of(roll_of(columns)), columns)


def test_instruments_go_by_their_classes():
    """Both hi-hats that are closed are left out, or come from the other window."""
    hits = {name: np.zeros((1, 1, 61), bool) for name in ('window', 'other')}
    hits['window'][..., [0, 17, 18]] = True  # a kick, 42 and 44
    hits['other'][..., [1, 19]] = True  # the other kick, 54
    window, other = map(columns_of, hits.values())
    hats = np.arange(9)[None] == 2
    left = roll_of(PERCUSSION.drop(window, ~hats))[0, 0]
    assert np.flatnonzero(left).tolist() == [0]
    mixed = roll_of(PERCUSSION.mix(window, other, hats))[0, 0]
    assert np.flatnonzero(mixed).tolist() == [0, 19]
