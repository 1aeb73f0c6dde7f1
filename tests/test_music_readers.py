"""Our reader against note_seq, which users know, on files of real collections.

Slow, and only where the collections are at hand.

note_seq is given what it would overlook (tempo on tracks after the first) and spared what is none
of the music (events after a track's end), so that times can be compared. Notes that then differ are
sorted by rules, and none may be left:

    no length          a note-on and its note-off at one tick: kept by us, dropped by note_seq
    program            a change while a note sounds moves it to the new program in note_seq, not
                       here
    channel            note_seq looks for programs in the note's own track, and for drums at channel
                       10 alone; notes agree in everything else
    at a note-off      the note begins at the tick of a note-off that ends older ones of its pitch,
                       or comes second: note_seq drops it
    across programs    the pitch was struck with another program and still sounds: note_seq ends
                       both at the next note-off, we each at its own

Times of files with two tempos at one tick are not compared: note_seq takes the first of them where
they lie on several tracks.
"""

import io
import multiprocessing
import tarfile
from collections import Counter, defaultdict, deque
from pathlib import Path

import numpy as np
import pytest

from mvae.music.midi import from_note_sequence, read_midi
from mvae.music.notes import Score
from mvae.music.reasons import Rejected

ARCHIVES = sorted((Path(__file__).parents[2] / 'shared' / 'data').glob('*.tar.xz'))
_CLOCK = 1e4  # ticks of 0.1 ms: note_seq sums times in float64, too, but in another order


def _notes(score: Score) -> Counter:
    n = score.notes
    times = np.rint(np.stack([n.start, n.end]) * _CLOCK).astype(int)
    return Counter(
        zip(
            *times.tolist(),
            n.pitch.tolist(),
            n.velocity.tolist(),
            n.program.tolist(),
            n.is_drum.tolist(),
            strict=True,
        )
    )


def _take_near(left: Counter, right: Counter, fields: list[int]) -> int:
    """Takes notes out of both that agree in the fields, and counts them.

    Times agree within a tick of the clock.
    """
    found = 0
    waiting = defaultdict(list)
    for note in left.elements():
        waiting[tuple(note[field] for field in fields)].append(note)
    for note in list(right.elements()):
        own = waiting[tuple(note[field] for field in fields)]
        match = next(
            (
                other
                for other in own
                if abs(other[0] - note[0]) <= 1 and abs(other[1] - note[1]) <= 1
            ),
            None,
        )
        if match is not None:
            own.remove(match)
            left[match] -= 1
            right[note] -= 1
            found += 1
    return found


def _take_starting(notes: Counter, starts: set) -> int:
    """Takes out the notes that begin at one of (start, pitch, is_drum), and counts them.

    Times agree within a tick of the clock.
    """
    taken = [
        note
        for note in notes
        if any((note[0] + tick, note[2], note[5]) in starts for tick in (-1, 0, 1))
    ]
    return sum(notes.pop(note) for note in taken)


def _prepare(midi) -> bool:
    """Moves all tempos of a mido file to its first track and cuts what follows a track's end.

    Returns whether two tempos meet at one tick.
    """
    import mido

    tempos = []
    for number, track in enumerate(midi.tracks):
        ends = [place for place, message in enumerate(track) if message.type == 'end_of_track']
        if ends:
            del track[ends[0] + 1 :]
        tick, kept = 0, mido.MidiTrack()
        for message in track:
            tick += message.time
            if message.type == 'set_tempo':
                tempos.append((tick, message.tempo))
                message = mido.MetaMessage(
                    'text', time=message.time
                )  # keeps the delta times as they are
            kept.append(message)
        midi.tracks[number] = kept
    tempos.sort(key=lambda tempo: tempo[0])
    ticks = [tick for tick, _ in tempos]
    deltas = np.diff(ticks, prepend=0).tolist()
    first = [
        mido.MetaMessage('set_tempo', tempo=tempo, time=delta)
        for delta, (_, tempo) in zip(deltas, tempos, strict=True)
    ]
    midi.tracks.insert(0, mido.MidiTrack([*first, mido.MetaMessage('end_of_track')]))
    return len(set(ticks)) < len(set(tempos))


