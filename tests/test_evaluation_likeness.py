"""Overlaps of histograms."""

import numpy as np
import pytest

from mvae.evaluation.likeness import histograms, likeness, overlap
from mvae.music.forms import make_form

MELODY = make_form('melody', 2)


def _scale(first, length=8):
    """Eight notes of a whole-tone scale, one every `length` sixteenths, in 2 bars."""
    piece = np.zeros((32, 1), np.int32)
    piece[::length, 0] = 2 + first + 2 * np.arange(32 // length)
    return piece


def test_overlap_is_the_sum_of_the_smaller_shares():
    assert overlap(np.array([1, 1, 0]), np.array([0, 2, 2])) == 0.5
    assert overlap(np.array([2, 4]), np.array([1, 2])) == 1
    assert overlap(np.array([0, 0]), np.array([1, 2])) == 0
    assert overlap(np.array([0, 0]), np.array([0, 0])) == 1


def test_every_feature_counts_what_it_says():
    found = histograms(np.stack([_scale(60)]), MELODY)
    where = {name: np.flatnonzero(rows[0]).tolist() for name, rows in found.items()}
    assert where['melody: onsets in a bar'] == [2]
    assert where['melody: place in the bar'] == [0, 8]
    assert where['melody: pitch'] == [60, 62, 64, 66]
    assert where['melody: pitch class'] == [0, 2, 4, 6]
    assert where['melody: interval'] == [24 + 2]
    assert where['melody: length'] == [8]
    assert where['melody: in one key'] == [11], 'all four are in G major'
    assert where['melody: bars repeated'] == [0]


def test_a_set_is_like_itself_and_a_transposed_one_in_all_but_pitch():
    low, high = (np.stack([_scale(p), _scale(p, 4)]) for p in (60, 72))
    same = likeness(histograms(low, MELODY), histograms(low, MELODY))
    assert same['mean'] == pytest.approx(1) and set(same['features'].values()) == {1.0}
    moved = likeness(histograms(low, MELODY), histograms(high, MELODY))
    less = {name for name, value in moved['features'].items() if value < 1 - 1e-9}
    assert less == {'melody: pitch'} and moved['worst'] == 'melody: pitch'
    low_end, high_end = moved['interval']
    assert low_end <= moved['mean'] <= high_end


def test_drums_have_no_intervals():
    names = set(histograms(np.ones((1, 32, 1), np.int32), make_form('drums', 2)))
    assert names == {
        f'drums: {name}'
        for name in ('onsets in a bar', 'place in the bar', 'pitch', 'bars repeated')
    }
