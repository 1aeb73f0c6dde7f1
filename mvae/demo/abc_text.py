"""ABC text of the collections -> exact notes between bar lines, by music21's tokeniser.

music21's tokenising and token processing give pitches, key signatures, accidentals, broken rhythms
and tuplets; no music21 Stream is built, which is what makes a whole collection take seconds.
"""

import dataclasses
import pathlib
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

COLLECTIONS = ('oneills1850', 'ryansMammoth')
"""Folders of music21's corpus that are used.

They hold O'Neill's Music of Ireland (1903) and Ryan's Mammoth Collection (1883).
"""


@dataclasses.dataclass(frozen=True)
class Source:
    """One tune as ABC text.

    `number` counts the tunes of a collection from 1, in the order of file names.
    """

    collection: str
    number: int
    text: str


@dataclasses.dataclass(frozen=True)
class Note:
    """A note or rest; onset (from the bar line before) and length in steps."""

    onset: Fraction
    length: Fraction
    pitch: int | None  # None: rest
    tied: bool  # to the next note
    tuplet: bool


@dataclasses.dataclass
class Fragment:
    """What stands between two bar lines: a bar, or a part of one at a join. Lengths in steps."""

    notes: list[Note]
    length: Fraction
    part: int = 0
    opens: bool = False  # first fragment of a part
    closes: bool = False  # last fragment of a part


def sources(corpus_folder: pathlib.Path, collections: Iterable[str] = COLLECTIONS) -> list[Source]:
    """All tunes of the collections as ABC text, cut at their `X:` lines.

    corpus_folder: path of music21's corpus.
    """
    found = []
    for collection in collections:
        number = 0
        for path in sorted((corpus_folder / collection).glob('*.abc')):
            book = path.read_text(encoding='utf-8', errors='replace')
            for text in re.split(r'(?m)^(?=X:)', book):
                if text.startswith('X:'):
                    number += 1
                    found.append(Source(collection, number, text))
    return found


def read_header(text: str) -> dict[str, str]:
    """First value of each header field, without comments.

    The key line ends an ABC header.
    """
    fields: dict[str, str] = {}
    for letter, value in re.findall(r'(?m)^([A-Z]):([^%\n\r]*)', text):
        fields.setdefault(letter, value.strip())
        if letter == 'K':
            break
    return fields


def read_fragments(
    text: str, per_quarter: int
) -> tuple[list[Fragment], list[tuple[int, str]], tuple[int, str]]:
    """ABC text -> (fragments, marks, (sharps, mode)).

    marks: list of (index of the fragment that follows, kind), kind in 'start', 'end', 'double',
    'ending1', 'ending2'.
    per_quarter: steps of a quarter note.

    Raises ValueError where there are no notes or no key.
    """
    from music21 import abcFormat as abc

    key: tuple[int, str] | None = None
    fragments: list[Fragment] = []
    marks: list[tuple[int, str]] = []
    notes: list[Note] = []
    position = Fraction(0)
    for token in _tokens(text):
        if isinstance(token, abc.ABCMetadata):
            if key is None and token.isKey():
                sharps, mode = token.getKeySignatureParameters()
                key = (int(sharps), mode or 'major')
        elif isinstance(token, abc.ABCTie):
            _tie(notes or (fragments[-1].notes if fragments else []))
        elif isinstance(token, abc.ABCNote):
            notes.append(_note(token, position, per_quarter))
            position += notes[-1].length
        elif isinstance(token, abc.ABCBar):
            if notes:
                fragments.append(Fragment(notes, position))
                notes, position = [], Fraction(0)
            kind = _mark(token.src.strip())
            if kind:
                marks.append((len(fragments), kind))
    if notes:
        fragments.append(Fragment(notes, position))
    if not fragments or key is None:
        raise ValueError('no notes or no key')
    return fragments, marks, key


def _tokens(text: str) -> list[Any]:
    """Music21's tokens of notes, ties, bars and keys, processed.

    Slurs, bowings and grace notes go: they would stand between a broken rhythm mark and its notes.
    """
    from music21 import abcFormat as abc

    text = re.sub(r'\+([^+\n]*)\+', r'[\1]', text)  # chords of the oldest ABC dialect
    text = re.sub(r'\[([KML]:[^\]\n]*)\]', r'\n\1\n', text)  # changes inside a line
    # From version 2 on music21 lets an accidental last to the end of the bar, as it does in the
    # printed collections.
    handler = abc.ABCHandler(abcVersion=(2, 1, 0))
    handler.tokenize(text)
    kinds = (
        abc.ABCMetadata
        | abc.ABCBar
        | abc.ABCTuplet
        | abc.ABCNote
        | abc.ABCTie
        | abc.ABCBrokenRhythmMarker
    )
    kept: list[abc.ABCToken] = []
    grace = False
    for token in handler.tokens:
        if isinstance(token, abc.ABCGraceStart | abc.ABCGraceStop):
            grace = isinstance(token, abc.ABCGraceStart)
        if not grace and isinstance(token, kinds):
            kept.append(token)
    handler.tokens = kept
    handler.tokenProcess()
    return handler.tokens


def _tie(notes: list[Note]) -> None:
    """Ties the last note, if there is one, to the note that follows."""
    if notes:
        notes[-1] = dataclasses.replace(notes[-1], tied=True)


def _note(token: Any, onset: Fraction, per_quarter: int) -> Note:
    length = Fraction(token.quarterLength).limit_denominator(960) * per_quarter
    tuplet = token.activeTuplet
    if tuplet is not None:
        length *= Fraction(tuplet.numberNotesNormal, tuplet.numberNotesActual)
    return Note(onset, length, _midi_pitch(token), False, tuplet is not None)


_PITCH_CLASS = dict(zip('CDEFGAB', (0, 2, 4, 5, 7, 9, 11), strict=True))


def _midi_pitch(token: Any) -> int | None:
    """MIDI pitch of an ABC note (of a double stop: the top note); None for a rest."""
    members = getattr(token, 'subTokens', None)
    if members is not None:
        pitches = [pitch for member in members if (pitch := _midi_pitch(member)) is not None]
        return max(pitches, default=None)
    name = token.pitchName
    if name is None:
        return None
    found = re.fullmatch(r'([A-G])([#n-]*)(\d+)', name)
    if found is None:
        raise ValueError(f'the pitch {name}')
    letter, accidental, octave = found.groups()
    altered = accidental.count('#') - accidental.count('-')
    return 12 * (int(octave) + 1) + _PITCH_CLASS[letter] + altered


def _mark(bar: str) -> str | None:
    if bar in ('||', '|]', '[|'):
        return 'double'
    return {'|:': 'start', ':|': 'end', '[1': 'ending1', '[2': 'ending2'}.get(bar)


def shift(notes: list[Note], by: Fraction) -> list[Note]:
    """The notes, so many steps later."""
    return [dataclasses.replace(note, onset=note.onset + by) for note in notes]
