"""A score cut into sections of one tempo and one meter, with notes on a grid."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mvae.music.meter import FOUR_FOUR, Meter
from mvae.music.notes import Notes, Score
from mvae.music.reasons import Reason
from mvae.music.symbols import NO_CHORD

_DEFAULT_QPM = 120.0
_SAME_TIME = 1e-9  # seconds; events closer than this happen at once
_SAME_TEMPO = 1e-6  # relative; smaller steps come from rounding and move nothing audibly


@dataclass(frozen=True, eq=False)
class Section:
    """Notes between two changes of meter or tempo.

    All of them sound, begin at or after step 0, and are at least one step long.

    Attributes:
        start, end: int64 [N], in steps from the section's beginning, which is a bar line.
        onset, offset: float64 [N], where the notes start and end between the steps.
        pitch, velocity, program: int16 [N]; is_drum: bool [N]; track: int32 [N], as in Notes.
        qpm: tempo (at the beginning). total_steps: where the last note ends.
        steps_per_bar: of the grid, 16 where steps are sixteenths.
        chord_start, triads: int64 [H], the file's chord symbols: their steps, in order, and their
        numbers (`symbols`). The first is what holds at the beginning. None where the file has none.
    """

    start: np.ndarray
    end: np.ndarray
    onset: np.ndarray
    offset: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    program: np.ndarray
    is_drum: np.ndarray
    track: np.ndarray
    qpm: float
    total_steps: int
    steps_per_bar: int = 16
    chord_start: np.ndarray | None = None
    triads: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.start)

    def before(self, step: int) -> 'Section':
        """The same up to a step, where notes that sound are cut off; at least one is left."""
        kept = self.start < step
        names = 'start end onset offset pitch velocity program is_drum track'.split()
        columns = {name: getattr(self, name)[kept] for name in names}
        columns |= {name: np.minimum(columns[name], step) for name in ('end', 'offset')}
        return dataclasses.replace(self, **columns, total_steps=int(columns['end'].max()))


def leave_far_behind(sections: Sequence[Section], steps: int) -> tuple[list[Section], int]:
    """The sections without the notes that begin so many steps behind their beginning.

    Such notes are stray ones, or the music is endless. Notes that sound until there are cut off.
    Returns how many are left out, too.
    """
    near = [section for section in sections if (section.start < steps).any()]
    lost = sum(int((section.start >= steps).sum()) for section in sections)
    return [s.before(steps) if s.total_steps > steps else s for s in near], lost


def split_sections(
    score: Score,
    steps_per_quarter: int = 4,
    follow_tempo: bool = False,
    meter: Meter = FOUR_FOUR,
) -> tuple[list[Section], list[Reason]]:
    """Cuts a score at every real change of meter or tempo and quantises the sections.

    The rules are Magenta's (docs/magenta.md, Steps and bars). A change to what already holds is
    none. Of several at one time the last counts. Before the first the music is in 4/4 at 120. A
    note belongs to the section in which it starts, and ends at the latest with it. Bars are counted
    from the cut. Meters with bars and beats like the one asked for pass (`Meter.takes`), such as
    2/2 for 4/4.

    Silent notes (velocity 0) are dropped, and so are notes that end before they start or start
    before time 0.

    Args:
        steps_per_quarter: the grid.
        follow_tempo: do not cut at changes of tempo; the grid follows them.
        meter: of the music that is wanted.

    Returns:
        the sections with at least one note, and Reason.WRONG_METER for each such section of another
        meter.
    """
    notes = _sounding(score.notes)
    if not len(notes):
        return [], []
    times, qpm, numerators, denominators = _changes(score)
    new_meter = (numerators[1:] != numerators[:-1]) | (denominators[1:] != denominators[:-1])
    new_tempo = ~np.isclose(qpm[1:], qpm[:-1], rtol=_SAME_TEMPO, atol=0)
    cuts = np.flatnonzero(np.append(True, new_meter if follow_tempo else new_meter | new_tempo))
    section_of = np.searchsorted(times[cuts], notes.start + _SAME_TIME, side='right') - 1
    section_of = np.maximum(section_of, 0)
    order = np.argsort(section_of, kind='stable')
    notes, section_of = notes.select(order), section_of[order]
    cut, cut_end = cuts[section_of], np.append(times[cuts[1:]], np.inf)[section_of]

    beats = _beats_along if follow_tempo else _beats_since
    onset = beats(notes.start, cut, times, qpm) * steps_per_quarter
    start = _to_steps(onset)
    offset = beats(np.minimum(notes.end, cut_end), cut, times, qpm) * steps_per_quarter
    end = np.maximum(_to_steps(offset), start + 1)
    sections, reasons = [], []
    first = np.flatnonzero(np.append(True, section_of[1:] != section_of[:-1]))
    for begin, stop in zip(first, np.append(first[1:], len(notes)), strict=True):
        own, number = slice(begin, stop), cut[begin]
        if meter.takes(int(numerators[number]), int(denominators[number])):
            steps, bar = (
                (start[own], end[own], onset[own], offset[own]),
                meter.bar(steps_per_quarter),
            )
            until = np.append(times[cuts[1:]], np.inf)[np.searchsorted(cuts, number)]
            at = functools.partial(beats, times=times, qpm=qpm)
            chords = _chords(score, number, times[number], until, at, steps_per_quarter)
            sections.append(_section(notes.select(own), *steps, qpm[number], bar, *chords))
        else:
            reasons.append(Reason.WRONG_METER)
    return sections, reasons


def _chords(
    score: Score,
    number: int,
    begin: float,
    until: float,
    beats: Callable[[np.ndarray, np.ndarray], np.ndarray],
    steps_per_quarter: int,
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """`chord_start` and `triads` of the section of a cut, from begin until, in seconds."""
    if not len(score.chord_times):
        return None, None
    times, order = np.sort(score.chord_times), np.argsort(score.chord_times, kind='stable')
    last = np.searchsorted(times, begin + _SAME_TIME, side='right') - 1  # -1: none before
    own = np.arange(last + 1, np.searchsorted(times, until - _SAME_TIME))
    steps = _to_steps(beats(times[own], np.full(len(own), number)) * steps_per_quarter)
    triads = np.append(NO_CHORD, score.triads[order])
    return np.append(0, steps), triads[np.append(last, own) + 1]


def _sounding(notes: Notes) -> Notes:
    sounding = (notes.velocity > 0) & (notes.end >= notes.start) & np.isfinite(notes.end)
    sounding &= (notes.start >= 0) & (notes.pitch >= 0) & (notes.pitch < 128)
    return notes.select(sounding)


def _section(
    notes: Notes,
    start: np.ndarray,
    end: np.ndarray,
    onset: np.ndarray,
    offset: np.ndarray,
    qpm: float,
    steps_per_bar: int,
    chord_start: np.ndarray | None,
    triads: np.ndarray | None,
) -> Section:
    return Section(
        start=start,
        end=end,
        onset=onset,
        offset=offset,
        pitch=notes.pitch,
        velocity=notes.velocity,
        program=notes.program,
        is_drum=notes.is_drum,
        track=notes.track,
        qpm=float(qpm),
        total_steps=int(end.max()),
        steps_per_bar=steps_per_bar,
        chord_start=chord_start,
        triads=triads,
    )


def _beats_since(
    seconds: np.ndarray, cut: np.ndarray, times: np.ndarray, qpm: np.ndarray
) -> np.ndarray:
    """Quarters from change number cut [N] to seconds [N], at the tempo of that change."""
    return (seconds - times[cut]) * qpm[cut] / 60


def _beats_along(
    seconds: np.ndarray, cut: np.ndarray, times: np.ndarray, qpm: np.ndarray
) -> np.ndarray:
    """Quarters from change number cut [N] to seconds [N], at the tempo of every moment."""
    at_change = np.append(0.0, np.cumsum(np.diff(times) * qpm[:-1] / 60))
    last = np.maximum(np.searchsorted(times, seconds, side='right') - 1, 0)
    beats = at_change[last] + (seconds - times[last]) * qpm[last] / 60
    return beats - at_change[cut]


def _to_steps(exact: np.ndarray) -> np.ndarray:
    """Nearest step int64; ties go up, also where float noise put them just below."""
    steps = np.floor(exact + 0.5 + 1e-6)
    return np.clip(steps, 0, 2**40).astype(np.int64)


def _changes(score: Score) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times at which tempo or meter is set, and what holds from there on.

    Returns times (the first is 0), quarters per minute, numerators and denominators.
    """
    times = np.sort(np.concatenate([[0.0], score.tempo_times, score.meter_times]))
    times = times[(times >= 0) & np.append(True, np.diff(times) > _SAME_TIME)]
    qpm = _latest(times, score.tempo_times, score.tempo_qpm, _DEFAULT_QPM)
    numerators = _latest(times, score.meter_times, score.meter_numerators, 4)
    denominators = _latest(times, score.meter_times, score.meter_denominators, 4)
    return times, qpm, numerators, denominators


def _latest(
    times: np.ndarray, event_times: np.ndarray, values: np.ndarray, default: float
) -> np.ndarray:
    """The value of the last event at or before each time."""
    order = np.argsort(event_times, kind='stable')
    last = np.searchsorted(event_times[order], times + _SAME_TIME, side='right')
    return np.concatenate([[default], values[order]])[last]
