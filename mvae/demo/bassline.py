"""Bass lines that follow the chords.

They are made of figures of a bar, with roots, thirds, fifths, octaves and approach notes.
"""

import random

import numpy as np

from mvae.demo.form import BREAKDOWN, HIGH, LOW, MIDDLE, Phrase
from mvae.demo.harmony import Harmony
from mvae.demo.styles import TURNS, Style

BAR, HALF = 16, 8
LOWEST, HIGHEST = 28, 55
"""E1 and G3."""
_ROOT_TOP, _ROOT_CENTRE = 43, 35
Line = tuple[np.ndarray, np.ndarray, np.ndarray]
"""(start, end, pitch) int arrays [N]; times in steps of the arrangement."""
Event = tuple[int, int, str]
"""(start, end, symbol of a figure)."""
_SPARSE = (
    'R---------------',
    'R-------R-------',
    'R-----------....',
    'R-----..........',
    'R-------F-------',
)


def bass_line(
    style: Style,
    phrases: list[Phrase],
    harmony: Harmony,
    intro: int,
    kick: np.ndarray,
    rng: random.Random,
) -> Line:
    """The bass of an arrangement; its notes do not overlap.

    harmony: counts from bar `intro` of the arrangement.
    kick: bool [steps], for the figures that play with the kick drum.
    """
    events: list[Event] = []
    last_bar = phrases[-1].first + phrases[-1].bars - 1
    figures: dict[tuple[str, bool], tuple[str, str]] = {}
    gates = {}
    for phrase in phrases:
        busy = phrase.energy == HIGH or (phrase.energy == MIDDLE and rng.random() < 0.3)
        key = (phrase.label, busy)
        if key not in figures:
            pool = style.busy if busy else style.bass
            figures[key] = rng.choice(pool), rng.choice(pool)
            gates[phrase.label] = rng.choice((0, 0, 1, 2))
        sparse = rng.choice(_SPARSE)
        for number in range(phrase.bars):
            bar = phrase.first + number
            if phrase.label == 'intro' and phrase.bars >= 4 and number < phrase.bars // 2:
                continue  # drums alone
            if phrase.energy == BREAKDOWN or bar == last_bar:
                figure = sparse if bar != last_bar else _SPARSE[0]
            elif phrase.stop and number == phrase.bars - 1:
                figure = 'R-..........A---'
            elif number % 4 == 3 and rng.random() < 0.6:
                figure = rng.choice(TURNS)
            else:
                figure = figures[key][number % 2 if phrase.energy >= LOW else 0]
            if figure == 'kick':
                figure = _with_kick(kick[bar * BAR : (bar + 1) * BAR], rng)
            figure = _vary(figure, rng)
            first = (bar - intro) * BAR
            changes = harmony.chord(first) != harmony.chord(first + HALF)
            gate = gates[phrase.label] if bar != last_bar else 0
            events += _events(_at_change(figure, rng) if changes else figure, bar * BAR, gate)
    return _pitches(events, harmony, intro, rng)


def _with_kick(kick: np.ndarray, rng: random.Random) -> str:
    """A figure on the steps of the kick drum: roots, now and then another chord tone.

    Each note is held up to the next.
    """
    figure = ['-'] * BAR
    for step in np.flatnonzero(kick):
        figure[step] = 'R' if step % HALF == 0 or rng.random() < 0.7 else rng.choice('OFR')
    figure[0] = 'R'
    return ''.join(figure)


def _vary(figure: str, rng: random.Random) -> str:
    """Now and then one note of the figure is left out, raised by an octave or cut short."""
    draw = rng.random()
    notes = [step for step, char in enumerate(figure) if char.isalpha() and step]
    if draw > 0.2 or not notes:
        return figure
    step = rng.choice(notes)
    if draw < 0.06:
        char = '-'
    elif draw < 0.13 and figure[step] in 'RF':
        char = 'O'
    elif draw < 0.18:
        char = '.'
    else:
        char = figure[step]
    return figure[:step] + char + figure[step + 1 :]


def _at_change(figure: str, rng: random.Random) -> str:
    """A new chord in the middle of the bar gets its root there, nearly always."""
    if figure[HALF].isalpha() and rng.random() < 0.1:
        return figure
    return figure[:HALF] + 'R' + figure[HALF + 1 :]


def _events(figure: str, first: int, gate: int) -> list[Event]:
    """The notes of a figure in a bar that begins on step `first`.

    A note lasts over its `-`; `gate` steps are taken off the end of long notes.
    """
    events: list[Event] = []
    for step, char in enumerate(figure):
        if char.isalpha():
            end = step + 1
            while end < BAR and figure[end] == '-':
                end += 1
            short = gate if 4 <= end - step < BAR else 0
            events.append((first + step, first + end - short, char))
    return events


def _pitches(events: list[Event], harmony: Harmony, intro: int, rng: random.Random) -> Line:
    scale = harmony.scale()
    pitches: list[int] = []
    root_pitch = _ROOT_CENTRE
    for number, (step, _, symbol) in enumerate(events):
        root, triad = harmony.chord(step - intro * BAR)
        root_pitch = _nearest(root, root_pitch)
        if symbol == 'A' and number + 1 < len(events):
            target_class, _ = harmony.chord(events[number + 1][0] - intro * BAR)
            pitch = _approach(_nearest(target_class, root_pitch), scale, rng)
        elif symbol == 'T':
            pitch = root_pitch + triad[1]
        elif symbol == 'F':
            pitch = root_pitch + 7 if root_pitch < 36 or root_pitch - 5 < LOWEST else root_pitch - 5
        elif symbol == 'O':
            pitch = root_pitch + 12
        else:
            pitch = root_pitch
        pitches.append(pitch)
    columns = np.array([event[:2] for event in events], np.int32).reshape(-1, 2)
    return columns[:, 0], columns[:, 1], np.array(pitches, np.int16)


def _nearest(pitch_class: int, to: int) -> int:
    """Root pitch of the class, near the last one but drawn to the middle of the range, E1 to G2."""
    candidates = [p for p in range(LOWEST, _ROOT_TOP + 1) if p % 12 == pitch_class]
    return min(candidates, key=lambda p: (abs(p - to) + 0.6 * abs(p - _ROOT_CENTRE), p))


def _approach(target: int, scale: frozenset[int], rng: random.Random) -> int:
    """A note that leads to the target.

    It is a semitone below, a scale step above or below, or the fifth above.
    """
    above = next(target + k for k in (1, 2, 3) if (target + k) % 12 in scale)
    below = next(target - k for k in (1, 2, 3) if (target - k) % 12 in scale)
    choice = rng.choice((target - 1, above, below, below, target + 7))
    return choice if LOWEST <= choice <= HIGHEST else above
