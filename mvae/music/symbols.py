"""Chord symbols such as Am7: their triads as numbers, and back.

The 49 triads are Magenta's (docs/magenta.md, Chords): 0 is no chord, then come the major triads of
C, C#, ... B, the minor, the augmented and the diminished ones.
"""

import functools
import re
from collections.abc import Iterable

from mvae.errors import InputError

NO_CHORD, NO_CHORD_NAME = 0, 'N.C.'
QUALITIES = ((0, 4, 7), (0, 3, 7), (0, 4, 8), (0, 3, 6))  # semitones above the root
MAJOR, MINOR, AUGMENTED, DIMINISHED = range(len(QUALITIES))
TRIADS = 1 + 12 * len(QUALITIES)
_ROOTS = ('C', 'C#', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'Ab', 'A', 'Bb', 'B')
_ENDINGS = ('', 'm', 'aug', 'dim')
_LETTERS = {'C': 0, 'D': 2, 'E': 4, 'F': 5, 'G': 7, 'A': 9, 'B': 11}
_ACCIDENTALS = {'#': 1, '♯': 1, 'b': -1, '♭': -1}
_NONE = {'N.C.', 'NC', 'N.C', 'N', 'NOCHORD'}
_SYMBOL = re.compile(
    r'(?P<root>[A-G][#b♯♭]*)'
    r'(?P<triad>maj|Maj|MAJ|ma|M(?!i)|Δ|min|mi|m(?!a)|-|dim|o|°|aug|\+|ø)?'
    r'(?P<seventh>(?:maj|Maj|ma|M|Δ)?(?:2|4|5|69|6/9|6|7|9|11|13))?'
    r'(?P<more>(?:\(?(?:maj|M|add|sus|no|omit|alt|#|b|♯|♭|\+|-|/)?[249567]?1?[13]?\)?)*)'
    r'(?:/(?P<bass>[A-G][#b♯♭]*))?'
)
_LABEL = re.compile(
    r'(?P<root>[A-G][#b]*)(?::(?P<kind>[a-z]*\d*)(?P<tones>\([b#*,\d]+\))?)?(?:/[#b]*\d+)?'
)
# The quality of the triad of each kind of chord that labels name; None where there is no third.
_KINDS: dict[str, int | None] = dict.fromkeys(('1', '5', 'sus2', 'sus4'), None)
_KINDS |= dict.fromkeys(('maj', 'maj6', 'maj7', 'maj9', 'maj11', 'maj13'), MAJOR)
_KINDS |= dict.fromkeys(('6', '7', '9', '11', '13'), MAJOR)
_KINDS |= dict.fromkeys(('min', 'min6', 'min7', 'min9', 'min11', 'min13', 'minmaj7'), MINOR)
_KINDS |= dict.fromkeys(('aug', 'aug7'), AUGMENTED)
_KINDS |= dict.fromkeys(('dim', 'dim7', 'hdim7'), DIMINISHED)
_QUALITY = dict.fromkeys(('min', 'mi', 'm', '-'), MINOR)
_QUALITY |= dict.fromkeys(('dim', 'o', '°', 'ø'), DIMINISHED)
_QUALITY |= dict.fromkeys(('aug', '+'), AUGMENTED)
_FEWEST = 2  # chord symbols that a file must have


@functools.lru_cache(4096)
def triad_of(symbol: str) -> int | None:
    """The number of a chord symbol's triad; None where it is no chord symbol.

    What is more than a triad is left out, as is a bass: Am7/G is A minor. Chords without a third,
    such as C5 and Csus4, are no triad, and count as no chord.
    """
    symbol = symbol.strip().replace(' ', '')
    if symbol.upper() in _NONE:
        return NO_CHORD
    found = _SYMBOL.fullmatch(symbol)
    if not found:
        return None
    quality = _quality(found)
    return NO_CHORD if quality is None else 1 + 12 * quality + _pitch_class(found['root'])


def triad_of_label(label: str) -> int | None:
    """The number of a label's triad, such as that of A:min7/b7; None where it is no label.

    Labels are those of Harte et al. (2005), or symbols as in `triad_of`. X, a chord that nobody can
    name, is none, as N is.
    """
    if label == 'X':
        return NO_CHORD
    found = _LABEL.fullmatch(label)
    if not found:
        return triad_of(label)
    kind = found['kind'] or ('maj' if not found['tones'] else '1')
    if kind not in _KINDS:
        return None
    quality = _KINDS[kind]
    return NO_CHORD if quality is None else 1 + 12 * quality + _pitch_class(found['root'])


def _quality(found: re.Match[str]) -> int | None:
    seventh, more = found['seventh'] or '', found['more'].replace('♭', 'b').replace('♯', '#')
    if 'sus' in more or (not found['triad'] and seventh in ('2', '4', '5')):
        return None
    quality = _QUALITY.get(found['triad'] or '', MAJOR)
    lowered, raised = ('b5' in more or '-5' in more), ('#5' in more or '+5' in more)
    if quality == MINOR and lowered:
        return DIMINISHED
    if quality == MAJOR and raised:
        return AUGMENTED
    return None if lowered or raised else quality


def _pitch_class(root: str) -> int:
    return (_LETTERS[root[0]] + sum(_ACCIDENTALS[sign] for sign in root[1:])) % 12


def name_of(triad: int) -> str:
    """The symbol of a triad's number, such as 'Ebm'. Raises InputError where there is none."""
    if not 0 <= triad < TRIADS:
        raise InputError(f'triads are numbered 0 to {TRIADS - 1}; {triad} is none')
    quality, root = divmod(triad - 1, 12)
    return _ROOTS[root] + _ENDINGS[quality] if triad else NO_CHORD_NAME


def are_symbols(texts: Iterable[str]) -> bool:
    """Whether texts of a file are its chord symbols, and not words or rehearsal marks A, B, C.

    Most of them are chords, at least two, and they do more than count the letters.
    """
    texts = [text.strip() for text in texts if text.strip()]
    chords = [text for text in texts if triad_of(text) is not None]
    names = list(dict.fromkeys(chords))
    letters = 'ABCDEFG'
    marks = ''.join(names) == letters[: len(names)] and len(chords) == len(names)
    return len(chords) >= max(_FEWEST, len(texts) / 2) and not marks


def parse_progression(text: str) -> list[list[int]]:
    """Of each bar its triads: 'C G Am F' has one for each bar, 'C G | Am' shares bars out.

    A dot or a hyphen holds the chord before. Raises InputError for what is no chord symbol.
    """
    bars = [bar.split() for bar in text.strip().strip('|').split('|')]
    if len(bars) == 1:
        bars = [[symbol] for symbol in bars[0]]
    found: list[list[int]] = []
    last = NO_CHORD
    for bar in bars:
        found.append([])
        for symbol in bar or ['.']:
            triad = last if symbol in ('.', '-', '%') else triad_of(symbol)
            if triad is None:
                raise InputError(
                    f'{symbol!r} is no chord symbol; write chords such as C, Am7 or F#dim, one for '
                    "each bar, or several: 'C G | Am F'"
                )
            found[-1].append(last := triad)
    if not found:
        raise InputError("there are no chords; write them such as 'C G Am F'")
    return found
