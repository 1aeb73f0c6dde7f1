"""Scores cut at changes of meter and tempo, and quantised."""

import numpy as np
import pytest

from mvae.music.notes import Notes, Score
from mvae.music.reasons import Reason
from mvae.music.sections import split_sections


def make_score(starts, ends, tempos=((0.0, 120.0),), meters=((0.0, 4, 4),), velocity=80):
    notes = Notes.make(np.array(starts, float), ends, 60, velocity, 0, False, 0)
    return Score(notes, *zip(*tempos, strict=True), *zip(*meters, strict=True))


def test_quantisation_rounds_ties_up():
    sections, _ = split_sections(make_score([0.0624, 0.0625, 0.1874, 0.1875, 0.3125], [2.0] * 5))
    assert sections[0].start.tolist() == [0, 1, 1, 2, 3]
    short, _ = split_sections(make_score([0.0], [0.01]))
    assert short[0].end.tolist() == [1]


@pytest.mark.parametrize('steps_per_quarter', [1, 2, 3, 6, 24])
def test_the_grid_has_any_number_of_steps(steps_per_quarter):
    score = make_score([0.0, 0.5, 1.75], [0.5, 1.75, 4.0])
    (section,), _ = split_sections(score, steps_per_quarter)
    quarters = np.array([0, 1, 3.5])
    expected = np.floor(quarters * steps_per_quarter + 0.5)  # ties go up
    assert section.start.tolist() == expected.tolist()
    assert section.total_steps == 8 * steps_per_quarter
    assert section.steps_per_bar == 4 * steps_per_quarter


def test_cuts_at_tempo_and_meter_changes():
    score = make_score([0.0, 1.9, 2.5], [0.5, 3.0, 3.0], tempos=((0.0, 120.0), (2.0, 60.0)))
    (first, second), reasons = split_sections(score)
    assert first.start.tolist() == [0, 15]
    assert first.end.tolist() == [4, 16]  # the held note ends with its section
    assert second.start.tolist() == [2] and second.qpm == 60 and reasons == []
    same = make_score([0.0, 2.5], [1.0, 3.0], tempos=((0.0, 120.0), (2.0, 120.0)))
    assert len(split_sections(same)[0]) == 1


def test_velocities_are_kept_and_silent_notes_are_not():
    (section,), _ = split_sections(
        make_score([0.0, 0.5, 1.0], [0.5, 1.0, 1.5], velocity=[90, 0, 7])
    )
    assert section.velocity.tolist() == [90, 7] and len(section) == 2


@pytest.mark.parametrize(
    'meter, passes',
    [
        ((4, 4), True),
        ((2, 2), True),
        ((8, 8), True),
        ((3, 4), False),
        ((6, 8), False),
        ((2, 4), False),
    ],
)
def test_bars_of_four_quarters_pass(meter, passes):
    sections, reasons = split_sections(make_score([0.0], [1.0], meters=((0.0, *meter),)))
    assert (len(sections), reasons) == ((1, []) if passes else (0, [Reason.WRONG_METER]))
