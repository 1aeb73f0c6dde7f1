"""Standard MIDI files (SMF 1.0) as columns of events.

Strict where music would be lost, lenient everywhere else: a track that ends in the middle of an
event refuses the file; wrong counts of tracks, values above 127, unknown chunks and containers
around the file do not. (Of the libraries, symusic hides channels and refuses files for a byte that
nobody uses; mido takes forty times as long. docs/results.md has the figures.)
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mvae.music.reasons import Reason, Rejected

META, SYSEX = 0xFF, 0xF0  # statuses
TEXT, TRACK_NAME, INSTRUMENT_NAME, MARKER = 0x01, 0x03, 0x04, 0x06  # kinds of META
PORT, TEMPO, METER = 0x21, 0x51, 0x58
_END_OF_TRACK = 0x2F
_USED = {SYSEX, TEXT, TRACK_NAME, INSTRUMENT_NAME, MARKER, PORT, TEMPO, METER}
_SYSTEM_SIZES = {0xF1: 1, 0xF2: 2, 0xF3: 1}  # data bytes of events that have no place in a file
_PADDING = bytes(16)  # so that no look ahead leaves the data


class Message(NamedTuple):
    """A meta or sysex event. row: among all events. kind: of META, else SYSEX."""

    row: int
    kind: int
    content: bytes


class Events(NamedTuple):
    """The events of a file, track after track.

    Attributes:
        tick: when, int64 [N]. status: uint8 [N], that of channel events with the channel, META or
            SYSEX. first, second: their data bytes, uint8 [N].
        tracks: of each its first row and the row after its last.
        messages: in the order of the file, without those of no use.
        resolution: ticks per quarter.
    """

    tick: np.ndarray
    status: np.ndarray
    first: np.ndarray
    second: np.ndarray
    tracks: list[tuple[int, int]]
    messages: list[Message]
    resolution: int

    @property
    def title(self) -> str:
        """The name of the first track, by the standard that of the song; '' if it has none."""
        names = (m for m in self.messages if m.kind == TRACK_NAME and m.row < self.tracks[0][1])
        return to_text(name.content) if (name := next(names, None)) else ''


def read_events(data: bytes) -> Events:
    """Reads a file of type 0 or 1, or of type 2 with one track.

    Raises Rejected (UNREADABLE, UNSUPPORTED).
    """
    header = data.find(b'MThd')
    if header < 0 or len(data) < header + 14 or not (header == 0 or _is_container(data)):
        detail = 'not a MIDI file: it does not begin with MThd; give standard MIDI (.mid)'
        raise Rejected(Reason.UNREADABLE, detail)
    resolution = _resolution(int.from_bytes(data[header + 12 : header + 14]))
    scanner = _Scanner(data)
    tracks: list[tuple[int, int]] = []
    end = header + 8 + int.from_bytes(data[header + 4 : header + 8])
    while (begin := data.find(b'MTrk', end)) >= 0:
        end, rows = scanner.scan(begin + 8, *_end_of_chunk(data, begin), len(tracks) + 1)
        tracks.append(rows)
    if (form := int.from_bytes(data[header + 8 : header + 10])) > 1 and len(tracks) > 1:
        detail = f'MIDI of type {form} (independent songs); save it as type 0 or 1'
        raise Rejected(Reason.UNSUPPORTED, detail)
    tick, status, first, second = scanner.columns(tracks)
    return Events(tick, status, first, second, tracks, scanner.messages, resolution)


def _is_container(data: bytes) -> bool:
    """RIFF, or the 128 bytes that old Macintosh programs put before a file."""
    return data[:4] == b'RIFF' or data[128:132] == b'MThd'


def _resolution(division: int) -> int:
    if division & 0x8000:
        detail = 'MIDI timed in SMPTE frames has no beats; save it with ticks per quarter note'
        raise Rejected(Reason.UNSUPPORTED, detail)
    if division == 0:
        raise _broken('0 ticks per quarter note')
    return division


def _end_of_chunk(data: bytes, begin: int) -> tuple[int, bool]:
    """Where a track's events end at the latest, and whether its length says so.

    Where nothing like a chunk follows at its length, they end before the next track.
    """
    end = begin + 8 + int.from_bytes(data[begin + 4 : begin + 8])
    if end == len(data) or data[end : end + 4].isalpha():
        return end, True
    following = data.find(b'MTrk', begin + 8)
    return (following if following >= 0 else len(data)), False


def _broken(what: str) -> Rejected:
    return Rejected(Reason.UNREADABLE, f'broken MIDI file ({what}); export it anew')


# Where the next event begins, for each status and number of data bytes (1 or 2) under running
# status: twice its distance from the status byte, plus 1 if the number is 2. _SPECIAL marks meta
# and system events, whose length stands in the file. The data of a file are far below it.
_SPECIAL = 1 << 30
_STEPS = np.zeros((256, 2), np.int32)
_STEPS[:0x80] = 2 * 1 + 0, 2 * 2 + 1
_STEPS[0x80:0xF0] = 2 * 3 + 1
_STEPS[0xC0:0xE0] = 2 * 2 + 0
_STEPS[0xF0:] = _SPECIAL, _SPECIAL + 1


class _Scanner:
    """Finds the events of tracks.

    Where the next event begins is computed for all bytes at once, as if an event began at each.
    What is left for Python is to go from event to event.
    """

    def __init__(self, data: bytes):
        self._data = data + _PADDING
        self._bytes = np.frombuffer(self._data, np.uint8)
        low = np.flatnonzero(self._bytes < 0x80).astype(np.int32)
        behind = np.repeat(low + 1, np.diff(low, prepend=-1))  # a delta time that begins here
        self._behind = np.minimum(behind, len(behind) - 1)
        steps = _STEPS[self._bytes[self._behind]]
        self._jump = (2 * self._behind[:, None] + steps).ravel().data
        self._states: list[int] = []  # of each event twice its place, plus 1 as above
        self.messages: list[Message] = []

    def scan(self, begin: int, end: int, known: bool, number: int) -> tuple[int, tuple[int, int]]:
        """Finds a track's events from begin on, up to its end of track or `end`.

        known: whether `end` may be the end without saying so.
        Returns where they end, and their rows. Raises Rejected if some are missing.
        """
        states, jump, append = self._states, self._jump, self._states.append
        first, state, stop, ended = len(states), 2 * begin + 1, 2 * end, False
        while not ended:
            while state < stop:
                append(state)
                state = jump[state]
            if state < _SPECIAL:
                break
            at, ended = self._special((state - _SPECIAL) // 2)
            state = min(2 * at, stop + 2) + state % 2  # never as large as _SPECIAL by itself
        if state > stop + 1:
            raise _broken(f'track {number} ends in the middle of an event')
        if not (ended or known):
            raise _broken(f'track {number} has no end')
        return state // 2, (first, len(states))

    def _special(self, at: int) -> tuple[int, bool]:
        """Reads the meta or system event whose status byte is at `at`.

        Returns where it ends, and whether it is the end of the track.
        """
        data = self._data
        status = kind = data[min(at, len(data) - 1)]
        if status not in (META, SYSEX, 0xF7):
            return at + 1 + _SYSTEM_SIZES.get(status, 0), False
        at += 1
        if status == META:
            kind = data[min(at, len(data) - 1)] & 0x7F
            at += 1
        size = 0
        for byte in data[at : at + 4]:
            size, at = size << 7 | byte & 0x7F, at + 1
            if byte < 0x80:
                break
        if kind in _USED:
            row = len(self._states) - 1
            self.messages.append(Message(row, kind, data[at : at + size]))
        return min(at + size, len(data)), status == META and kind == _END_OF_TRACK

    def columns(self, tracks: list[tuple[int, int]]) -> Iterator[np.ndarray]:
        """Tick, status and data bytes of all events, as in `Events`."""
        begin = np.array(self._states, np.int64) // 2
        behind = self._behind[begin].astype(np.int64)
        status = self._bytes[behind]
        own = status >= 0x80
        firsts = np.array([first for first, last in tracks if first < last], np.int64)
        yield _ticks(self._deltas(begin, behind), firsts)
        channel = own & (status < 0xF0)
        latest = np.where(channel, np.arange(len(begin)), -1)
        latest[firsts] = firsts  # running status does not cross tracks
        latest = np.maximum.accumulate(latest)
        running = ~own
        status = np.where(running, status[latest], status)
        if np.any((status < 0x80) | (running & (status >= 0xF0))):
            raise _broken('data where an event should begin')
        yield status
        yield self._bytes[behind + own]
        yield self._bytes[behind + own + 1]

    def _deltas(self, begin: np.ndarray, behind: np.ndarray) -> np.ndarray:
        size = behind - begin
        if np.any(size > 4):
            raise _broken('a delta time of more than 4 bytes')
        delta = self._bytes[behind - 1].astype(np.int64)
        for place in range(1, int(size.max(initial=1))):
            digit = self._bytes[behind - 1 - place] & 0x7F
            delta += np.where(size > place, digit.astype(np.int64) << 7 * place, 0)
        return delta


def _ticks(deltas: np.ndarray, firsts: np.ndarray) -> np.ndarray:
    """Sums of the delta times within each track; firsts: the first rows of tracks."""
    ticks = np.cumsum(deltas)
    before = ticks[firsts] - deltas[firsts]
    return ticks - np.repeat(before, np.diff(np.append(firsts, len(ticks))))


def to_text(name: bytes) -> str:
    """A name in a file, as one line."""
    try:
        text = name.decode('utf-8')
    except UnicodeDecodeError:
        text = name.decode('latin-1')
    return re.sub(r'[\x00-\x1f\x7f-\x9f\s]+', ' ', text).strip()
