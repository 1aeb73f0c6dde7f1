"""Drums with velocity and timing: by hand, through MIDI, and against Magenta's converter."""

import dataclasses
import json
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from magenta_numbers import SHARED, needs_shared, numbers_of, tokens_of

from mvae.music.codec import GridNotes
from mvae.music.drums import DRUM_PITCHES, drum_classes, drum_pitches
from mvae.music.forms import make_form
from mvae.music.groove import TICKS, GrooveCodec
from mvae.music.midi import read_midi, write_midi
from mvae.music.notation import Notation
from mvae.music.notes import Notes, Score
from mvae.music.sections import split_sections
from mvae.music.tracks import list_tracks

GROOVE = GrooveCodec()
CONVERTERS, CORPUS = SHARED / 'converters', SHARED.parent / 'data' / 'groove.tar.xz'


def test_a_case_by_hand():
    """A loud snare before a soft one; a kick a quarter of a step early, a hat a quarter late."""
    notes = GridNotes.make(
        [0, 0, 1, 1], [9, 9, 9, 9], [38, 40, 36, 42], [100, 127, 64, 1], [0.25, 0.0, -0.25, 0.25]
    )
    columns = GROOVE.encode(GROOVE.voice(notes), 2)
    expected = np.zeros((2, 3, 9))
    expected[0, :, 1] = 1, 1, 0
    expected[1, :, 0] = 1, 64 / 127, 0.5
    expected[1, :, 2] = 1, 1 / 127, -0.5
    np.testing.assert_allclose(numbers_of(columns), expected.reshape(2, 27), atol=1e-12)
    assert columns.dtype == np.uint16 and len(GROOVE.sizes) == 27
    again = GROOVE.decode(columns)
    assert [c.tolist() for c in again] == [
        [0, 1, 1], [1, 2, 2], [38, 36, 42], [127, 64, 1], [0.0, -0.25, 0.25], [0, 0, 0]
    ]  # fmt: skip


def test_what_a_decoder_says_is_rounded_to_what_midi_can_tell():
    columns = np.zeros((2, 27), np.int64)
    columns[:, 0] = 1  # the first hit cannot be early, the second cannot be half a step late
    columns[:, 9] = 0, 512 * 100 + 200
    columns[:, 18] = 512 * 30, 61441 - 512 * 60
    columns[0, 19] = 77  # a snare that is not hit
    notes = GROOVE.decode(columns)
    assert notes.velocity.tolist() == [1, 100]
    assert notes.late.tolist() == [0.0, 59 / TICKS]
    canonical = GROOVE.canonical(columns)
    assert canonical[:, 9].tolist() == [512, 51200] and canonical[0, 19] == 0
    assert canonical.dtype == np.int64


