"""Note-ons and note-offs of a file become notes."""

from typing import NamedTuple

import numpy as np

from mvae.music.channels import CHANNELS, DRUM_CHANNEL, Channels
from mvae.music.columns import run_starts, runs
from mvae.music.smf import Events

_CHANGES, _OVERLAP = 0.8, 0.25  # see lead_channels


NEVER = 2**34  # ticks, behind the end of any music


class Struck(NamedTuple):
    """Notes in the order of the file.

    Attributes:
        row: of the note-on, int64 [N]. start, end: in ticks, int64 [N]; NEVER where none of the
            note-offs is left for a note.
        strange: how many more there are, of pitches that MIDI does not have.
    """

    row: np.ndarray
    start: np.ndarray
    end: np.ndarray
    strange: int


def pair_notes(events: Events, channels: Channels) -> Struck:
    """Each note-off ends the oldest note of its track, channel and pitch that sounds.

    Notes of no length are kept.
    """
    kind = events.status & 0xF0
    on = (kind == 0x90) & (events.second > 0)
    rows = np.flatnonzero(on | (kind == 0x80) | (kind == 0x90))
    in_range = events.first[rows] < 128
    strange = int(on[rows[~in_range]].sum())
    rows = rows[in_range]
    key = (channels.track[rows] << 16 | channels.channel[rows]) << 7 | events.first[rows]
    order = np.argsort(key, kind='stable')
    rows, key = rows[order], key[order]
    begins = on[rows]
    group = np.cumsum(run_starts(key)) - 1
    ends = ~begins & _ends_something(begins, group)
    ons, offs = np.flatnonzero(begins), np.flatnonzero(ends)
    # The k-th note-on of a key goes with the k-th note-off that ends something.
    groups = int(group[-1]) + 1 if len(group) else 0
    first_on, first_off = (np.searchsorted(group[at], np.arange(groups)) for at in (ons, offs))
    place = np.arange(len(ons)) - first_on[group[ons]] + first_off[group[ons]]
    ended = place < np.append(first_off, len(offs))[group[ons] + 1]
    end = np.full(len(ons), NEVER)
    end[ended] = events.tick[rows[offs[place[ended]]]]
    order = np.argsort(rows[ons])
    found = rows[ons[order]]
    return Struck(found, events.tick[found], end[order], strange)


def _ends_something(begins: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Whether a note sounds before each event: bool [N], of groups that follow each other."""
    step = np.where(begins, 1, -1)
    total = np.cumsum(step)
    first, length = runs(group)
    total -= np.repeat(total[first] - step[first], length)
    apart = group * (2 * len(group) + 1)  # so that each group begins below the one before
    lowest = np.minimum(np.minimum.accumulate(total - apart) + apart, 0)
    before = np.append(0, lowest[:-1])
    before[first] = 0
    return lowest == before


def end_at_first_note_off(start: np.ndarray, end: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Ends of notes where a note-off ends all notes of its key (part and pitch): int64 [N] each."""
    span = int(max(start.max(initial=0), end.max(initial=0))) + 1
    starts, ends = key * span + start, key * span + end  # by key, then by time
    order = np.argsort(starts)
    struck_again = np.append(starts[order[1:]] < ends[order[:-1]], False)
    if not struck_again.any():
        return end
    own = np.flatnonzero(np.isin(key, key[order[struck_again]]))
    offs = np.unique(ends[own])  # every note-off that ended something
    first = offs[np.minimum(np.searchsorted(offs, starts[own], side='right'), len(offs) - 1)]
    result = end.copy()
    result[own] -= np.maximum(ends[own] - first, 0)  # notes of no length stay
    return result


def lead_channels(struck: Struck, events: Events, channels: Channels) -> np.ndarray:
    """The channel that counts for each note, int64 [N]: one for a voice that goes over many.

    MPE, MIDI guitars and some sequencers give each note a channel of its own. A file says so by a
    message of MPE. Otherwise a voice is what goes on over three channels or more of one track and
    one program, to another channel with nearly every note, and with little that sounds together.
    """
    channel = channels.channel[struck.row].astype(np.int64)
    for lead, members in _zones(events):
        channel[np.isin(channel, members)] = lead
    track = channels.track[struck.row]
    used = np.unique(track << 16 | channel)
    tracks, counts = np.unique(used >> 16, return_counts=True)
    for number in tracks[counts > 2].tolist():
        own = np.flatnonzero(track == number)
        own = own[np.argsort(struck.start[own], kind='stable')]
        one_program = len(set().union(*map(channels.programs, set(channel[own].tolist())))) < 2
        if one_program and _is_one_voice(channel[own], struck.start[own], struck.end[own]):
            leads = channel[own][channel[own] % CHANNELS != DRUM_CHANNEL]
            channel[own] = leads[0]
    return channel


def _is_one_voice(channel: np.ndarray, start: np.ndarray, end: np.ndarray) -> bool:
    """Notes in the order of their starts."""
    together = np.minimum(end[:-1], end[1:]) - start[1:]
    overlap = np.maximum(together, 0).sum() / max(1, (end - start).sum())
    return (channel[1:] != channel[:-1]).mean() >= _CHANGES and overlap <= _OVERLAP


def _zones(events: Events) -> list[tuple[int, list[int]]]:
    """The zones of MPE in a file: the channel that leads each, and its members."""
    found = []
    for lead, step in ((0, 1), (CHANNELS - 1, -1)):
        own = np.flatnonzero(events.status == 0xB0 | lead)
        first, second = events.first[own], events.second[own]
        # RPN 6 by controllers 101 and 100, then the number of members by controller 6.
        for at in np.flatnonzero((first == 100) & (second == 6)):
            sizes = second[at:][first[at:] == 6]
            size = min(int(sizes[0]), CHANNELS - 1) if len(sizes) else 0
            found.append((lead, [lead + step * (n + 1) for n in range(size)]))
    return found[:2]
