"""Classes of steps by hand."""

import numpy as np

from mvae.music.events import EVENTS, events_of


def names(tokens, stream):
    return [EVENTS[n] for n in events_of(np.array(tokens), stream)]


def test_a_hold_sounds_and_a_rest_does_not():
    assert names([0, 60, 0, 1, 0, 62, 63], 'melody') == [
        'rest',
        'onset',
        'hold',
        'note_off',
        'rest',
        'onset',
        'onset',
    ]


def test_a_note_off_without_a_note_leaves_a_rest():
    assert names([1, 0, 1, 0], 'bass') == ['note_off', 'rest', 'note_off', 'rest']


def test_drums_do_not_sound_on():
    assert names([0, 1, 0, 511], 'drums') == ['rest', 'onset', 'rest', 'onset']


def test_every_row_is_on_its_own():
    both = events_of(np.array([[60, 0], [0, 0]]), 'melody')
    assert [[EVENTS[n] for n in row] for row in both] == [['onset', 'hold'], ['rest', 'rest']]