@given(st.lists(st.integers(0, 15 * TICKS), min_size=1, max_size=40), st.data())
def test_midi_of_480_ticks_comes_back_exactly(ticks, data):
    """Each hit at its tick and velocity, where no louder one of its class shares its step."""
    step = np.unique([(tick + TICKS // 2) // TICKS for tick in ticks], return_index=True)[1]
    ticks = np.array(ticks)[step]
    velocity = np.array([data.draw(st.integers(1, 127)) for _ in ticks])
    start = ticks / TICKS / 8
    notes = Notes.make(start, start + 0.02, 38, velocity, 0, True, 0)
    form = make_form('groove', 1)
    piece, _ = form.read(read_midi(write_midi(notes)))
    written = form.write(piece)
    played = written.select(np.argsort(written.start, kind='stable'))
    inside = ticks < 15.5 * TICKS
    order = np.argsort(ticks[inside])
    np.testing.assert_allclose(played.start, start[inside][order], atol=1e-9)
    np.testing.assert_array_equal(played.velocity, velocity[inside][order])


def test_the_rolands_map_reads_what_it_writes_and_every_other_pitch():
    classes = drum_classes('roland')
    rolands = ([36], [38, 37, 40], [42, 22, 44], [46, 26], [43, 58], [47, 45], [50, 48])
    for number, own in enumerate((*rolands, [49, 52, 55, 57], [51, 53, 59])):
        assert set(classes[own]) == {number}
    assert ((classes >= 0) == (drum_classes() >= 0)).all()
    assert classes[drum_pitches('roland')].tolist() == list(range(9))
    assert drum_pitches('roland').tolist() == [36, 38, 42, 46, 43, 47, 50, 49, 51]
    assert drum_pitches('old').tolist() == DRUM_PITCHES.tolist()


def test_leaving_out_and_exchanging_takes_all_three_numbers_of():
    windows = GROOVE.encode(GridNotes.make([0, 1], [1, 2], [36, 38], 64, 0.25), 2)[None]
    others = GROOVE.encode(GridNotes.make([1], [2], [36], 32, -0.25), 2)[None]
    kick = np.arange(9)[None] == 0
    left = GROOVE.drop(windows, ~kick)[0]
    assert np.flatnonzero(left.any(0)).tolist() == [1, 10, 19]
    mixed = GROOVE.mix(windows, others, kick)[0]
    np.testing.assert_array_equal(mixed[:, [0, 9, 18]], others[0][:, [0, 9, 18]])
    np.testing.assert_array_equal(mixed[:, [1, 10, 19]], windows[0][:, [1, 10, 19]])
    assert GROOVE.drop(windows, np.zeros((1, 9), bool)).any()


@pytest.fixture(scope='module')
def played():
    """The files that Magenta's converter was given, as scores without notes of no length.

    Magenta's reader drops these, ours keeps them.
    """
    names = json.loads((CONVERTERS / 'files.json').read_text())['groove']
    with tarfile.open(CORPUS) as tar:
        data = {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}
    scores = [read_midi(data[name]) for name in names]
    return [
        dataclasses.replace(score, notes=score.notes.select(score.notes.end > score.notes.start))
        for score in scores
    ]


@needs_shared
@pytest.mark.parametrize('drum_map, mode', [('roland', 'eval'), ('current', 'infer')])
@pytest.mark.parametrize('name, bars', [('groovae_2bar_humanize', 2), ('groovae_4bar', 4)])
def test_columns_are_those_of_magentas_converter(played, name, bars, drum_map, mode):
    theirs = np.load(CONVERTERS / f'{name}.npz')
    outputs, of_file = theirs[f'{mode}/outputs'], theirs[f'{mode}/file_index']
    windows = [_windows(score, 16 * bars, drum_map) for score in played]
    assert [len(own) for own in windows] == np.bincount(of_file, minlength=len(played)).tolist()
    ours = np.concatenate(windows)
    apart = np.abs(ours - outputs).max(-1) > 1e-6
    # Hits half-way between two steps: rounding noise puts six of Magenta's on the one before.
    half = (np.abs(np.stack([ours, outputs])[..., 18:]) > 0.999).any((0, -1))
    assert not (apart & ~half & ~np.roll(half, -1, 1)).any() and apart.sum() == 12


def _windows(score: Score, steps: int, drum_map: str) -> np.ndarray:
    """All whole windows that follow each other, as Magenta takes them: numbers [W, T, 27]."""
    sections, _ = split_sections(score, Notation().steps_per_quarter)
    if len(sections) != 1:
        return np.zeros((0, steps, 27))
    codec = GrooveCodec(drum_map)
    (track,) = list_tracks(sections, codec)
    notes = codec.voice(track.notes(sections[0]))
    length = (int(notes.start.max()) // 16 + 1) * 16
    columns = codec.encode(notes, length)
    return numbers_of(columns[: length // steps * steps].reshape(-1, steps, 27))


@needs_shared
@pytest.mark.parametrize('drum_map, mode', [('roland', 'eval'), ('current', 'infer')])
def test_notes_are_those_that_magenta_plays(drum_map, mode):
    """In seconds at 120; what Magenta plays before the beginning is played at it."""
    theirs = np.load(CONVERTERS / 'groovae_2bar_humanize.npz')
    form = make_form('groove', 2, Notation(drum_map=drum_map))
    found = []
    for number, columns in enumerate(tokens_of(theirs[f'{mode}/outputs'], form)):
        notes = form.write(columns)
        window = np.full(len(notes), number)
        found.append(np.stack([window, notes.pitch, notes.velocity, notes.start], 1))
    ours, expected = np.concatenate(found), theirs[f'{mode}/notes'][:, :4]
    expected[:, 3] = np.maximum(expected[:, 3], 0)
    # Half a step late is a tick too much for us: it would be read as the next step.
    assert (abs(ours[:, 3] - expected[:, 3]) > 1e-6).sum() == 5
    np.testing.assert_allclose(ours[:, 3], expected[:, 3], atol=0.125 / TICKS + 1e-6)
    np.testing.assert_array_equal(ours[:, :3], expected[:, :3])
