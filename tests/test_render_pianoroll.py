"""Piano rolls: what has a row."""

import numpy as np

from mvae.music.codec import GridNotes
from mvae.music.drums import DRUM_NAMES
from mvae.music.forms import make_form
from mvae.render import pianoroll


def test_drums_beyond_our_classes_have_rows_of_their_own():
    steps = np.arange(3)
    notes = GridNotes.make(steps, steps + 1, [36, 54, 100])
    names = pianoroll._drum_names([notes])
    assert list(names.values()) == [*DRUM_NAMES, 'Tambourine', '100']
    assert list(names)[-2:] == [54, 100]


def test_a_piece_is_drawn_with_a_row_for_each_of_our_drums(tmp_path):
    form = make_form('drums', 2)
    tokens = np.array([[1]] * form.steps, np.int32)
    pianoroll.draw(tmp_path / 'roll.png', [('a kick at every step', tokens)], form)
    assert (tmp_path / 'roll.png').read_bytes().startswith(b'\x89PNG')
