"""Intervals of shares."""

import numpy as np
import pytest

from mvae.evaluation.statistics import share_interval


def test_the_interval_of_many_equal_songs_is_that_of_their_mean():
    """Songs of 10 steps each with Binomial(10, .7) hits: the standard error of the share is
    sqrt(.21 / 10 / S).
    """
    hits = np.random.default_rng(0).binomial(10, 0.7, 400)
    low, high = share_interval(hits, np.full(400, 10))
    assert low < hits.sum() / 4000 < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.21 / 4000), rel=0.15)


def test_windows_of_one_song_do_not_count_as_so_many_songs():
    """The same hits in 10 songs of 400 steps: ten times as few independent pieces of evidence, a
    wider interval.
    """
    songs = np.random.default_rng(1).choice([0.5, 0.9], 10)
    low, high = share_interval(songs * 400, np.full(10, 400))
    assert high - low > 0.1


def test_equal_songs_have_no_spread_and_empty_ones_do_not_count():
    assert share_interval(np.array([3, 6, 0]), np.array([4, 8, 0])) == (0.75, 0.75)


def test_one_song_says_nothing_about_spread():
    assert share_interval(np.array([3]), np.array([4])) is None


def test_the_same_seed_gives_the_same_interval():
    hits = np.arange(20)
    assert (
        share_interval(hits, np.full(20, 20), 3)
        == share_interval(hits, np.full(20, 20), 3)
        != share_interval(hits, np.full(20, 20), 4)
    )
