"""The registry of forms."""

import pytest

from mvae.errors import InputError
from mvae.music.forms import FORMS, GRIDS, STREAMS, make_form
from mvae.music.notation import Notation

MAGENTA = Notation(21, 108)


def test_sizes_are_the_papers_and_magentas():
    assert make_form('trio', 2).sizes == (130, 130, 512)
    assert make_form('melody', 2, MAGENTA).sizes == (90,)
    assert make_form('drums', 2).sizes == (512,)


@pytest.mark.parametrize('name', FORMS)
def test_every_form_is_made_of_streams_that_exist(name):
    form = make_form(name, 3, Notation(steps_per_quarter=6))
    assert [stream.name for stream in form.streams] == list(FORMS[name])
    assert set(FORMS[name]) <= set(STREAMS) and len(set(FORMS[name])) == len(FORMS[name])
    assert (form.name, str(form)) == (name, f'3-bar {name}')
    grid = GRIDS.get(name, 6)
    assert (form.steps_per_bar, form.steps_per_quarter) == (4 * grid, grid)
    assert form.steps == form.segments * form.steps_per_segment == 3 * form.rows_per_bar
    assert hash(form) == hash(make_form(name, 3, Notation(steps_per_quarter=6)))
    assert (form == make_form(name, 3)) == (name in GRIDS)


def test_only_drums_stay_where_they_are_in_another_key():
    assert [stream.tonal for stream in make_form('trio', 2).streams] == [True, True, False]


def test_unknown_forms_and_impossible_lengths():
    with pytest.raises(InputError, match="'drum'; did you mean drums.*known: melody, bass, drums"):
        make_form('drum', 2)
    with pytest.raises(InputError, match="'xyz'; known: melody"):
        make_form('xyz', 2)
    with pytest.raises(InputError, match='at least 1 bar, not 0'):
        make_form('melody', 0)
