"""Bands as Magenta's own converter made them of files, and their chords."""

import json
import tarfile

import numpy as np
import pytest
from magenta_numbers import SHARED, needs_shared

from mvae.music.chords import ChordCodec
from mvae.music.forms import make_form
from mvae.music.midi import read_midi
from mvae.music.sections import split_sections
from mvae.music.tracks import Everyone, Harmony

FORM = make_form('band', 1)
BAND = FORM.streams[0].codec
CONVERTED = SHARED / 'converters'


@pytest.fixture(scope='module')
def converted():
    return dict(np.load(CONVERTED / 'hier-multiperf_vel_1bar_med.npz'))


@pytest.fixture(scope='module')
def converted_chords():
    return dict(np.load(CONVERTED / 'hier-multiperf_vel_1bar_med_chords.npz'))


@needs_shared
def test_notes_equal_those_of_magentas_decoder(converted):
    for number, own in enumerate(converted['tokens']):
        theirs = converted['notes'][converted['notes'][:, 0] == number, 1:]
        heard = FORM.write((own.astype(int) + 1)[:, None])
        names = 'pitch velocity start end program is_drum track'.split()
        ours = np.stack([getattr(heard, name) for name in names], 1)
        for columns in (ours, theirs):
            columns[:] = columns[np.lexsort(np.round(columns, 6).T)]
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


@pytest.fixture(scope='module')
def bars_of_files():
    """Of each file that Magenta converted its bars, told their chords: int [N, 512, 2]."""
    listed = json.loads((CONVERTED / 'files.json').read_text())['multi']
    with tarfile.open(SHARED.parent / 'data' / 'gamemusic.tar.xz') as archive:
        files = {name: archive.extractfile(name) for name in listed}
        for name in sorted(listed, key=archive.getnames().index):
            files[name] = bars_of(files[name].read())
    return [files[name] for name in listed]


@needs_shared
def test_windows_equal_those_of_magentas_converter(converted, bars_of_files):
    """Of 165 bars without notes on the edge of its bars 150 are the same.

    In the others a note begins or ends half way between two steps, where we go up and floats go
    either way. Instruments of one program are in any order.
    """
    counts = np.bincount(converted['file_index'], minlength=len(bars_of_files))
    assert counts.tolist() == [len(bars) for bars in bars_of_files]
    rows = np.flatnonzero(~converted['noisy'])
    theirs = [by_row(converted['tokens'][row].astype(int)[:, None] + 1) for row in rows]
    own = [set(map(by_row, bars_of_files[n][..., :1])) for n in converted['file_index'][rows]]
    same = [one in bars for one, bars in zip(theirs, own, strict=True)]
    assert (len(rows), sum(same)) == (165, 150)


@needs_shared
def test_chords_of_events_equal_those_of_magentas_converter(converted_chords, bars_of_files):
    """Of 163 bars those 148 whose events are the same. It lacks 21 for noise in its times."""
    kept = ~converted_chords['noisy']
    theirs = theirs_told(converted_chords)[kept]
    own = [bars_of_files[n] for n in converted_chords['file_index'][kept]]
    pairs = list(zip(theirs, own, strict=True))
    events = [by_row(bar[:, :1]) in map(by_row, bars[..., :1]) for bar, bars in pairs]
    chords = [by_row(bar) in map(by_row, bars) for bar, bars in pairs]
    assert (len(pairs), sum(events), sum(chords)) == (163, 148, 148)


@needs_shared
def test_chord_symbols_of_bars_equal_those_of_magentas_decoder(converted_chords):
    c, form = converted_chords, make_form('band_of_chords', 1)
    for n in np.flatnonzero(~c['noisy']):
        own = c['out_chord_window'] == n
        theirs = list(zip(c['out_chord_time'][own], c['out_chord_text'][own], strict=True))
        ours = form.timed_symbols(theirs_told(c)[n], 120.0)
        assert [text for _, text in ours] == [text for _, text in theirs]
        np.testing.assert_allclose([t for t, _ in ours], [t for t, _ in theirs], atol=1e-9)


def theirs_told(converted):
    """Events and chords as our columns: int [W, 512, 2]."""
    events, chords = (converted[name].astype(int) for name in ('tokens', 'chord_tokens'))
    return np.stack([events + 1, np.maximum(chords, 0)], -1)


def bars_of(data):
    """The bars of a file that are taken, as Magenta cuts it, and their chords: int [N, 512, 2]."""
    found, codec = [], ChordCodec()
    for section in split_sections(read_midi(data), 24)[0]:
        (everyone,) = Everyone().tracks([section], BAND)
        (harmony,) = Harmony(48).tracks([section], codec)
        bars = -(-section.total_steps // 96)
        columns = BAND.encode(BAND.voice(everyone.notes(section)), 96 * bars)
        told = codec.encode(codec.voice(harmony.notes(section)), 96 * bars)
        both = np.concatenate([columns, BAND.beside(told, columns)], 1).reshape(bars, 512, 2)
        windows = both[..., :1]
        thin = np.any(list(BAND.thin(windows).values()), 0)
        found.append(both[windows.any((1, 2)) & ~thin])
    return np.concatenate([np.zeros((0, 512, 2), int), *found]).astype(int)


def by_row(bar):
    return tuple(sorted(map(tuple, np.reshape(bar, (8, -1)).tolist())))
