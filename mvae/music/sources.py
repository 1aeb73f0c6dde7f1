"""Music as users give it: the path of a MIDI file, its bytes, or a NoteSequence.

Chords that stand beside a MIDI file are read with it (`chord_files`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar, Union

from mvae.errors import InputError
from mvae.files import read as read_bytes
from mvae.music.chord_files import with_chords
from mvae.music.midi import from_note_sequence, read_midi
from mvae.music.notes import Score
from mvae.music.reasons import Rejected

if TYPE_CHECKING:
    from note_seq import NoteSequence

Source: TypeAlias = Union[str, Path, bytes, 'NoteSequence']
_T = TypeVar('_T')


def read_source(source: Source, read: Callable[[Score], _T]) -> _T:
    """What `read` makes of the score of a source.

    Raises InputError, with the name of the file, where there is none or `read` rejects it.
    """
    name = str(source) if isinstance(source, str | Path) else 'the music'
    try:
        return read(_score(source))
    except Rejected as rejected:
        raise InputError(f'{name}: {rejected}') from None


def read_qpm(source: Source) -> float:
    """The tempo of a source in quarters per minute, see `Score.qpm`. Raises as `read_source`."""
    return read_source(source, lambda score: score.qpm)


def _score(source: Source) -> Score:
    if isinstance(source, str | Path):
        return with_chords(read_midi(read_bytes(source)), Path(source))
    if isinstance(source, bytes):
        return read_midi(source)
    if hasattr(source, 'notes') and hasattr(source, 'tempos'):
        return from_note_sequence(source)
    raise InputError(
        'music is the path of a MIDI file, its bytes, or a NoteSequence, '
        f'not {type(source).__name__}'
    )
