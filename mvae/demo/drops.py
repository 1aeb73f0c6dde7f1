"""Why a tune of the collections is not used."""

import enum


class Drop(enum.StrEnum):
    """Why a tune of the collections is not used."""

    METER = 'meter'
    UNREADABLE = 'unreadable'
    BARS = 'bars do not add up'
    GRID = 'off the sixteenth grid'
    SHORT = 'too short'
    DUPLICATE = 'duplicate'


class DroppedError(Exception):
    """A tune cannot be used; `reason` is a `Drop`."""

    def __init__(self, reason: Drop, detail: str = ''):
        super().__init__(f'{reason}: {detail}')
        self.reason = reason
