"""MIDI bytes and note_seq's NoteSequence to scores, and notes back to both."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import symusic

from mvae.music.channels import DRUM_CLUES, Channels
from mvae.music.meter import FOUR_FOUR, Meter
from mvae.music.notes import Notes, Score
from mvae.music.pairing import NEVER, end_at_first_note_off, lead_channels, pair_notes
from mvae.music.reasons import Reason, Rejected
from mvae.music.smf import MARKER, METER, TEMPO, TEXT, Events, read_events, to_text
from mvae.music.symbols import are_symbols, triad_of

if TYPE_CHECKING:
    from note_seq import NoteSequence

# Far above any music (a long symphony has 1 MB), far below what exhausts a worker's memory.
MAX_BYTES = 32 * 2**20
_MICROSECONDS = 6e7  # of one quarter at 1 quarter per minute
_WRITE_RESOLUTION = 480  # ticks per quarter
_SEQUENCE_RESOLUTION = 220  # what note_seq itself writes


def read_midi(data: bytes, max_bytes: int = MAX_BYTES) -> Score:
    """Reads a standard MIDI file of type 0 or 1.

    A note-off ends every sounding note of its channel and pitch. Notes of no length are kept, as
    drum machines write them. So is a note that begins at a note-off meant for an older one. A
    program change does not touch a note that sounds, and notes of one pitch and two programs each
    end at a note-off of their own.

    What a channel plays holds over all MIDI tracks, see `channels`; tempo and meter count on
    whichever they stand. A track number is that of a part: MIDI track, channel and program. Times
    are float64 seconds, computed from ticks.

    Raises Rejected (UNREADABLE, UNSUPPORTED, TOO_LARGE).
    """
    if len(data) > max_bytes:
        detail = f'{len(data):,} bytes is more than the {max_bytes:,} allowed for one MIDI file'
        raise Rejected(Reason.TOO_LARGE, detail)
    events = read_events(data)
    ticks, microseconds = _tempos(events)
    to_seconds = _TempoMap(ticks, microseconds, events.resolution)
    meter_ticks, numerators, denominators = _meters(events)
    notes, clues, lost = _notes(events, to_seconds)
    chord_ticks, triads = _chords(events)
    return Score(
        notes=notes,
        tempo_times=to_seconds(ticks),
        tempo_qpm=_MICROSECONDS / microseconds,
        meter_times=to_seconds(meter_ticks),
        meter_numerators=numerators,
        meter_denominators=denominators,
        title=events.title,
        drum_clues=clues,
        lost=lost,
        chord_times=to_seconds(chord_ticks),
        triads=triads,
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
    chord_times, triads = _named_chords(sequence)
    return Score(
        notes=Notes.make(*columns[:, :5].T, columns[:, 5] > 0, parts),
        tempo_times=np.array([t.time for t in tempos], np.float64),
        tempo_qpm=np.array([t.qpm for t in tempos], np.float64),
        meter_times=np.array([t.time for t in meters], np.float64),
        meter_numerators=np.array([t.numerator for t in meters], np.int64),
        meter_denominators=np.array([t.denominator for t in meters], np.int64),
        title=sequence.sequence_metadata.title,
        chord_times=chord_times,
        triads=triads,
    )


def to_note_sequence(
    notes: Notes,
    qpm: float = 120.0,
    meter: Meter = FOUR_FOUR,
    symbols: Sequence[tuple[float, str]] = (),
) -> 'NoteSequence':
    """A NoteSequence, notes in order of track and time. A track becomes an instrument.

    symbols: of chords, with their seconds.
    """
    from note_seq.protobuf import music_pb2

    sequence = music_pb2.NoteSequence(ticks_per_quarter=_SEQUENCE_RESOLUTION)
    sequence.tempos.add(time=0, qpm=qpm)
    sequence.time_signatures.add(time=0, **meter._asdict())
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
    for time, text in symbols:
        sequence.text_annotations.add(
            time=time, text=text, annotation_type=music_pb2.NoteSequence.TextAnnotation.CHORD_SYMBOL
        )
    sequence.total_time = float(notes.end.max(initial=0.0))
    return sequence


def write_midi(
    notes: Notes,
    qpm: float = 120.0,
    title: str = '',
    meter: Meter = FOUR_FOUR,
    symbols: Sequence[tuple[float, str]] = (),
) -> bytes:
    """A standard MIDI file (type 1) of the notes, drums on channel 10.

    Each track of the notes becomes one of the file. read_midi gives the same notes back, rounded to
    a tick (1/480 quarter). symbols: of chords, with their seconds; they become markers.
    """
    midi = symusic.Score(_WRITE_RESOLUTION)
    midi.tempos.append(symusic.Tempo(0, mspq=round(_MICROSECONDS / qpm)))
    midi.time_signatures.append(symusic.TimeSignature(0, *meter))
    for time, text in symbols:
        midi.markers.append(symusic.TextMeta(round(time * qpm / 60 * _WRITE_RESOLUTION), text))
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


def _tempos(events: Events) -> tuple[np.ndarray, np.ndarray]:
    """Ticks and microseconds per quarter, in order of time."""
    found = [
        (int(events.tick[row]), int.from_bytes(content[:3]))
        for row, kind, content in events.messages
        if kind == TEMPO and len(content) >= 3
    ]
    if any(value == 0 for _, value in found):
        detail = 'broken MIDI file (a tempo of 0 microseconds per quarter); export it anew'
        raise Rejected(Reason.UNREADABLE, detail)
    columns = np.array(sorted(found, key=lambda one: one[0]), np.int64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


def _meters(events: Events) -> np.ndarray:
    """Ticks, numerators and denominators, in order of time: int64 [3, M]."""
    found = [
        (int(events.tick[row]), content[0], 1 << min(content[1], 30))
        for row, kind, content in events.messages
        if kind == METER and len(content) >= 2
    ]
    return np.array(sorted(found, key=lambda one: one[0]), np.int64).reshape(-1, 3).T


def _chords(events: Events) -> np.ndarray:
    """Ticks and triads of the file's chord symbols, its markers or else its texts: int64 [2, H]."""
    for wanted in (MARKER, TEXT):
        found = [
            (int(events.tick[row]), to_text(content))
            for row, kind, content in events.messages
            if kind == wanted
        ]
        if are_symbols(text for _, text in found):
            known = [(tick, triad) for tick, text in found if (triad := triad_of(text)) is not None]
            return np.array(known, np.int64).T
    return np.zeros((2, 0), np.int64)


