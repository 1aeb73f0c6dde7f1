"""Chords that stand in a file beside the music: `tune.lab` beside `tune.mid`.

A line has the seconds where a chord begins and ends and its label (Harte et al., 2005), such as
`0.000 1.924 C:maj`. The collection POP909 has them as `472/chord_midi.txt` beside `472/472.mid`.
"""

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mvae.files import Missing, read
from mvae.music.notes import Score
from mvae.music.reasons import Reason, Rejected
from mvae.music.symbols import NO_CHORD, triad_of_label

SUFFIX = '.lab'
POP909 = 'chord_midi.txt'
_MOST_BYTES = 2**24
_COLUMNS = 3
_Chord = tuple[float, float, int]  # begin and end in seconds, and the triad


def beside(path: Path) -> Path | None:
    """The file with the chords of a MIDI file; None where there is none."""
    own = [path.with_suffix(SUFFIX)]
    own += [path.with_name(POP909)] if path.stem == path.parent.name else []
    return next((file for file in own if file.is_file()), None)


def with_chords(score: Score, path: Path) -> Score:
    """The score of the MIDI file at path, with the chords that stand beside it, if any do.

    They come in place of those that the MIDI file names. Raises as `parse`
    does.
    """
    file = beside(path)
    if file is None:
        return score
    try:
        found = parse(read(file, _MOST_BYTES), file.name)
    except Missing:  # gone meanwhile
        return score
    if found is None:
        return score
    times, triads = found
    return dataclasses.replace(score, chord_times=times, triads=triads)


def parse(data: bytes, name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Where chords begin, in seconds, float64 [H], and their triads, int64 [H].

    Between a chord's end and the next one's begin there is none. name: of the file, for messages.
    None where most lines are none of chords: such files may hold sections or words, too. Raises
    Rejected (UNREADABLE) where some of them are wrong.
    """
    lines = enumerate(data.decode('utf-8', 'replace').splitlines(), 1)
    said = [(n, line) for n, line in lines if line.strip() and not line.lstrip().startswith('#')]
    chords: list[_Chord] = []
    wrong: list[Rejected] = []
    for number, line in said:
        try:
            chords.append(_read_line(line, f'{name}, line {number}'))
        except Rejected as error:
            wrong.append(error)
    if not chords or len(wrong) > len(chords):
        return None
    if wrong:
        raise wrong[0]
    return _without_gaps(chords)


def _without_gaps(chords: Iterable[_Chord]) -> tuple[np.ndarray, np.ndarray]:
    found, until = list[tuple[float, int]](), 0.0
    for begin, end, triad in chords:
        if begin > until:
            found.append((until, NO_CHORD))
        found.append((begin, triad))
        until = end
    found.append((until, NO_CHORD))
    return np.array([time for time, _ in found]), np.array([triad for _, triad in found])


def _read_line(line: str, where: str) -> _Chord:
    words = line.split()
    try:
        begin, end = (float(word) for word in words[:2])
    except ValueError:
        begin = end = math.nan
    if len(words) != _COLUMNS or not 0 <= begin <= end < math.inf:
        raise Rejected(
            Reason.UNREADABLE,
            f"{where}: a line has a chord's begin and end in seconds and its label, such as "
            f"'0.0 1.9 C:maj', not {line.strip()[:40]!r}",
        )
    triad = triad_of_label(words[2])
    if triad is None:
        raise Rejected(Reason.UNREADABLE, f'{where}: {words[2][:40]!r} is no chord')
    return begin, end, triad