def _special_starts(tracks, to_seconds) -> tuple[set, set]:
    """(start, pitch, is_drum) of notes that the two readers understand differently.

    The first begin at a note-off; the others are struck while their pitch sounds with another
    program.
    """
    at_note_off, across = set(), set()
    for track in tracks:
        programs = [0] * 16
        sounding = defaultdict(
            deque
        )  # (channel, pitch) -> the (tick, program) of each note, oldest first
        for message in track:  # with absolute times, as pretty_midi leaves them
            if message.type == 'program_change':
                programs[message.channel] = message.program
            elif message.type in ('note_on', 'note_off'):
                own = sounding[message.channel, message.note]
                key = (round(to_seconds(message.time) * _CLOCK), message.note, message.channel == 9)
                if message.type == 'note_on' and message.velocity:
                    if any(program != programs[message.channel] for _, program in own):
                        across.add(key)
                    own.append((message.time, programs[message.channel]))
                elif own:
                    if own[-1][0] == message.time:
                        at_note_off.add(key)
                    own.popleft()
    return at_note_off, across


def compare(data: bytes) -> Counter:
    """Notes of one file by how the readers differ on them."""
    import mido
    import note_seq
    import pretty_midi

    try:
        ours = _notes(read_midi(data))
    except Rejected:
        ours = None
    try:
        midi = mido.MidiFile(file=io.BytesIO(data))
        timeless = _prepare(midi)
        pretty = pretty_midi.PrettyMIDI(mido_object=midi)
        theirs = _notes(from_note_sequence(note_seq.midi_to_note_sequence(pretty)))
    except Exception:  # mido and pretty_midi raise many kinds
        theirs = None
    if ours is None or theirs is None:
        return Counter(
            {
                'files': 1,
                'both refuse'
                if ours is theirs
                else 'we refuse'
                if ours is None
                else 'note_seq refuses': 1,
            }
        )
    at_note_off, across = _special_starts(midi.tracks, pretty.tick_to_time)
    result = Counter(files=1)
    result['same'] = (ours & theirs).total()
    left, right = ours - theirs, theirs - ours
    result['same'] += _take_near(left, right, [2, 3, 4, 5])  # rounded to neighbouring ticks
    result['program'] = _take_near(left, right, [2, 3, 5])
    result['channel'] = _take_near(left, right, [2, 3])
    left, right = +left, +right
    short = [note for note in left if note[1] - note[0] <= 1]
    result['no length'] = sum(left.pop(note) for note in short)
    result['across programs'] = _take_starting(left, across)
    _take_starting(right, across)
    result['at a note-off'] = _take_starting(left, at_note_off)
    if timeless and (left or right):
        result['two tempos at a tick'] = 1
        left, right = (
            Counter((0, 2, *note[2:]) for note in notes.elements()) for notes in (left, right)
        )
        result['same'] += _take_near(left, right, [2, 3, 4, 5])
    result['only ours'], result['only note_seq'] = left.total(), right.total()
    return result


@pytest.mark.slow
@pytest.mark.skipif(
    not ARCHIVES, reason='the collections are not here; they are no part of the project'
)
@pytest.mark.parametrize('archive', ARCHIVES, ids=lambda path: path.name.partition('.')[0])
def test_both_readers_see_the_same_notes_in(archive):
    with tarfile.open(archive) as tar:
        members = [m for m in tar if m.isfile() and m.name.lower().endswith(('.mid', '.midi'))]
        files = [tar.extractfile(m).read() for m in members]
    with multiprocessing.get_context('spawn').Pool() as pool:
        total = sum(pool.imap_unordered(compare, files, 16), Counter())
    print(archive.name, dict(total))
    assert total['same'] > 0
    assert total['only ours'] == total['only note_seq'] == total['we refuse'] == 0
