import collections
import io

import mido
import numpy as np
import pytest
import symusic

from mvae.demo.abc_text import Source
from mvae.demo.arranger import TICKS_PER_STEP, arrange, to_midi
from mvae.demo.styles import DRUM_PITCHES, STYLES
from mvae.demo.tunes import read_tune

REEL = """X:1
T:A Made-up Reel
M:C|
L:1/8
K:D
AG|F2AF dFAF|G2BG dGBG|F2AF dFAd|gece A2AG|F2AF dFAF|G2BG dGBG|F2AF dcBA|gece d2:|
|:fg|afdf afdf|bgeg bgeg|afdf afdb|gece A2fg|afdf afdf|bgeg bgeg|fagf edcB|Agec d2:|
"""
SLOW = 'X:1\nT:An Air\nM:C\nL:1/4\nK:G\n' + '|'.join(['G2 B2', 'd3 c', 'B2 A2', 'G4'] * 4) + '|\n'
HORNPIPE = REEL.replace('F2AF', 'F>AA>F').replace('dFAF', 'd>FA>F').replace('dGBG', 'd>GB>G')


def tune(text=REEL, number=1):
    return read_tune(Source('book', number, text))


@pytest.mark.parametrize('style', STYLES, ids=lambda style: style.name)
def test_every_style_arranges_the_tune_on_the_grid(style):
    reel = tune()
    got = arrange(reel, style)
    intro = got.bars - reel.bars
    assert 0 <= intro <= 4
    np.testing.assert_array_equal(got.melody[0], reel.start + 16 * intro)
    np.testing.assert_array_equal(got.melody[2], reel.pitch)
    assert got.drums.shape == (got.bars * 16, 9)
    assert got.bass[1].max() <= got.bars * 16
    assert style.tempo[0] <= got.qpm <= style.tempo[1]
    assert 0 <= got.program <= 31 and got.program in style.programs


def test_the_arrangement_hangs_on_the_tune_alone():
    assert to_midi(arrange(tune())) == to_midi(arrange(tune()))
    assert len({to_midi(arrange(tune(number=number))) for number in range(20)}) == 20


def test_the_midi_file_says_what_the_arrangement_is():
    arrangement = arrange(tune())
    data = to_midi(arrangement)
    score = symusic.Score.from_midi(data)
    assert [(t.name, t.program, t.is_drum) for t in score.tracks] == [
        ('A Made-up Reel', arrangement.program, False), ('Bass', 33, False), ('Drums', 0, True),
    ]  # fmt: skip
    assert [(t.time, t.numerator, t.denominator) for t in score.time_signatures] == [(0, 4, 4)]
    assert len(score.tempos) == 1 and round(score.tempos[0].qpm, 3) == arrangement.qpm
    for track, (start, end, pitch) in zip(
        score.tracks, (arrangement.melody, arrangement.bass), strict=False
    ):
        columns = track.notes.numpy()
        np.testing.assert_array_equal(columns['time'], start * TICKS_PER_STEP)
        np.testing.assert_array_equal(columns['duration'], (end - start) * TICKS_PER_STEP)
        np.testing.assert_array_equal(columns['pitch'], pitch)
    drums = score.tracks[2].notes.numpy()
    grid = np.zeros_like(arrangement.drums)
    grid[drums['time'] // TICKS_PER_STEP, [DRUM_PITCHES.index(p) for p in drums['pitch']]] = True
    np.testing.assert_array_equal(grid, arrangement.drums)


def test_other_readers_see_drums_on_channel_10():
    midi = mido.MidiFile(file=io.BytesIO(to_midi(arrange(tune()))))
    channels = [{m.channel for m in track if m.type == 'note_on'} for track in midi.tracks]
    assert channels == [{0}, {1}, {9}]
    assert midi.tracks[0].name == 'A Made-up Reel'


def test_styles_suit_the_melody():
    drawn = {
        name: collections.Counter(arrange(tune(text, number)).style for number in range(60))
        for name, text in (('reel', REEL), ('slow', SLOW), ('hornpipe', HORNPIPE))
    }
    assert drawn['slow'].most_common(1)[0][0] == 'half-time ballad'
    assert drawn['hornpipe'].most_common(1)[0][0] == 'hornpipe swing'
    assert len(drawn['reel']) >= 6
