"""Windows under codes of other places."""

from types import SimpleNamespace

import numpy as np
import pytest

from mvae.errors import InputError
from mvae.evaluation import misplaced
from mvae.music.forms import make_form

BAR = np.array([16])


def test_places_are_later_in_the_same_tracks_and_in_another_song():
    first_song = [[16 * bar, 1000 + 16 * bar] for bar in range(6)]
    other_tracks = [[16 * bar, 5000 + 16 * bar] for bar in range(2)]
    windows = np.array(first_song + other_tracks + [[9000, 9500]])
    songs = np.array([3] * 8 + [7])
    places = misplaced.find_places(windows, songs, [1, 4], 100, 0, BAR)
    assert places.tolist() == [[0, 1, 4, 8], [1, 2, 5, 8]], (
        'the other tracks have no window 4 bars later'
    )
    assert len(misplaced.find_places(windows, songs, [1], 3, 0, BAR)) == 3


def test_without_other_places_there_is_nothing_to_measure():
    windows = np.array([[0], [16], [900]])
    with pytest.raises(InputError, match='8 bars later'):
        misplaced.find_places(windows, np.array([1, 1, 2]), [8], 100, 0, BAR)
    with pytest.raises(InputError, match='two songs'):
        misplaced.find_places(windows, np.array([1, 1, 1]), [1], 100, 0, BAR)


@pytest.fixture
def measured(monkeypatch):
    """Runs `evaluate_misplaced` with a loss that is made up.

    On windows of 4 bars, 3 songs of 30 bars whose tokens are their steps' numbers.
    """

    class Store:
        def windows(self, form, split):
            return np.array([[1000 * song + 16 * bar] for song in range(3) for bar in range(26)])

        def songs(self, form, split):
            return np.repeat(np.arange(3), 26)

        def gather(self, windows, form):
            return (windows[:, :1] + np.arange(form.steps))[..., None]

    model = SimpleNamespace(params={}, architecture=None, form=make_form('melody', 4))

    def run(loss, **settings):
        def made_up(params, cfg, window, source, key):
            return loss(window[0][0][:, 0, 0], source[0][0][:, 0, 0])

        monkeypatch.setattr(misplaced, '_loss', made_up)
        return misplaced.evaluate_misplaced(model, Store(), 'test', **settings)

    return run


def test_what_a_code_of_bars_and_one_of_songs_cost_elsewhere(measured):
    by_bar = measured(
        lambda own, source: 100.0 + np.abs(own - source) / 16, shifts=[1, 3], limit=50
    )
    assert by_bar['windows'] == 50 and by_bar['songs'] == 3 and by_bar['own'] == 100
    assert (
        by_bar['excess']['1 bar later'] == {'mean': 1.0, 'interval': (1.0, 1.0)}
        and by_bar['excess']['3 bars later']['mean'] == 3
    )
    by_song = measured(
        lambda own, source: 100.0 + 7.0 * (own // 1000 != source // 1000), shifts=[1], limit=1000
    )
    assert by_song['windows'] == 75, 'the last window of each song has none after it'
    assert (
        by_song['excess']['1 bar later']['mean'] == 0
        and by_song['excess']['another song']['mean'] == 7
    )


def test_a_shift_out_of_the_window_is_refused(measured):
    with pytest.raises(InputError, match='from 1 to 3'):
        measured(lambda own, source: own, shifts=[4], limit=5)
