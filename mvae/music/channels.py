"""What the channels of a MIDI file play: their programs, and which are drums.

Channels keep their state over tracks: what a track with the set-up says holds for the notes of all
others. Where several tracks play on one channel and each sets it for itself, as programs write that
put every part on channel 1, each track's own settings hold.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mvae.music.columns import run_starts
from mvae.music.drum_clues import named_drums, sounds_like_drums
from mvae.music.smf import INSTRUMENT_NAME, PORT, SYSEX, TRACK_NAME, Events, to_text

# How a part is known to be drums. What is none of them is pitched.
DRUM_CLUES = ('channel 10', 'bank', 'sysex', 'track name')
_BY_CHANNEL, _BY_BANK, _BY_SYSEX, _BY_NAME = 1, 2, 3, 4  # in columns of clues; 0 is pitched
CHANNELS = 16
DRUM_CHANNEL = 9  # channel 10, counted from 0
_BANK = 0  # controller
_PITCHED_BANK = 121  # of General MIDI 2
# General MIDI 2 and XG; what they mean in files of other systems only the notes tell.
_DRUM_BANKS = (120, 126, 127)
_DRUM_PART = 128  # no bank, but what XG says by sysex and by banks alike; the latest counts
_DEFAULT, _PITCHED, _DRUMS = -1, 0, 1  # what sysex says of a channel
# Sysex; the second byte is a device.
_XG_PART_MODE = re.compile(rb'\A\x43.\x4c\x08(.)\x07(.)', re.S).findall
_XG_ON = re.compile(rb'\x43.\x4c\0\0\x7e', re.S).match
_GM2_ON = re.compile(rb'\x7e.\x09\x03', re.S).match


class Change(NamedTuple):
    """One channel is set to a value. row: of the event; track: where it stands."""

    row: int
    track: int
    value: int


Changes = Mapping[int, list[Change]]  # of channels, those of several ports apart


class Channels:
    """The channels of a file, and how they are set over time."""

    def __init__(self, events: Events):
        self._events = events
        lengths = [last - first for first, last in events.tracks]
        self.track = np.repeat(np.arange(len(lengths)), lengths)
        ports = np.zeros(len(lengths), np.int64)
        for row, kind, content in events.messages:
            if kind == PORT and content:
                ports[self.track[row]] = content[0]
        # Of each event, counted from 0; those of the second port begin at 16.
        self.channel = (events.status & 15) + CHANNELS * ports[self.track]
        kinds = events.status & 0xF0
        banks = (kinds == 0xB0) & (events.first == _BANK) & (events.second < 128)
        self._programs = self._changes((kinds == 0xC0) & (events.first < 128), events.first)
        self._banks = self._changes(banks, events.second)
        self._modes = self._drum_modes()
        sysex = [content for _, kind, content in events.messages if kind == SYSEX]
        self._has_drum_banks = any(_XG_ON(c) or _GM2_ON(c) for c in sysex)

    def _changes(self, mask: np.ndarray, values: np.ndarray) -> Changes:
        found: Changes = defaultdict(list)
        rows = np.flatnonzero(mask)
        columns = rows, self.track[rows], values[rows], self.channel[rows]
        for row, track, value, channel in zip(*(c.tolist() for c in columns), strict=True):
            found[channel].append(Change(row, track, value))
        return found

    def _drum_modes(self) -> Changes:
        found = defaultdict(list)
        for row, kind, content in self._events.messages:
            if kind == SYSEX:
                track, first = int(self.track[row]), int(self.channel[row]) & -CHANNELS
                for channel, value in _drum_modes(content):
                    found[first + channel].append(Change(row, track, value))
                for part, mode in _XG_PART_MODE(content):
                    bank = _DRUM_PART if mode > b'\0' else _PITCHED_BANK
                    own = self._banks[first + (part[0] & 15)]
                    own.append(Change(row, track, bank))
                    own.sort()
        return found

    def programs(self, channel: int) -> set[int]:
        """All programs that a channel is set to."""
        return {change.value for change in self._programs.get(channel, ())}

    def sounds(
        self, rows: np.ndarray, channel: np.ndarray, pitch: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Program int16 [N] and clue int8 [N] of notes: from 1, into DRUM_CLUES; 0 is pitched.

        rows: of the note-ons, ascending. channel: that counts for each, int64 [N]. pitch: int [N].
        """
        program, bank, mode = np.full((3, len(rows)), _DEFAULT, np.int16)
        clue = np.zeros(len(rows), np.int8)
        groups = self._groups(rows, channel)
        players, parts = defaultdict(set), defaultdict(list)
        for track, key, _ in groups:
            players[key].add(track)
        for track, key, own in groups:
            tables = (program, self._programs), (bank, self._banks), (mode, self._modes)
            for values, changes in tables:
                heeded = _heeded(changes.get(key, ()), track, players[key])
                if heeded:
                    values[own] = self._held(heeded, track, rows[own])
            clue[own] = self._clues(key % CHANNELS, bank[own], mode[own], pitch[own])
            parts[track].append(own)
        for track, name in self._names():
            if len(parts[track]) == 1 and not clue[own := parts[track][0]].any():
                if named_drums(name, max(0, int(program[own].max())), pitch[own]):
                    clue[own] = _BY_NAME
        return np.maximum(program, 0), clue

    def _groups(self, rows: np.ndarray, channel: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
        """The notes of each track on each channel: track, channel and which they are."""
        key = self.track[rows] << 16 | channel
        order = np.argsort(key, kind='stable')
        key = key[order]
        first = np.flatnonzero(run_starts(key))
        places = itertools.pairwise([*first.tolist(), len(rows)])
        keys = zip(key[first].tolist(), places, strict=True)
        return [(one >> 16, one & 0xFFFF, order[i:j]) for one, (i, j) in keys]

    def _names(self) -> list[tuple[int, str]]:
        """Tracks and what they or their instruments are called."""
        kinds = TRACK_NAME, INSTRUMENT_NAME
        named = [m for m in self._events.messages if m.kind in kinds]
        return [(int(self.track[m.row]), to_text(m.content)) for m in named]

    def _held(self, changes: Sequence[Change], track: int, rows: np.ndarray) -> np.ndarray:
        """What holds at note-ons (rows of one track).

        At one tick changes in other tracks come before everything.
        """
        if len(changes) == 1 and changes[0].track == track and changes[0].row < rows[0]:
            return np.array(changes[0].value)  # as in most files
        first, last = self._events.tracks[track]
        ticks = self._events.tick
        foreign = np.array([change.track != track for change in changes])
        places = np.array([change.row for change in changes], float)
        values = np.array([change.value for change in changes])
        if foreign.any():
            at = ticks[places[foreign].astype(np.int64)]
            places[foreign] = first + np.searchsorted(ticks[first:last], at) - 0.5
            order = np.argsort(places, kind='stable')
            places, values = places[order], values[order]
        return np.append(_DEFAULT, values)[np.searchsorted(places, rows)]

    def _clues(
        self, channel: int, bank: np.ndarray, mode: np.ndarray, pitch: np.ndarray
    ) -> np.ndarray:
        """Of the notes of one track on a channel (0..15): int8 [N]."""
        by_bank = (bank == _DRUM_BANKS[0]) | (bank == _DRUM_BANKS[1]) | (bank == _DRUM_BANKS[2])
        if by_bank.any() and not (self._has_drum_banks or sounds_like_drums(pitch[by_bank])):
            by_bank[:] = False
        clue = np.where(by_bank, np.int8(_BY_BANK), np.int8(0))  # what comes later counts more
        clue[(mode == _DRUMS) | (bank == _DRUM_PART)] = _BY_SYSEX
        if channel == DRUM_CHANNEL:
            clue[bank != _PITCHED_BANK] = _BY_CHANNEL
        clue[mode == _PITCHED] = 0
        return clue


def _heeded(changes: Sequence[Change], track: int, players: set[int]) -> Sequence[Change]:
    """Those that hold for a track: its own and those of tracks without notes; else all."""
    own = [c for c in changes if c.track == track or c.track not in players]
    return own or changes


def _drum_modes(content: bytes) -> list[tuple[int, int]]:
    """Which channels a sysex message makes drum parts or pitched: (channel, value)."""
    maker, model, body = content[:1], content[2:3], content[3:]
    if maker == b'\x41' and model == b'\x42' and body[:1] == b'\x12':  # Roland GS, data set
        address, value = body[1:4], body[4:5]
        if len(address) == 3 and address[0] == 0x40 and address[1] >> 4 == 1 and value:
            if address[2] == 0x15:  # use for rhythm part
                block = address[1] & 15
                channel = 9 if block == 0 else block - 1 if block < 10 else block
                return [(channel, _DRUMS if value[0] else _PITCHED)]
        if address in (b'\x40\x00\x7f', b'\x00\x00\x7f'):
            return _reset()
    if maker == b'\x43' and model == b'\x4c':  # Yamaha XG
        if body[:3] == b'\x00\x00\x7e':
            return _reset()
    if maker == b'\x7e' and content[2:4] in (b'\x09\x01', b'\x09\x03'):  # General MIDI on
        return _reset()
    return []


def _reset() -> list[tuple[int, int]]:
    return [(channel, _DEFAULT) for channel in range(CHANNELS)]
