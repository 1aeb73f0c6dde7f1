"""Fragments between bar lines -> the whole bars of a tune in the order of playing.

Upbeats and repeats are resolved.
"""

import dataclasses
from fractions import Fraction

from mvae.demo.abc_text import Fragment, Note, shift
from mvae.demo.drops import Drop, DroppedError

BAR = 16
"""Sixteenth steps per bar."""


def mark_parts(fragments: list[Fragment], marks: list[tuple[int, str]]) -> None:
    """Numbers the parts and marks where they open and close.

    An ending opens nothing: it belongs to its part.
    """
    second_endings = {index for index, kind in marks if kind == 'ending2'}
    bounds = {index for index, kind in marks if kind in ('start', 'end', 'double')} - second_endings
    part = 0
    for index, fragment in enumerate(fragments):
        fragment.opens = index == 0 or index in bounds
        part += fragment.opens and index > 0
        fragment.part = part
        fragment.closes = (
            index + 1 == len(fragments) or index + 1 in bounds or index + 1 in second_endings
        )


def play(fragments: list[Fragment], marks: list[tuple[int, str]]) -> list[Fragment]:
    """Fragments in playing order.

    A repeat without a start goes back to the last double bar or repeat.
    """
    played: list[Fragment] = []
    start, first_ending, in_second = 0, None, False
    at: dict[int, list[str]] = {}
    for index, kind in marks:
        at.setdefault(index, []).append(kind)
    for index in range(len(fragments) + 1):
        for kind in at.get(index, ()):
            if kind == 'end' and index > start and not in_second:
                played += fragments[start : index if first_ending is None else first_ending]
            if kind == 'ending1':
                first_ending = index
            elif kind == 'ending2':
                in_second = first_ending is not None
                first_ending = None
            elif kind != 'end' or in_second or first_ending is None:
                start, first_ending, in_second = index, None, False
            else:  # end of a first ending: the second follows
                start = index
        if index < len(fragments):
            played.append(fragments[index])
    return played


def assemble(played: list[Fragment]) -> tuple[list[list[Note]], list[tuple[int, int]]]:
    """Fragments in playing order -> (whole bars of notes, [(bar where a part starts, part), ...]).

    Raises DroppedError where bars inside a part do not add up to 16 steps.
    """
    bars: list[list[Note]] = []
    sections: list[tuple[int, int]] = []
    held: list[Fragment] = []  # an unfinished bar

    def flush(pad_front: bool) -> None:
        """Closes the unfinished bar with rest.

        The rest goes to its front (upbeat of the piece) or its end (last bar of a part).
        """
        total = _length(held)
        bars.append(shift(_joined(held), BAR - total if pad_front else Fraction(0)))
        held.clear()

    for number, fragment in enumerate(_cut_long(played)):
        if held and fragment.length + _length(held) > BAR:
            if len(bars) == 0:
                flush(pad_front=True)
            elif held[-1].opens:
                upbeat = held.pop()
                if held:
                    flush(pad_front=False)
                bars[-1] = _with_upbeat(bars[-1], upbeat)
                sections[-1] = (len(bars), upbeat.part)
            elif held[-1].closes:
                flush(pad_front=False)
            else:
                raise DroppedError(Drop.BARS, f'bar {len(bars) + 1}')
            held.clear()
        if fragment.length > BAR:
            raise DroppedError(Drop.BARS, f'bar {len(bars) + 1}')
        if fragment.opens or number == 0:
            # A part counts from the bar after its upbeat.
            first_bar = len(bars) + (bool(held) or fragment.length < BAR)
            if not sections or sections[-1][0] < first_bar:
                sections.append((first_bar, fragment.part))
        held.append(fragment)
        if _length(held) == BAR:
            flush(pad_front=False)
    if held:
        flush(pad_front=not bars)
    return bars, [(bar, part) for bar, part in sections if bar < len(bars)]


def _length(fragments: list[Fragment]) -> Fraction:
    return sum((fragment.length for fragment in fragments), Fraction(0))


def _joined(fragments: list[Fragment]) -> list[Note]:
    notes: list[Note] = []
    offset = Fraction(0)
    for fragment in fragments:
        notes += shift(fragment.notes, offset)
        offset += fragment.length
    return notes


def _with_upbeat(bar: list[Note], upbeat: Fragment) -> list[Note]:
    """Puts an upbeat at the end of a bar that is full already.

    What it covers is shortened or left out, as players do. Many transcriptions do not subtract the
    upbeat of a part from the last bar before it.
    """
    room = BAR - upbeat.length
    if upbeat.length > BAR // 2:
        raise DroppedError(Drop.BARS, f'an upbeat of {upbeat.length} steps')
    kept = [
        dataclasses.replace(n, length=min(n.length, room - n.onset)) for n in bar if n.onset < room
    ]
    return kept + shift(upbeat.notes, room)


def _cut_long(fragments: list[Fragment]) -> list[Fragment]:
    """Cuts fragments of several whole bars, whose bar lines were forgotten.

    They stay whole where a note lies across a cut.
    """
    cut: list[Fragment] = []
    for fragment in fragments:
        count = int(fragment.length // BAR)
        onsets = {note.onset for note in fragment.notes}
        whole = fragment.length == count * BAR and all(BAR * k in onsets for k in range(1, count))
        if count < 2 or not whole:
            cut.append(fragment)
            continue
        for k in range(count):
            inside = [note for note in fragment.notes if k * BAR <= note.onset < (k + 1) * BAR]
            bar = Fragment(shift(inside, Fraction(-k * BAR)), Fraction(BAR), fragment.part)
            bar.opens, bar.closes = fragment.opens and k == 0, fragment.closes and k == count - 1
            cut.append(bar)
    return cut
