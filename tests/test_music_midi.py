"""Reading and writing MIDI: both readers see the same notes; broken files are refused."""

import numpy as np
import pytest

from mvae.music.midi import from_note_sequence, read_midi, to_note_sequence, write_midi
from mvae.music.notes import Notes
from mvae.music.reasons import Reason, Rejected
from mvae.music.sections import split_sections


def _random_notes(seed):
    """Three parts on the sixteenth grid at 120 quarters per minute.

    No pitch overlaps itself within a part.
    """
    rng = np.random.default_rng(seed)
    start = np.sort(rng.choice(64, 24, replace=False)).repeat(1)
    end = np.append(start[1:], 65)
    track = np.arange(24) % 3
    columns = (
        start / 8,
        end / 8,
        rng.integers(30, 90, 24),
        np.full(24, 80),
        np.array([0, 33, 0])[track],
        track == 2,
        track,
    )
    return Notes(
        *(
            c.astype(t)
            for c, t in zip(columns, (float, float, *('i2',) * 3, bool, 'i4'), strict=True)
        )
    )


def _grid(score):
    (section,), reasons = split_sections(score)
    assert reasons == []
    return sorted(
        zip(
            *(
                getattr(section, c).tolist()
                for c in ('start', 'end', 'pitch', 'program', 'is_drum')
            ),
            strict=True,
        )
    )


@pytest.mark.parametrize('seed', range(4))
def test_both_readers_see_the_same_notes(seed):
    import note_seq

    notes = _random_notes(seed)
    data = write_midi(notes, 120.0)
    ours, theirs = (
        _grid(read_midi(data)),
        _grid(from_note_sequence(note_seq.midi_to_note_sequence(data))),
    )
    assert ours == theirs and len(ours) == len(notes)
    assert ours == _grid(from_note_sequence(to_note_sequence(notes, 120.0)))


def test_same_notes_same_bytes():
    assert write_midi(_random_notes(1), 97.0) == write_midi(_random_notes(1), 97.0)


@pytest.mark.parametrize('data', [b'', b'hello', b'MThd', b'RIFF....RMID'])
def test_what_is_not_midi_is_refused_in_one_line(data):
    with pytest.raises(Rejected) as caught:
        read_midi(data)
    assert caught.value.reason is Reason.UNREADABLE and '\n' not in str(caught.value)


def test_smpte_time_and_type_2_are_refused_with_what_to_do():
    data = write_midi(_random_notes(0), 120.0)
    for broken in (data[:12] + b'\xe7\x28' + data[14:], data[:8] + b'\x00\x02' + data[10:]):
        with pytest.raises(Rejected, match='save it') as caught:
            read_midi(broken)
        assert caught.value.reason is Reason.UNSUPPORTED


def test_every_truncation_is_read_or_refused():
    data = write_midi(_random_notes(2), 120.0)
    for length in range(0, len(data), 7):
        try:
            read_midi(data[:length])
        except Rejected as error:
            assert error.reason is Reason.UNREADABLE


def test_a_note_off_ends_all_notes_of_its_pitch_in_both_readers():
    """The same pitch struck again while it sounds, late in the file."""
    import note_seq

    start, end = np.array([0.0, 20.0, 20.5, 21.0]), np.array([1.0, 22.0, 21.5, 23.0])
    data = write_midi(Notes.make(start, end, 60, 80, 0, False, 0), 120.0)
    assert _grid(read_midi(data)) == _grid(from_note_sequence(note_seq.midi_to_note_sequence(data)))


def _one_track(events):
    """A file with 96 ticks per quarter.

    Each event is a delta time, a status byte and its data bytes.
    """
    track = b''.join(map(bytes, events)) + b'\0\xff\x2f\0'
    return (
        b'MThd' + bytes([0, 0, 0, 6, 0, 0, 0, 1, 0, 96]) + b'MTrk' + len(track).to_bytes(4) + track
    )


@pytest.mark.parametrize('channel', [0, 15])
def test_no_note_is_lost_where_two_have_one_note_off(channel):
    import note_seq

    struck = [
        (24, 0x90 | channel, 60, 80),
        (24, 0x90 | channel, 60, 70),
        (48, 0x80 | channel, 60, 0),
    ]
    data = _one_track(struck * 20)
    notes = read_midi(data).notes
    begin = np.arange(20) * 0.5 + 0.125  # a round of 96 ticks lasts half a second
    np.testing.assert_allclose(np.sort(notes.start), np.sort([begin, begin + 0.125], axis=None))
    np.testing.assert_allclose(np.sort(notes.end), np.repeat(begin + 0.375, 2))
    assert _grid(read_midi(data)) == _grid(from_note_sequence(note_seq.midi_to_note_sequence(data)))


def test_a_note_without_a_note_off_is_no_note():
    data = _one_track(
        [
            (0, 0x90, 60, 80),
            (0, 0x93, 64, 80),
            (48, 0x90, 62, 80),
            (48, 0x80, 62, 0),
            (96, 0x83, 64, 0),
        ]
    )
    notes = read_midi(data).notes
    assert sorted(
        zip(notes.pitch.tolist(), notes.start.tolist(), notes.end.tolist(), strict=True)
    ) == [(62, 0.25, 0.5), (64, 0.0, 1.0)]


def test_a_note_that_begins_at_a_note_off_for_an_older_one_stays():
    on, off = (0x90, 60, 80), (0x80, 60, 0)
    data = _one_track(
        [(0, *on), (24, *on), (24, *off), (0, *on), (0, *off), (48, *off)]
    )  # three notes, three note-offs
    notes = read_midi(data).notes
    assert sorted(zip(notes.start.tolist(), notes.end.tolist(), strict=True)) == [
        (0.0, 0.25),
        (0.125, 0.25),
        (0.25, 0.5),
    ]


def test_notes_of_one_pitch_and_two_programs_end_each_at_its_own_note_off():
    on, off, program_5 = (0x90, 60, 80), (0x80, 60, 0), (0xC0, 5)
    notes = read_midi(
        _one_track([(0, *on), (24, *program_5), (0, *on), (24, *off), (48, *off)])
    ).notes
    assert sorted(
        zip(notes.program.tolist(), notes.start.tolist(), notes.end.tolist(), strict=True)
    ) == [(0, 0.0, 0.25), (5, 0.125, 0.5)]


@pytest.mark.parametrize('length', [b'\xff\xff\xff\x7f', b'\xff' * 500 + b'\x7f', b'\xff' * 10**6])
@pytest.mark.parametrize('kind', [b'\xff\x01', b'\xf0'])
def test_lengths_behind_the_end_of_the_file_are_said(length, kind):
    track = b'\x00' + kind + length + b'\x00\xff\x2f\x00'
    head = b'MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0MTrk'
    with pytest.raises(Rejected, match='track 1'):
        read_midi(head + len(track).to_bytes(4, 'big') + track)
