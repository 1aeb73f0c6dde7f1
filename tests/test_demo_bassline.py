import random

import numpy as np
import pytest

from mvae.demo.bassline import HIGHEST, LOWEST, bass_line
from mvae.demo.form import BREAKDOWN, HIGH, LOW, MIDDLE, Phrase
from mvae.demo.harmony import Harmony
from mvae.demo.styles import STYLES

PHRASES = [Phrase(0, 4, 'intro', LOW, 8), Phrase(4, 8, 'A', LOW, 8), Phrase(12, 8, 'A', MIDDLE, 8),
           Phrase(20, 8, 'B', BREAKDOWN, 8), Phrase(28, 8, 'B', HIGH, 8)]  # fmt: skip
BARS, INTRO = 36, 4
KICK = np.arange(BARS * 16) % 8 == 0
by_style = pytest.mark.parametrize('style', STYLES, ids=lambda style: style.name)


def harmony(seed):
    roots = np.random.default_rng(seed).integers(0, 12, 2 * (BARS - INTRO)).astype(np.int8)
    return Harmony(0, 'ionian', roots, roots % 2 == 0)


def line(style, seed=0):
    return bass_line(style, PHRASES, harmony(seed), INTRO, KICK, random.Random(seed))


@by_style
def test_notes_are_in_range_ordered_and_never_overlap(style):
    for seed in range(5):
        start, end, pitch = line(style, seed)
        assert np.all(end > start) and np.all(start[1:] >= end[:-1])
        assert end[-1] <= BARS * 16
        assert pitch.min() >= LOWEST and pitch.max() <= HIGHEST
        assert len(set((end - start).tolist())) >= 2  # note lengths vary


@by_style
def test_notes_on_chord_changes_are_chord_tones_and_mostly_roots(style):
    tones, roots = [], []
    for seed in range(5):
        chords = harmony(seed)
        start, _, pitch = line(style, seed)
        at = {int(step): int(p) for step, p in zip(start, pitch, strict=True)}
        for half in range(1, 2 * (BARS - INTRO)):
            step = INTRO * 16 + 8 * half
            root, triad = chords.chord(8 * half)
            if chords.root[half] != chords.root[half - 1] and step in at:
                tones.append((at[step] - root) % 12 in triad)
                roots.append(at[step] % 12 == root)
    assert len(tones) > 100
    assert np.mean(tones) > 0.95
    assert np.mean(roots) > 0.75


@by_style
def test_bars_differ(style):
    start, end, pitch = line(style, 3)
    bars = {
        tuple(zip(start[start // 16 == b] % 16, pitch[start // 16 == b], strict=True))
        for b in range(BARS)
    }
    assert len(bars) > BARS // 2


def test_an_intro_of_four_bars_begins_with_drums_alone():
    start, _, _ = line(STYLES[0])
    assert start[0] // 16 == 2


def test_the_last_bar_is_one_long_note():
    start, end, _ = line(STYLES[0])
    chords = harmony(0)
    in_last = start[start // 16 == BARS - 1]
    changes = chords.chord(16 * (BARS - INTRO) - 16) != chords.chord(16 * (BARS - INTRO) - 8)
    assert len(in_last) == 1 + changes
    assert end[-1] == BARS * 16
