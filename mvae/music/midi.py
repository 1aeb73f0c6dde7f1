"""MIDI bytes and note_seq's NoteSequence to scores, and notes back to both."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import symusic

from mvae.music.notes import Notes, Score
from mvae.music.reasons import Reason, Rejected
from mvae.music.smf import NEVER, first_track_name, with_late_note_offs

if TYPE_CHECKING:
    from note_seq import NoteSequence

# Far above any music (a long symphony has 1 MB), far below what exhausts a worker's memory.
MAX_BYTES = 32 * 2**20
_MICROSECONDS = 6e7  # of one quarter at 1 quarter per minute
_WRITE_RESOLUTION = 480  # ticks per quarter
_SEQUENCE_RESOLUTION = 220  # what note_seq itself writes


def read_midi(data: bytes, max_bytes: int = MAX_BYTES) -> Score:
    """Reads a standard MIDI file of type 0 or 1.

    The notes are those that note_seq reads: a note-off ends every sounding note of its channel and
    pitch. There are three differences. Notes of no length are kept, as drum machines write them. So
    is a note that begins at a note-off meant for an older one. A program change does not touch a
    note that sounds, and notes of one pitch and two programs each end at a note-off of their own.

    Tempo and meter count on whichever MIDI track they stand. A track number is that of a part: MIDI
    track, channel and program. Times are float64 seconds, computed from ticks.

    Raises Rejected (UNREADABLE, UNSUPPORTED, TOO_LARGE).
    """
    _check_header(data, max_bytes)
    try:
        midi, notes = _parse(data)
    except Exception as error:  # symusic raises many kinds for broken files
        what = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise Rejected(Reason.UNREADABLE, f'broken MIDI file ({what}); export it anew') from None
    tempos = midi.tempos.numpy()
    if np.any(tempos['mspq'] <= 0):
        detail = 'broken MIDI file (a tempo of 0 microseconds per quarter); export it anew'
        raise Rejected(Reason.UNREADABLE, detail)
    to_seconds = _TempoMap(tempos['time'], tempos['mspq'], midi.ticks_per_quarter)
    meters = midi.time_signatures.numpy()
    return Score(
        notes=_to_notes(midi.tracks, notes, to_seconds),
        tempo_times=to_seconds(tempos['time']),
        tempo_qpm=_MICROSECONDS / tempos['mspq'],
        meter_times=to_seconds(meters['time']),
        meter_numerators=meters['numerator'],
        meter_denominators=meters['denominator'],
        title=first_track_name(data),
    )


def from_note_sequence(sequence: 'NoteSequence') -> Score:
    """Converts a NoteSequence; notes that share instrument, program and is_drum share a track."""
    rows = [
        (n.start_time, n.end_time, n.pitch, n.velocity, n.program, n.is_drum, n.instrument)
        for n in sequence.notes
    ]
    columns = np.array(rows, np.float64).reshape(-1, 7)
    parts = np.unique(columns[:, [6, 4, 5]], axis=0, return_inverse=True)[1].reshape(-1)
    tempos, meters = sequence.tempos, sequence.time_signatures
    return Score(
        notes=Notes.make(*columns[:, :5].T, columns[:, 5] > 0, parts),
        tempo_times=np.array([t.time for t in tempos], np.float64),
        tempo_qpm=np.array([t.qpm for t in tempos], np.float64),
        meter_times=np.array([t.time for t in meters], np.float64),
        meter_numerators=np.array([t.numerator for t in meters], np.int64),
        meter_denominators=np.array([t.denominator for t in meters], np.int64),
        title=sequence.sequence_metadata.title,
    )


def to_note_sequence(notes: Notes, qpm: float = 120.0) -> 'NoteSequence':
    """A NoteSequence in 4/4, notes in order of track and time. A track becomes an instrument."""
    from note_seq.protobuf import music_pb2

    sequence = music_pb2.NoteSequence(ticks_per_quarter=_SEQUENCE_RESOLUTION)
    sequence.tempos.add(time=0, qpm=qpm)
    sequence.time_signatures.add(time=0, numerator=4, denominator=4)
    notes = notes.select(np.lexsort((notes.pitch, notes.start, notes.track)))
    for start, end, pitch, velocity, program, is_drum, track in zip(
        *(column.tolist() for column in vars(notes).values()), strict=True
    ):
        sequence.notes.add(
            start_time=start,
            end_time=end,
            pitch=pitch,
            velocity=velocity,
            program=program,
            is_drum=is_drum,
            instrument=track,
        )
    sequence.total_time = float(notes.end.max(initial=0.0))
    return sequence


def write_midi(notes: Notes, qpm: float = 120.0, title: str = '') -> bytes:
    """A standard MIDI file (type 1, 4/4) of the notes, drums on channel 10.

    Each track of the notes becomes one of the file. read_midi gives the same notes back, rounded to
    a tick (1/480 quarter).
    """
    midi = symusic.Score(_WRITE_RESOLUTION)
    midi.tempos.append(symusic.Tempo(0, mspq=round(_MICROSECONDS / qpm)))
    midi.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    for track in np.unique(notes.track):
        own = notes.select(notes.track == track)
        start, end = (
            np.rint(t * qpm / 60 * _WRITE_RESOLUTION).astype(np.int32) for t in (own.start, own.end)
        )
        part = symusic.Track(name=title, program=int(own.program[0]), is_drum=bool(own.is_drum[0]))
        pitch, velocity = own.pitch.astype(np.int8), own.velocity.astype(np.int8)
        part.notes = symusic.Note.from_numpy(start, end - start, pitch, velocity)
        midi.tracks.append(part)
    return midi.dumps_midi()


class _TempoMap:
    """Ticks to seconds, float64."""

    def __init__(self, ticks: np.ndarray, microseconds: np.ndarray, resolution: int):
        order = np.argsort(ticks, kind='stable')
        ticks, microseconds = ticks[order].astype(np.int64), microseconds[order]
        last = np.append(np.diff(ticks) > 0, True)[: len(ticks)]  # of several at one tick
        ticks, microseconds = ticks[last], microseconds[last]
        if not len(ticks) or ticks[0] > 0:
            ticks, microseconds = np.append(0, ticks), np.append(500_000, microseconds)
        self._ticks = ticks
        self._per_tick = microseconds / (1e6 * resolution)
        self._seconds = np.append(0.0, np.cumsum(np.diff(ticks) * self._per_tick[:-1]))

    def __call__(self, ticks: np.ndarray) -> np.ndarray:
        at = np.maximum(np.searchsorted(self._ticks, ticks, side='right') - 1, 0)
        return self._seconds[at] + (ticks - self._ticks[at]) * self._per_tick[at]


def _check_header(data: bytes, max_bytes: int) -> None:
    if len(data) > max_bytes:
        detail = f'{len(data):,} bytes is more than the {max_bytes:,} allowed for one MIDI file'
        raise Rejected(Reason.TOO_LARGE, detail)
    if len(data) < 14 or data[:4] != b'MThd':
        detail = 'not a MIDI file: it does not begin with MThd; give standard MIDI (.mid)'
        raise Rejected(Reason.UNREADABLE, detail)
    form, division = int.from_bytes(data[8:10]), int.from_bytes(data[12:14])
    if form > 1:
        detail = f'MIDI of type {form} (independent songs); save it as type 0 or 1'
        raise Rejected(Reason.UNSUPPORTED, detail)
    if division & 0x8000:
        detail = 'MIDI timed in SMPTE frames has no beats; save it with ticks per quarter note'
        raise Rejected(Reason.UNSUPPORTED, detail)
    if division == 0:
        detail = 'broken MIDI file (0 ticks per quarter note); export it anew'
        raise Rejected(Reason.UNREADABLE, detail)


def _parse(data: bytes) -> tuple[symusic.Score, list[dict[str, np.ndarray]]]:
    """What symusic reads, and the notes of each track as columns in ticks.

    A note without a note-off lasts NEVER ticks or longer. Where a pitch is struck again while it
    sounds, symusic lets each note-off end one note, the oldest, and drops what is left over. With
    one note-off for two notes these are the last bars. So the pitches get late note-offs, as many
    as find something to end.
    """
    repeats, found = 1, 0
    while True:
        longer = with_late_note_offs(data, repeats)
        midi = symusic.Score.from_midi(longer)
        notes = [track.notes.numpy() for track in midi.tracks]
        late = sum(int(np.count_nonzero(columns['duration'] >= NEVER)) for columns in notes)
        if late == found or 8 * len(longer) > MAX_BYTES:
            return midi, notes
        repeats, found = 8 * repeats, late


def _to_notes(
    tracks: Sequence[Any], columns: list[dict[str, np.ndarray]], to_seconds: _TempoMap
) -> Notes:
    """All tracks at once.

    Files have dozens of short ones, and each call of numpy costs as much as a hundred notes.
    """
    if not columns:
        return Notes.empty()
    lengths = [len(own['time']) for own in columns]
    number = np.repeat(np.arange(len(columns), dtype=np.int32), lengths)
    start, duration, pitch, velocity = (
        np.concatenate([own[name] for own in columns])
        for name in ('time', 'duration', 'pitch', 'velocity')
    )
    start = start.astype(np.int64)
    end = _end_at_first_note_off(start, start + duration, number.astype(np.int64) * 256 + pitch)
    program = np.repeat(np.array([track.program for track in tracks], np.int16), lengths)
    is_drum = np.repeat(np.array([track.is_drum for track in tracks], bool), lengths)
    notes = Notes(
        to_seconds(start),
        to_seconds(end),
        pitch.astype(np.int16),
        velocity.astype(np.int16),
        program,
        is_drum,
        number,
    )
    ended = end - start < NEVER
    return notes if ended.all() else notes.select(ended)


def _end_at_first_note_off(start: np.ndarray, end: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Ends of notes where a note-off ends all notes of its key (track and pitch): int64 [N] each.

    symusic lets it end only the oldest.
    """
    span = int(max(start.max(initial=0), end.max(initial=0))) + 1
    starts, ends = key * span + start, key * span + end  # by key, then by time
    order = np.argsort(starts)
    struck_again = np.append(starts[order[1:]] < ends[order[:-1]], False)
    if not struck_again.any():
        return end
    own = np.flatnonzero(np.isin(key, key[order[struck_again]]))
    offs = np.unique(ends[own])  # every note-off that ended something
    first = offs[np.minimum(np.searchsorted(offs, starts[own], side='right'), len(offs) - 1)]
    result = end.copy()
    result[own] -= np.maximum(ends[own] - first, 0)  # notes of no length stay
    return result
