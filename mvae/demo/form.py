"""The plan of an arrangement: phrases with an energy, from the parts of a tune."""

import dataclasses
import random

BREAKDOWN, LOW, MIDDLE, HIGH = range(4)
"""Energies: breakdown thins drums and bass out, low to high add layers."""
_PHRASE = 8  # bars


@dataclasses.dataclass(frozen=True)
class Phrase:
    """The bars first ... first + bars - 1 of the arrangement.

    label: part of the tune ('A', 'B', ...), or 'intro' before it.
    energy: 0..3.
    fill: length in steps of the drum fill that ends the phrase.
    stop: whether the band stops after the first beat of its last bar.
    """

    first: int
    bars: int
    label: str
    energy: int
    fill: int
    stop: bool = False


def plan(
    sections: tuple[tuple[int, str], ...], bars: int, rng: random.Random
) -> tuple[int, list[Phrase]]:
    """(bars put before the tune, phrases that cover all bars without gaps).

    Bars before the first section hold the upbeat only and belong to the intro. The energy rises
    from pass to pass of a part; one phrase may be a breakdown.

    sections: ((first bar, label), ...) of the tune; bars: of the tune.
    """
    intro = rng.choices((0, 1, 2, 4), (6, 1, 2, 2))[0]
    starts = _phrase_starts(sections, bars)
    phrases = []
    head = intro + (starts[0][0] if starts else bars)
    if head:
        energy = rng.choice((BREAKDOWN, LOW)) if head > 1 else LOW
        phrases.append(Phrase(0, head, 'intro', energy, fill=8 if head > 1 else 4))
    lift = rng.choice((0, 0, 1))
    breakdown = rng.randrange(1, len(starts)) if len(starts) > 3 and rng.random() < 0.5 else -1
    passes: dict[str, int] = {}
    for number, (first, label) in enumerate(starts):
        length = (starts[number + 1][0] if number + 1 < len(starts) else bars) - first
        passes[label] = passes.get(label, 0) + 1
        energy = min(LOW + lift + (passes[label] > 1) + (label != 'A' and rng.random() < 0.6), HIGH)
        if number == breakdown:
            energy = BREAKDOWN
        fill = rng.choice((4, 8, 8, 12, 16)) if energy > LOW else rng.choice((4, 4, 8))
        stop = energy > BREAKDOWN and length >= 4 and rng.random() < 0.08
        phrases.append(Phrase(intro + first, length, label, energy, fill, stop))
    return intro, phrases


def _phrase_starts(sections: tuple[tuple[int, str], ...], bars: int) -> list[tuple[int, str]]:
    """Cuts parts that are longer into phrases of 8 bars.

    A rest of under 4 bars stays with the phrase before.
    """
    starts: list[tuple[int, str]] = []
    for number, (first, label) in enumerate(sections):
        end = sections[number + 1][0] if number + 1 < len(sections) else bars
        starts.append((first, label))
        starts += [(bar, label) for bar in range(first + _PHRASE, end - _PHRASE // 2 + 1, _PHRASE)]
    return starts
