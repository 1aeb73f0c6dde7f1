"""The bytes of standard MIDI files (SMF 1.0), where symusic, which reads them, falls short."""

import re

NEVER = 2**28 - 1  # ticks, hours of music: the longest delta time that a file can hold
_LATE = b'\xff\xff\xff\x7f'  # the delta time NEVER
_EMPTY_TEXT, _END_OF_TRACK = b'\xff\x01\0', b'\xff\x2f\0'  # events
# Of each channel note-offs for all pitches, a delta time of 0 behind each.
_NOTE_OFFS = [
    bytes(byte for pitch in range(128) for byte in (0x80 | channel, pitch, 0, 0))
    for channel in range(16)
]
_META_NAME = 0x03


def with_late_note_offs(data: bytes, repeats: int) -> bytes:
    """The same file with so many note-offs for every pitch, NEVER ticks after each track's end.

    Broken tracks stay as they are.
    """
    position = 8 + int.from_bytes(data[4:8])
    parts = [data[:position]]
    while data[position : position + 4] == b'MTrk':
        begin = position + 8
        position = begin + int.from_bytes(data[begin - 4 : begin])
        events = data[begin:position]
        if len(events) == position - begin and events.endswith(_END_OF_TRACK):
            note_offs = [_NOTE_OFFS[channel] for channel in range(16) if 0x90 | channel in events]
            late = _EMPTY_TEXT + _LATE + b''.join(note_offs) * repeats + _END_OF_TRACK
            events = events[: -len(_END_OF_TRACK)] + late
            parts += [b'MTrk', len(events).to_bytes(4), events]
        else:
            parts.append(data[begin - 8 : position])
    return b''.join(parts) + data[position:]


def first_track_name(data: bytes) -> str:
    """The name of a MIDI file's first track, by the standard the song's title; '' if it has none.

    symusic drops tracks without notes, and the first often is one. So its events up to the first
    note are read here.
    """
    try:
        position = 8 + int.from_bytes(data[4:8])
        while data[position : position + 4] != b'MTrk':
            position += 8 + int.from_bytes(data[position + 4 : position + 8])
            data[position]  # raises at the end of the file
        end = position + 8 + int.from_bytes(data[position + 4 : position + 8])
        return _find_name(data, position + 8, end)
    except IndexError:
        return ''


def _find_name(data: bytes, position: int, end: int) -> str:
    status = 0
    while position < end:
        _, position = _variable_length(data, position)  # the delta time
        if data[position] & 0x80:
            status = data[position]
            position += 1
        if status in (0xF0, 0xF7, 0xFF):
            is_name = status == 0xFF and data[position] == _META_NAME
            size, position = _variable_length(data, position + (status == 0xFF))
            if is_name:
                return _to_text(data[position : position + size])
            position += size
        elif status < 0x80 or status & 0xF0 == 0x90:
            break
        else:
            position += 1 if status & 0xF0 in (0xC0, 0xD0) else 2
    return ''


def _variable_length(data: bytes, position: int) -> tuple[int, int]:
    """A number of 7 bits per byte, and the position behind it."""
    value = data[position] & 0x7F
    while data[position] & 0x80:
        position += 1
        value = value << 7 | data[position] & 0x7F
    return value, position + 1


def _to_text(name: bytes) -> str:
    try:
        text = name.decode('utf-8')
    except UnicodeDecodeError:
        text = name.decode('latin-1')
    return re.sub(r'[\x00-\x1f\x7f-\x9f\s]+', ' ', text).strip()
