"""Bars that come back, counted by hand."""

import numpy as np
import pytest

from mvae.evaluation.repetition import repeated_bars, repetition
from mvae.music.forms import make_form

FORM = make_form('melody', 4)
A, B, SILENT = [62, 0, 64, 0], [62, 0, 66, 0], [0, 0, 0, 0]  # a beat each, padded to a bar


def _piece(*bars):
    piece = np.zeros((4, 16, 1), np.int32)
    for n, bar in enumerate(bars):
        piece[n, :4, 0] = bar
    return piece.reshape(64, 1)


def test_bars_that_come_back_are_shares_of_those_that_sound():
    """A B A rest: after 1 none of A B A is followed by itself; after 2 the first A is, B is not."""
    found = repetition(np.stack([_piece(A, B, A, SILENT)]), FORM, np.zeros(1))['melody']
    assert list(found) == ['1', '2'], 'a bar 4 bars later is outside'
    assert found['1']['same']['mean'] == 0 and found['2']['same']['mean'] == 1 / 2
    assert found['2']['same']['interval'] is None, 'one song has no interval'


def test_alike_counts_the_steps_at_which_something_happens():
    """A and B share one of two onsets; B and silence none of two."""
    found = repetition(np.stack([_piece(A, B, SILENT, SILENT)]), FORM, np.zeros(1))['melody']
    assert found['1']['alike']['mean'] == pytest.approx((1 / 2 + 0) / 2)


def test_a_piece_without_notes_has_nothing_that_could_come_back():
    found = repetition(np.stack([_piece(*[SILENT] * 4)] * 2), FORM, np.arange(2))['melody']
    assert found['1']['same'] == {'mean': None, 'interval': None}


def test_intervals_are_over_songs():
    same, other = _piece(A, A, A, A), _piece(A, B, A, B)
    apart = repetition(np.stack([same, other]), FORM, np.array([5, 9]))['melody']['1']['same']
    together = repetition(np.stack([same, other]), FORM, np.array([5, 5]))['melody']['1']['same']
    assert apart['mean'] == together['mean'] == 1 / 2
    assert apart['interval'] == (0, 1) and together['interval'] is None


def test_repeated_bars_count_those_that_were_there_before():
    pieces = np.stack([_piece(A, B, A, A), _piece(A, B, SILENT, SILENT)])
    assert repeated_bars(pieces, FORM.streams[0], FORM).tolist() == [2, 0]