def _named_chords(sequence: 'NoteSequence') -> np.ndarray:
    """Seconds and triads of those of a NoteSequence: float64 [2, H]."""
    found = [
        (note.time, triad)
        for note in sequence.text_annotations
        if note.annotation_type == note.CHORD_SYMBOL and (triad := triad_of(note.text)) is not None
    ]
    return np.array(found, np.float64).reshape(-1, 2).T


def _notes(
    events: Events, to_seconds: _TempoMap
) -> tuple[Notes, dict[str, int], dict[Reason, int]]:
    """The notes, how many of the drums are known by which clue, and what is lost."""
    channels = Channels(events)
    struck = pair_notes(events, channels)
    channel = lead_channels(struck, events, channels)
    pitch = events.first[struck.row].astype(np.int16)
    program, clue = channels.sounds(struck.row, channel, pitch)
    part = (channels.track[struck.row] << 16 | channel) << 8 | program << 1 | (clue > 0)
    number = np.unique(part, return_inverse=True)[1].reshape(-1)
    end = end_at_first_note_off(struck.start, struck.end, number * 128 + pitch)
    velocity = np.minimum(events.second[struck.row], 127)
    times = to_seconds(struck.start), to_seconds(end)
    notes = Notes.make(*times, pitch, velocity, program, clue > 0, number)
    ended = end < NEVER
    counts = np.bincount(clue[ended], minlength=len(DRUM_CLUES) + 1)[1:].tolist()
    clues = {name: n for name, n in zip(DRUM_CLUES, counts, strict=True) if n}
    lost = {Reason.NO_SUCH_PITCH: struck.strange, Reason.NO_NOTE_OFF: int((~ended).sum())}
    kept = notes if ended.all() else notes.select(ended)
    return kept, clues, {reason: n for reason, n in lost.items() if n}
