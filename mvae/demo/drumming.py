"""Drum tracks from a style and a plan: grooves of two bars, ghosts, turns, fills, crashes."""

import random
from collections.abc import Collection, Sequence

import numpy as np

from mvae.demo.form import BREAKDOWN, HIGH, LOW, Phrase
from mvae.demo.styles import (
    CLOSED,
    CRASH,
    HIGH_TOM,
    KICK,
    LOW_TOM,
    MID_TOM,
    OPEN,
    RIDE,
    SNARE,
    Style,
)

BAR = 16
_CELLS = ('X.X.', 'XXXX', 'X.XX', 'XX.X', 'XXX.', '.XXX', '..XX', 'X...')
_SWUNG_CELLS = ('X..X', 'X...', 'X..X', '...X', 'X.X.')
_ROUTES = (  # the voices that a fill goes through, from its first to its last step
    (SNARE, HIGH_TOM, MID_TOM, LOW_TOM),
    (SNARE, SNARE, HIGH_TOM, LOW_TOM),
    (SNARE,),
    (SNARE, LOW_TOM),
    (HIGH_TOM, MID_TOM, LOW_TOM),
    (LOW_TOM, MID_TOM, HIGH_TOM, SNARE),
    (HIGH_TOM, SNARE, MID_TOM, SNARE, LOW_TOM),
)


def drum_track(
    style: Style, phrases: list[Phrase], accents: Collection[int], rng: random.Random
) -> np.ndarray:
    """bool [16 * bars, 9]: which of the nine drum classes is hit on which step.

    accents: steps of syncopated melody notes, which the kick may double.
    """
    grid = np.zeros((BAR * (phrases[-1].first + phrases[-1].bars), 9), bool)
    bars = grid.reshape(-1, BAR, 9)
    labels = sorted({phrase.label for phrase in phrases})
    grooves = {label: _groove(style, rng) for label in labels}
    cells = _SWUNG_CELLS if 'swing' in style.name else _CELLS
    for phrase in phrases:
        layers = [drum for drum in style.layers[phrase.energy] if drum in style.voices]
        pair = [_groove_bar(grooves[phrase.label], number, layers, rng) for number in (0, 1)]
        for number in range(phrase.bars):
            bar = bars[phrase.first + number]
            bar[:] = pair[number % 2]
            if KICK in layers:
                _follow(bar, (phrase.first + number) * BAR, accents, style.follow, rng)
            if number % 4 == 3 and number + 1 < phrase.bars:
                _turn(bar, phrase.energy, cells, rng)
            elif number % 4 == 1 and rng.random() < 0.3:
                step = rng.choice((10, 14, 15))
                bar[step, rng.choice((KICK, SNARE) if SNARE in layers else (KICK,))] = True
        _begin(bars[phrase.first], phrase, layers, rng)
        _end(bars[phrase.first : phrase.first + phrase.bars], phrase, cells, rng)
    _finish(bars[-1], rng)
    grid[grid[:, OPEN], CLOSED] = False  # the two are one instrument
    return grid


def _groove(style: Style, rng: random.Random) -> dict[int, tuple[str, str]]:
    """Drum class -> patterns of two bars: the second bar repeats or answers the first.

    `o` is decided here.
    """
    groove = {}
    for drum, patterns in style.voices.items():
        first = second = rng.choice(patterns)
        if rng.random() < (0.6 if drum in (KICK, LOW_TOM) else 0.25):
            second = rng.choice(patterns)
        groove[drum] = _decide(first, rng), _decide(second, rng)
    return groove


def _decide(pattern: str, rng: random.Random) -> str:
    return ''.join(rng.choice('X.') if char == 'o' else char for char in pattern)


