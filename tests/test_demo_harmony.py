import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvae.demo.harmony import infer

ARPEGGIO = {
    'C': (60, 64, 67, 72),
    'F': (65, 69, 72, 77),
    'G': (67, 71, 74, 79),
    'Am': (69, 72, 76, 81),
}
ROOT = {'C': 0, 'F': 5, 'G': 7, 'Am': 9}


def melody(chords):
    """One bar of quarter notes for each chord."""
    pitch = np.array(list(itertools.chain.from_iterable(ARPEGGIO[c] for c in chords)))
    start = np.arange(len(pitch)) * 4
    return start, start + 4, pitch, len(chords)


def test_c_g_c_gives_c_g_c():
    harmony = infer(*melody(['C', 'G', 'C']))
    assert (harmony.tonic, harmony.mode) == (0, 'ionian')
    assert harmony.root.tolist() == [0, 0, 7, 7, 0, 0]
    assert not harmony.minor.any()
    assert harmony.chord(0) == (0, (0, 4, 7))
    assert harmony.chord(16) == (7, (0, 4, 7))


@given(st.lists(st.sampled_from(['C', 'F', 'G', 'Am']), min_size=1, max_size=6))
def test_arpeggios_of_whole_bars_give_their_chords(middle):
    chords = ['C', 'G', 'C', *middle, 'G', 'C']
    harmony = infer(*melody(chords))
    assert harmony.root[::2].tolist() == [ROOT[c] for c in chords]
    assert harmony.minor[::2].tolist() == [c == 'Am' for c in chords]


@given(st.integers(-6, 6))
def test_transposition_moves_the_chords_along(by):
    start, end, pitch, bars = melody(['C', 'F', 'G', 'Am', 'G', 'C'])
    plain = infer(start, end, pitch, bars, 0)
    moved = infer(start, end, pitch + by, bars, (7 * by) % 12)
    np.testing.assert_array_equal(moved.root, (plain.root + by) % 12)
    np.testing.assert_array_equal(moved.minor, plain.minor)
    assert moved.scale() == {(pc + by) % 12 for pc in plain.scale()}


@pytest.mark.parametrize(
    ('pitches', 'written', 'tonic', 'mode'),
    [
        ([69, 72, 76, 72, 74, 71, 69, 69], 'minor', 9, 'aeolian'),
        ([69, 72, 76, 72, 74, 71, 69, 69], 'major', 9, 'aeolian'),  # printed as C, ends on A
        ([67, 71, 74, 71, 69, 65, 67, 67], 'mixolydian', 7, 'mixolydian'),
        ([62, 65, 69, 65, 64, 60, 62, 62], 'dorian', 2, 'dorian'),
    ],
)
def test_the_key_follows_the_melody(pitches, written, tonic, mode):
    start = np.arange(len(pitches)) * 8
    harmony = infer(start, start + 8, np.array(pitches), 4, 0, written)
    assert (harmony.tonic, harmony.mode) == (tonic, mode)


def test_rests_have_chords_too_and_the_ends_extend():
    start = np.array([64, 72])
    harmony = infer(start, start + 4, np.array([60, 67]), 8)
    assert len(harmony.root) == 16
    assert harmony.chord(-40) == harmony.chord(0)
    assert harmony.chord(10_000) == harmony.chord(127)
