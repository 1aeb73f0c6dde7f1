"""ABC text of the collections -> exact notes between bar lines, by music21's tokeniser.

music21's tokenising and token processing give pitches, key signatures, accidentals, broken rhythms
and tuplets; no music21 Stream is built, which is what makes a whole collection take seconds.
"""

import dataclasses
import re
from collections.abc import Iterable
from fractions import Fraction

COLLECTIONS = ('oneills1850', 'ryansMammoth')
"""Folders of music21's corpus that are used: O'Neill's Music of Ireland (1903) and Ryan's Mammoth Collection (1883)."""


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


def sources(corpus_folder, collections: Iterable[str] = COLLECTIONS) -> list[Source]:
    """All tunes of the collections as ABC text, cut at their `X:` lines.

    corpus_folder: path of music21's corpus.
    """
    found = []
    for collection in collections:
        number = 0
        for path in sorted((corpus_folder / collection).glob('*.abc')):
            for text in re.split(
                r'(?m)^(?=X:)', path.read_text(encoding='utf-8', errors='replace')
            ):
                if text.startswith('X:'):
                    number += 1
                    found.append(Source(collection, number, text))
    return found


def read_header(text: str) -> dict[str, str]:
    """First value of each header field before the key line, which ends an ABC header; comments
    removed.
    """
    fields: dict[str, str] = {}
    for letter, value in re.findall(r'(?m)^([A-Z]):([^%\n\r]*)', text):
        fields.setdefault(letter, value.strip())
        if letter == 'K':
            break
    return fields


def read_fragments(text: str, per_quarter: int):
    """ABC text -> (fragments, marks, (sharps, mode)).

    marks: list of (index of the fragment that follows, kind), kind in 'start', 'end', 'double',
    'ending1', 'ending2'.
    """
    from music21 import abcFormat as abc

    text = re.sub(r'\+([^+\n]*)\+', r'[\1]', text)  # chords of the oldest ABC dialect
    text = re.sub(r'\[([KML]:[^\]\n]*)\]', r'\n\1\n', text)  # changes inside a line
    # From version 2 on music21 lets an accidental last to the end of the bar, as it does in the
    # printed collections.
    handler = abc.ABCHandler(abcVersion=(2, 1, 0))
    handler.tokenize(text)
    kept, grace = [], False
    # Slurs, bowings and grace notes go: they would stand between a broken rhythm mark and its
    # notes.
    for token in handler.tokens:
        if isinstance(token, abc.ABCGraceStart | abc.ABCGraceStop):
            grace = isinstance(token, abc.ABCGraceStart)
        kinds = (
            abc.ABCMetadata
            | abc.ABCBar
            | abc.ABCTuplet
            | abc.ABCNote
            | abc.ABCTie
            | abc.ABCBrokenRhythmMarker
        )
        if not grace and isinstance(token, kinds):
            kept.append(token)
    handler.tokens = kept
    handler.tokenProcess()

    key = None
    fragments, marks, notes, position = [], [], [], Fraction(0)
    for token in handler.tokens:
        if isinstance(token, abc.ABCMetadata):
            if key is None and token.isKey():
                sharps, mode = token.getKeySignatureParameters()
                key = (int(sharps), mode or 'major')
        elif isinstance(token, abc.ABCTie):
            if notes:
                notes[-1] = dataclasses.replace(notes[-1], tied=True)
            elif fragments and fragments[-1].notes:
                fragments[-1].notes[-1] = dataclasses.replace(fragments[-1].notes[-1], tied=True)
        elif isinstance(token, abc.ABCNote):
            length = Fraction(token.quarterLength).limit_denominator(960) * per_quarter
            if token.activeTuplet is not None:
                length *= Fraction(
                    token.activeTuplet.numberNotesNormal, token.activeTuplet.numberNotesActual
                )
            notes.append(
                Note(position, length, _midi_pitch(token), False, token.activeTuplet is not None)
            )
            position += length
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


_PITCH_CLASS = dict(zip('CDEFGAB', (0, 2, 4, 5, 7, 9, 11), strict=True))


def _midi_pitch(token) -> int | None:
    """MIDI pitch of an ABC note (of a double stop: the top note); None for a rest."""
    members = getattr(token, 'subTokens', None)
    if members is not None:
        return max((_midi_pitch(member) for member in members), default=None)
    name = token.pitchName
    if name is None:
        return None
    letter, accidental, octave = re.fullmatch(r'([A-G])([#n-]*)(\d+)', name).groups()
    return (
        12 * (int(octave) + 1)
        + _PITCH_CLASS[letter]
        + accidental.count('#')
        - accidental.count('-')
    )


def _mark(bar: str) -> str | None:
    if bar in ('||', '|]', '[|'):
        return 'double'
    return {'|:': 'start', ':|': 'end', '[1': 'ending1', '[2': 'ending2'}.get(bar)


def shift(notes: list[Note], by: Fraction) -> list[Note]:
    return [dataclasses.replace(note, onset=note.onset + by) for note in notes]
