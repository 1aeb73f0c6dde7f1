"""Which files are the same song: keys from file names, titles and contents.

Windows overlap and songs circulate in many copies. So the split into train, validation and test
goes by song, and a song has to be recognised through its copies: 'The Cup of Tea -- Reel',
'CupOfTeaReel_1' and '03 - cup of tea (live)' are one. Merging two different songs costs nothing but
granularity. Separating two copies of one song leaks it into the test split. The rules therefore
lean towards merging.
"""

import re
import unicodedata
from pathlib import PurePosixPath

_ARTICLES = set('the a an der die das le la les el il'.split())
_VERSION_WORDS = set(
    (
        'copy live karaoke kar remix instrumental acoustic version ver edit edited final demo midi '
        'mid new full short long alt'
    ).split()
)
_TUNE_TYPES = set('reel jig hornpipe clog strathspey fling march polka waltz air'.split())
_PART_WORDS = set(
    (
        'all bass drum drums kik kick snare hh hihat perc percussion chord chords melody melo lead '
        'organ guitar horn piano strings vocal vocals brass'
    ).split()
)
_TRAILING = _VERSION_WORDS | _TUNE_TYPES | _PART_WORDS
# Names that say nothing about the song: what sequencers write when nobody gave a title, and
# numbering schemes.
_GENERIC = set(
    (
        'track song untitled unnamed unknown notitle noname title book tune music file output '
        'sequence staff tempo conductor midiout instrument part voice test sample session channel '
        'acousticgrand grand acousticgrandpiano steinwaygrandpiano tracktitle copyright map level '
        'page'
    ).split()
)
_MINIMUM_LETTERS = 3


def _fold(text: str) -> str:
    """ASCII without accents, in lower case.

    Letters outside the Latin script stay, since they are all that such a title has.
    """
    latin = text.replace('ß', 'ss').replace('æ', 'ae').replace('ø', 'o')
    decomposed = unicodedata.normalize('NFKD', latin)
    return ''.join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def _letters(text: str) -> int:
    return sum(char.isalpha() for char in text)


def _words(text: str) -> list[str]:
    return re.findall(r'[^\W_]+', text.replace("'", '').replace('’', ''))


def normalise(name: str) -> tuple[str, bool]:
    """A name reduced to what identifies the song.

    Args:
        name: a file stem or a title.

    Returns:
        (key, named): the key holds lower-case letters and digits only. `named` is False where the
        name is no title but a serial number ('book5_191', 'd_map09', '0101-0200_54') or says
        nothing ('Track 3'). There the digits stay in the key, for they are all that tells one song
        from the next.
    """
    text = name.strip().strip('\x00')
    if ' ' not in text:
        text = re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', text)  # CamelCaseTitles
    text = _fold(text)
    # (2), (live), [arranger]; but (87) is a place in a series
    unbracketed = re.sub(r'\((?!\d{2,}\))[^)]*\)|\[(?!\d{2,}\])[^\]]*\]', ' ', text)
    if _letters(unbracketed) >= _MINIMUM_LETTERS:
        text = unbracketed
    # Page references of printed collections: ', S. 285'.
    text = re.sub(r'[,;]\s*(s|p|pp)\.?\s*\d+.*$', '', text)
    # Leading track numbers: '03 - '.
    untracked = re.sub(r'^\s*\d{1,3}\s*([._)-]\s*|\s+)(?=\D)', '', text)
    if _letters(untracked) >= _MINIMUM_LETTERS:
        text = untracked
    words = _words(text)
    while len(words) > 1:
        head, last = words[:-1], words[-1]
        stem = ''.join(head)
        if _letters(stem) < _MINIMUM_LETTERS or stem in _GENERIC:
            break
        # A lone digit after a name is a copy mark ('_2'), after another number a place in a series
        # ('book2_7').
        copy = re.fullmatch(r'v?\d', last) and _letters(stem) >= 5 and not stem[-1].isdigit()
        mark = copy or re.fullmatch(r'v(er|ersion)?\d+', last)
        if last not in _TRAILING and last not in _ARTICLES and not mark:
            break
        words = head
    head, rest = words[:1], words[1:]
    if head and head[0] in _ARTICLES and _letters(''.join(rest)) >= _MINIMUM_LETTERS:
        words = rest
    key = ''.join(words)
    bare = key.rstrip('0123456789')
    serial = bare != key and len(words) <= 2
    lonely = bare in _GENERIC | _TRAILING or _letters(bare) < _MINIMUM_LETTERS
    return key, not (serial or lonely)


def song_keys(path: str, title: str = '', single_track: bool = False) -> list[str]:
    """Keys of a file, the main one first; two files that share any key are the same song.

    The stem of the file comes first. In real collections the title inside a MIDI file is mostly an
    instrument ('Piano'), the sequencer's advertisement or a copyright line. The track's name is
    used only where it is the tune's title, as in converted tune books: where the stem is a serial
    number and all notes lie in one track.

    Args:
        path: path relative to the corpus, with '/'.
        title: the title in the MIDI file, '' if unknown.
        single_track: whether all notes lie in one track.
    """
    pure = PurePosixPath(path)
    stem, named = normalise(pure.stem)
    if named:
        keys = [stem]
        # 'Artist - Title': another collection has the title alone.
        parts = re.split(r'\s*-\s+', pure.stem)
        if len(parts) == 2:
            key, right_named = normalise(parts[1])
            if right_named and _letters(key) >= 8 and key != stem:
                keys.append(key)
        return keys
    if single_track and title:
        key, title_named = normalise(title)
        if title_named and _letters(key) >= _MINIMUM_LETTERS:
            return [key]
    bare = stem.rstrip('0123456789')
    if _letters(bare) < _MINIMUM_LETTERS or bare in _GENERIC | _TRAILING:
        return [str(pure.with_suffix('')).casefold()]
    return [stem]
