import random

import numpy as np
import pytest

from mvae.demo.drumming import drum_track
from mvae.demo.form import HIGH, LOW, Phrase
from mvae.demo.styles import CLOSED, CRASH, HIGH_TOM, KICK, LOW_TOM, MID_TOM, OPEN, SNARE, STYLES

PHRASES = [
    Phrase(0, 1, 'intro', LOW, 4), Phrase(1, 8, 'A', LOW, 8), Phrase(9, 8, 'A', HIGH, 16),
    Phrase(17, 8, 'B', 0, 8), Phrase(25, 8, 'B', HIGH, 8, stop=True), Phrase(33, 8, 'B', HIGH, 8),
]  # fmt: skip
by_style = pytest.mark.parametrize('style', STYLES, ids=lambda style: style.name)


def track(style, seed=0, accents=()):
    return drum_track(style, PHRASES, accents, random.Random(seed)).reshape(41, 16, 9)


@by_style
def test_legal_drums_that_vary(style):
    bars = track(style)
    assert bars.dtype == bool
    assert not (bars[..., OPEN] & bars[..., CLOSED]).any()  # one instrument
    assert bars.any(axis=(1, 2)).all()  # no silent bar
    different = len({bar.tobytes() for bar in bars})
    assert 14 <= different <= 36  # varied, and yet with repetitions
    assert bars.sum(2).max() <= 5  # two hands, two feet and a doubled stroke


@by_style
def test_phrases_end_in_fills_and_loud_ones_begin_with_a_crash(style):
    bars = np.stack([track(style, seed) for seed in range(8)])
    assert bars[:, [9, 25, 33], 0, CRASH].all(axis=0)[[0, 1, 2]].all()
    assert bars[:, 9, 0, [KICK]].all() or style.name == 'bodhran toms'
    fills, grooves = (
        bars[:, 16],
        bars[:, 14],
    )  # last bar of the second phrase is a fill of a whole bar
    drums = [SNARE, LOW_TOM, MID_TOM, HIGH_TOM]
    assert fills[..., drums].any(axis=2).sum(1).min() >= 4
    assert not (fills[..., CLOSED].any() or fills[..., OPEN].any())
    assert all(
        not np.array_equal(fill, groove) for fill, groove in zip(fills, grooves, strict=True)
    )


@by_style
def test_a_stop_bar_is_silent_between_its_first_beat_and_its_fill(style):
    bar = track(style)[32]
    assert bar[0, KICK] and not bar[1:12].any() and bar[12:].any()


def test_parts_and_styles_and_seeds_differ_and_the_same_seed_does_not():
    style = STYLES[0]
    np.testing.assert_array_equal(track(style), track(style))
    assert not np.array_equal(track(style), track(style, 1))
    grids = {track(style).tobytes() for style in STYLES}
    assert len(grids) == len(STYLES)
    bars = track(style)
    assert not np.array_equal(bars[10:13], bars[26:29])


def test_the_kick_follows_syncopated_melody_notes():
    funk = next(style for style in STYLES if style.name == 'funk')
    accents = [
        16 * bar + 13 for bar in range(41)
    ]  # a step that no kick pattern of the style has for certain
    plain = sum(track(funk, seed)[:, 13, KICK].sum() for seed in range(5))
    followed = sum(track(funk, seed, accents)[:, 13, KICK].sum() for seed in range(5))
    assert followed > plain + 20


def test_all_nine_classes_occur():
    assert np.any([track(style) for style in STYLES], axis=(0, 1, 2)).all()
