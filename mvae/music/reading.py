"""One file of a user as a model's input: its best tracks, padded or cropped to the window."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from mvae.music.events import ONSET
from mvae.music.meter import FOUR_FOUR, Meter
from mvae.music.notes import Score
from mvae.music.reasons import Reason, Rejected
from mvae.music.sections import Section, leave_far_behind, split_sections
from mvae.music.tracks import SilentTrack, Track, best, choose_tracks, count_tracks, told_tracks

if TYPE_CHECKING:
    from mvae.music.form import Form

_MAX_STEPS = 2**20
_LOST = {
    Reason.NO_SUCH_PITCH: 'of a pitch above 127',
    Reason.NO_NOTE_OFF: 'that nothing ends',
    Reason.FAR_BEHIND: 'far behind the music',
}


def read(score: Score, form: 'Form') -> tuple[np.ndarray, str]:
    """One window of a score, its best tracks in the place with the most notes.

    `tracks.choose_tracks` says which tracks. A stream that the file lacks stays silent. Chords give
    a line their highest note, rests may be of any length, and tempo changes are followed. Music
    longer than the window loses its empty bars at the beginning and is cropped. Shorter music is
    padded. What `Form.write` gives comes back as the same piece, see `Form.canonical`.

    Returns the piece int32 [T, K], and what was done, in a few words. Raises Rejected (EMPTY,
    WRONG_METER, TOO_LARGE, or that the tracks of all streams are missing).
    """
    sections, left = _read_sections(score, form)
    tracks, note = _best_tracks(sections, form, score.drum_clues)
    columns, fullest, which = _fullest(sections, tracks, form)
    note, total, first = note + which, len(columns) // form.rows_per_bar, 0
    if total > form.bars:
        first = _first_bar(columns, form)
        if first:
            unread = form.streams[0].codec.unread
            note += f', {_bars(first)} {unread} at the beginning left out'
        if total - first > form.bars:
            note += f', cropped {_bars(total - first)} to {form.bars}'
        columns = columns[first * form.rows_per_bar :]
    if len(columns) < form.steps:
        note += f', padded {_bars(len(columns) // form.rows_per_bar)} to {form.bars}'
    steps = slice(first * form.steps_per_bar, (first + form.bars) * form.steps_per_bar)
    own = tracks[: len(form.streams)]
    fallen = sum(t.count_fallen(sections[fullest], steps) for t in own if t is not None)
    if fallen:
        note += f', {_notes(fallen)} fell together with others on the grid'
    return _fit(columns, form), note + left


def read_whole(score: Score, form: 'Form') -> tuple[np.ndarray, str]:
    """All bars of a score, of the tracks that `read` takes, from its beginning on.

    Where the meter changes it is the part with the most notes. Returns columns int32 [whole bars,
    K], and what was taken, in a few words. Raises Rejected as `read` does.
    """
    sections, left = _read_sections(score, form)
    tracks, note = _best_tracks(sections, form, score.drum_clues)
    columns, _, which = _fullest(sections, tracks, form)
    return columns, note + which + left


def read_all(score: Score, form: 'Form') -> np.ndarray:
    """All of a score in windows that follow each other, of the tracks that `read` takes.

    Windows do not overlap. Each section begins with its first bar that has a note, and is padded at
    its end. Silent windows are left out. Returns int32 [N, T, K], N at least 1. Raises Rejected as
    `read` does.
    """
    sections, _ = _read_sections(score, form)
    tracks, _ = _best_tracks(sections, form, score.drum_clues)
    windows = []
    for columns in _encode_all(sections, tracks, form):
        first = _first_bar(columns, form) * form.rows_per_bar
        for begin in range(first, len(columns), form.steps):
            window = form.clean(_fit(columns[begin : begin + form.steps], form)[None])[0]
            if form.happens(window).any():
                windows.append(window)
    return np.stack(windows)


def _read_sections(score: Score, form: 'Form') -> tuple[list[Section], str]:
    """The sections that serve, and what is left out of the file, in words."""
    grid, meter = form.steps_per_quarter, form.meter
    sections, reasons = split_sections(score, grid, True, meter)
    if not sections and reasons:
        raise Rejected(
            Reason.WRONG_METER,
            f'the music is in {_other_meters(score, meter)}; give music in {meter}',
        )
    if not sections:
        raise Rejected(Reason.EMPTY, 'there are no notes; give music with at least one')
    sections, far = leave_far_behind(sections, _MAX_STEPS)
    if not sections:
        most = _MAX_STEPS // form.steps_per_bar
        raise Rejected(Reason.TOO_LARGE, f'the music is longer than {most:,} bars; cut it')
    left = f', left out what is in {_other_meters(score, meter)}' if reasons else ''
    for reason, count in {**score.lost, Reason.FAR_BEHIND: far}.items():
        left += f', left out {_notes(count)} {_LOST[reason]}' if count else ''
    return sections, left


def _other_meters(score: Score, meter: Meter) -> str:
    numbers = zip(score.meter_numerators.tolist(), score.meter_denominators.tolist(), strict=True)
    names = ', '.join(dict.fromkeys(f'{n}/{d}' for n, d in numbers if not meter.takes(n, d)))
    return names or str(FOUR_FOUR)  # which holds where none is said


def _best_tracks(
    sections: list[Section], form: 'Form', drum_clues: Iterable[str]
) -> tuple[list[Track | None], str]:
    """The track of each part, None for a silent one; and the choice in words."""
    total = count_tracks(sections)
    chosen = choose_tracks(form.rules, lambda rule, codec: rule.tracks(sections, codec))
    tracks = [best(own) if own else None for own in chosen.values()]
    words, missing = [], []
    for stream, track in zip(form.streams, tracks, strict=True):
        if track is None:
            missing.append(stream.name)
        else:
            by = stream.rule.by(track, drum_clues)
            words.append(stream.rule.name(stream.name, track, total) + (f' (by {by})' * bool(by)))
    if not words:
        first = form.streams[0]
        raise Rejected(first.rule.missing, first.rule.describe(first.codec))
    silent = f', no {" and no ".join(missing)}: left silent' if missing else ''
    for part in form.conditions:
        own = told_tracks(part.rule, sections, part.codec)
        by = part.rule.by(own[0], drum_clues) if own else ''
        words.append(f'{part.name} by {by}' if by else part.name)
        tracks.append(own[0] if own else None)
    return tracks, ', '.join(words) + silent


def _encode(section: Section, tracks: list[Track | None], form: 'Form') -> np.ndarray:
    """The tracks of a section as columns int32 [whole bars, K]."""
    length, parts = -(-section.total_steps // form.steps_per_bar) * form.steps_per_bar, []
    for stream, track in zip(form.parts, tracks, strict=True):
        silent = SilentTrack([section], stream.codec, 0, 0, 0)
        notes = stream.codec.voice((track or silent).notes(section))
        parts.append(stream.codec.encode(notes, length))
    own, told = parts[: len(form.streams)], parts[len(form.streams) :]
    return form.join([*own, *form.beside(told, own[0])])


def _encode_all(
    sections: list[Section], tracks: list[Track | None], form: 'Form'
) -> list[np.ndarray]:
    """Each section as columns. Raises Rejected where all their bars are left out."""
    encoded = [_encode(section, tracks, form) for section in sections]
    if not any(columns.any() for columns in encoded):
        refused: Counter[Reason] = Counter()
        for track in filter(None, tracks):
            for section in sections:
                refused.update(track.codec.refused(track.notes(section)))
        reason = max(refused, key=refused.__getitem__)
        raise Rejected(reason, f'there are only bars {form.streams[0].codec.unread}')
    return encoded


def _fullest(
    sections: list[Section], tracks: list[Track | None], form: 'Form'
) -> tuple[np.ndarray, int, str]:
    """The section with the most notes, as columns; its number, and the choice in words."""
    encoded = _encode_all(sections, tracks, form)
    fullest = int(np.argmax([_count_onsets(columns, form) for columns in encoded]))
    several = len(sections) > 1
    which = f', part {fullest + 1} of {len(sections)} (the meter changes)' if several else ''
    return encoded[fullest], fullest, which


def _count_onsets(columns: np.ndarray, form: 'Form') -> int:
    own = zip(form.streams, form.split(columns), strict=True)
    return sum(int((stream.codec.events(part) == ONSET).sum()) for stream, part in own)


def _first_bar(columns: np.ndarray, form: 'Form') -> int:
    """The bar of the first event; the number of bars if there is none."""
    events = np.flatnonzero(form.happens(columns))
    return int(events[0] if len(events) else len(columns)) // form.rows_per_bar


def _fit(columns: np.ndarray, form: 'Form') -> np.ndarray:
    """The first bars, filled up with nothing."""
    window = np.zeros((form.steps, columns.shape[1]), np.int32)
    window[: len(columns)] = columns[: len(window)]
    return window


def _notes(count: int) -> str:
    return f'{count} note' if count == 1 else f'{count} notes'


def _bars(count: int) -> str:
    return f'{count} bar' if count == 1 else f'{count} bars'