def _groove_bar(
    groove: dict[int, tuple[str, str]], number: int, layers: list[int], rng: random.Random
) -> np.ndarray:
    """One bar of a groove, bool [16, 9].

    `g` is decided here, once for a phrase: within it the ghosts repeat, in the next they differ.
    """
    bar = np.zeros((BAR, 9), bool)
    for drum in layers:
        for step, char in enumerate(groove[drum][number]):
            bar[step, drum] = char == 'X' or (char == 'g' and rng.random() < 0.4)
    return bar


def _follow(
    bar: np.ndarray, first_step: int, accents: Collection[int], chance: float, rng: random.Random
) -> None:
    for step in range(BAR):
        if first_step + step in accents and rng.random() < chance:
            bar[step, KICK] = True


def _turn(bar: np.ndarray, energy: int, cells: Sequence[str], rng: random.Random) -> None:
    """Makes every fourth bar a little different: a short fill, an open hat, a kick, a gap."""
    kind = rng.choice(('fill', 'open', 'kick', 'gap', 'plain'))
    if kind == 'fill' and energy > BREAKDOWN:
        _fill(bar[12:], cells, rng)
    elif kind == 'open' and bar[:, [CLOSED, OPEN, RIDE]].any():
        bar[14, OPEN] = True
        bar[14:, RIDE] = False
    elif kind == 'kick':
        bar[rng.choice((6, 10, 11, 14)), KICK] = True
    elif kind == 'gap':
        bar[14:] = False


def _begin(bar: np.ndarray, phrase: Phrase, layers: list[int], rng: random.Random) -> None:
    """A crash on the first step of a phrase, always when it is loud."""
    chance = {BREAKDOWN: 0.3, LOW: 0.6, HIGH: 1.0}.get(phrase.energy, 0.9)
    if phrase.label != 'intro' and rng.random() < chance:
        bar[0] = False
        bar[0, CRASH] = True
        bar[0, LOW_TOM if LOW_TOM in layers and KICK not in layers else KICK] = True


def _end(bars: np.ndarray, phrase: Phrase, cells: Sequence[str], rng: random.Random) -> None:
    """The fill at the end of a phrase.

    A breakdown may build up to the next phrase with a snare roll instead.
    """
    if phrase.stop:
        bars[-1] = False
        bars[-1, 0, [KICK, rng.choice((CRASH, SNARE, OPEN))]] = True
        _fill(bars[-1, 12:], cells, rng)
    elif phrase.energy == BREAKDOWN and phrase.bars >= 4 and rng.random() < 0.6:
        bars[-2:, :, SNARE] = False
        bars[-2, ::4, SNARE] = True
        bars[-1, :8:2, SNARE] = True
        bars[-1, 8:, SNARE] = True
    else:
        _fill(bars[-1, BAR - phrase.fill :], cells, rng)


def _fill(steps: np.ndarray, cells: Sequence[str], rng: random.Random) -> None:
    """Writes a fill over steps [n, 9], which is never silent.

    Its rhythm is made of cells of four steps, and its voices go along a route. The kick goes on, or
    plays the beats, or rests.
    """
    length = len(steps)
    if rng.random() < 0.5:
        kicks = steps[:, KICK].copy()
    elif rng.random() < 0.4:
        kicks = np.arange(length) % 4 == 0
    else:
        kicks = np.zeros(length, bool)
    rhythm = ''.join(rng.choice(cells) for _ in range(length // 4))
    if 'X' not in rhythm[-4:]:
        rhythm = rhythm[:-4] + cells[0]
    route = rng.choice(_ROUTES)
    steps[:] = False
    for step, char in enumerate(rhythm):
        if char == 'X':
            steps[step, route[step * len(route) // length]] = True
    steps[kicks, KICK] = True


def _finish(bar: np.ndarray, rng: random.Random) -> None:
    """The last bar: a final stroke, now and then after a run up to the third beat."""
    stroke = rng.choice((0, 0, 8))
    bar[stroke:] = False
    bar[stroke, [KICK, CRASH]] = True
    if rng.random() < 0.3:
        bar[stroke, SNARE] = True
