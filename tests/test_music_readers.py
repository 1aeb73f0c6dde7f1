"""symusic, which reads in bulk, against note_seq, which users know, on every file of real collections; slow, and only where they are at hand.

Differences are sorted by cause. Notes of no length: kept by us, dropped by note_seq. Program: a change while a note sounds moves it to the new
program in note_seq, not here. Restruck: a pitch that is struck again while it sounds and has fewer note-offs than note-ons; note_seq ends all at the
first, symusic drops those without one of their own. Tempo: note_seq (pretty_midi) overlooks tempo on tracks after the first, so times cannot agree,
and only pitches, velocities and programs are compared. What is left has no cause that we know.
"""

import io
import multiprocessing
import tarfile
from collections import Counter
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
    return Counter(zip(*times.tolist(), n.pitch.tolist(), n.velocity.tolist(), n.program.tolist(), n.is_drum.tolist(), strict=True))


def _near(left: Counter, right: Counter, fields: slice) -> int:
    """Takes notes out of both that agree in the fields, with times within a tick of the clock, and counts them."""
    found = 0
    waiting = {}
    for note in left.elements():
        waiting.setdefault(note[fields], []).append(note)
    for note in list(right.elements()):
        own = waiting.get(note[fields], [])
        match = next((other for other in own if abs(other[0] - note[0]) <= 1 and abs(other[1] - note[1]) <= 1), None)
        if match is not None:
            own.remove(match)
            left[match] -= 1
            right[note] -= 1
            found += 1
    return found


def _tempo_elsewhere(data: bytes) -> bool:
    import mido

    return any(message.type == 'set_tempo' for track in mido.MidiFile(file=io.BytesIO(data)).tracks[1:] for message in track)


def _without_times(notes: Counter) -> Counter:
    result = Counter()
    for note, n in notes.items():
        result[(0, 2, *note[2:])] += n
    return result


def compare(data: bytes) -> Counter:
    """Notes of one file by how the readers differ on them."""
    import note_seq

    try:
        ours = _notes(read_midi(data))
    except Rejected:
        ours = None
    try:
        theirs = _notes(from_note_sequence(note_seq.midi_to_note_sequence(data)))
    except Exception:  # pretty_midi raises many kinds
        theirs = None
    if ours is None or theirs is None:
        return Counter({'files': 1, 'both refuse' if ours is theirs else 'we refuse' if ours is None else 'note_seq refuses': 1})
    result = Counter(files=1)
    if _tempo_elsewhere(data):
        ours, theirs = _without_times(ours), _without_times(theirs)
        result['tempo elsewhere'] = 1
    result['same'] = (ours & theirs).total()
    left, right = ours - theirs, theirs - ours
    result['same'] += _near(left, right, slice(2, 6))  # rounded to neighbouring ticks
    result['program'] = _near(left, right, slice(2, 4))
    left, right = +left, +right
    result['no length'] = sum(n for note, n in left.items() if note[1] - note[0] <= 1)
    result['only ours'] = left.total() - result['no length']
    by_pitch = Counter((note[1], note[2], *note[4:]) for note in theirs.elements())
    result['restruck'] = sum(n for note, n in right.items() if by_pitch[(note[1], note[2], *note[4:])] > 1)
    result['only note_seq'] = right.total() - result['restruck']
    result['files that differ'] = int(bool(result['only ours'] or result['only note_seq']))
    return result


@pytest.mark.slow
@pytest.mark.skipif(not ARCHIVES, reason='the collections are not here; they are no part of the project')
@pytest.mark.parametrize('archive', ARCHIVES, ids=lambda path: path.name.partition('.')[0])
def test_both_readers_see_the_same_notes_in(archive):
    with tarfile.open(archive) as tar:
        members = [m for m in tar if m.isfile() and m.name.lower().endswith(('.mid', '.midi'))]
        files = [tar.extractfile(m).read() for m in members]
    with multiprocessing.get_context('spawn').Pool() as pool:
        total = sum(pool.imap_unordered(compare, files, 16), Counter())
    print(archive.name, dict(total))
    assert total['same'] > 0.999 * (total['same'] + total['only ours'] + total['only note_seq'])
    assert total['we refuse'] == 0
