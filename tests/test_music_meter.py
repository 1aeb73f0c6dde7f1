"""Meters: their bars and beats, and music in others than 4/4 from a file to a store and back."""

import dataclasses

import numpy as np
import pytest
from midi_maker import beat, low, midi, song, tune

from mvae.dataset.build import BuildSettings, build_store
from mvae.errors import InputError
from mvae.latent.attributes import attributes_of
from mvae.music.extract import ExtractSettings
from mvae.music.forms import make_form
from mvae.music.meter import FOUR_FOUR, Meter
from mvae.music.midi import read_midi, write_midi
from mvae.music.notation import Notation
from mvae.music.sources import read_source

JIG = Notation(meter='6/8')


@pytest.mark.parametrize(
    'text, bar, beat',
    [
        ('4/4', 16, 4),
        ('3/4', 12, 4),
        ('6/8', 12, 6),
        ('2/2', 16, 8),
        ('9/8', 18, 6),
        ('5/4', 20, 4),
    ],
)
def test_bars_and_beats_in_sixteenths(text, bar, beat):
    meter = Meter.parse(text)
    assert (meter.bar(4), meter.beat(4), str(meter)) == (bar, beat, text)


@pytest.mark.parametrize('text', ['', '4', '0/4', '3/0', '3/5', '99/4', '3/4/4', '-3/4', '٣/4'])
def test_what_is_no_meter_is_refused(text):
    with pytest.raises(InputError, match='is no meter such as 4/4, 3/4 or 6/8'):
        Meter.parse(text)


def test_a_grid_too_coarse_for_a_meter_is_refused():
    with pytest.raises(InputError, match='6/8 has no whole number of steps with 1 for a quarter'):
        Notation(steps_per_quarter=1, meter='6/8')


def test_meters_with_the_same_bars_and_beats_are_taken():
    assert [FOUR_FOUR.takes(*other) for other in ((2, 2), (8, 8), (3, 4), (4, 0), (0, 4))] == [
        True, True, False, False, False
    ]  # fmt: skip
    waltz, jig = Meter(3, 4), Meter(6, 8)
    assert waltz.takes(3, 4) and not waltz.takes(6, 8)
    assert jig.takes(6, 8) and not jig.takes(3, 4)


@pytest.mark.parametrize('meter', ['3/4', '6/8'])
def test_music_is_read_and_written_in_its_meter(meter):
    form = make_form('trio', 2, Notation(meter=meter))
    numbers = Meter.parse(meter)
    data = midi(tune(0, 6), low(tune(1, 6)), beat(0, 6), meter=tuple(numbers))
    piece, note = read_source(data, form.read)
    assert piece.shape == (24, 3) and 'cropped 8 bars to 2' in note
    written = write_midi(form.write(piece, 100.0), 100.0, '', form.meter)
    score = read_midi(written)
    assert (score.meter_numerators[0], score.meter_denominators[0]) == tuple(numbers)
    np.testing.assert_array_equal(form.read(score)[0], form.canonical(piece))
    other = make_form('trio', 2, Notation(meter='3/4' if meter == '6/8' else '6/8'))
    with pytest.raises(InputError, match=f'the music is in {meter}; give music in {other.meter}'):
        read_source(data, other.read)


def test_a_store_holds_one_meter_and_says_so(tmp_path):
    (tmp_path / 'midi').mkdir()
    for n in range(12):
        data = midi(tune(n), low(tune(n + 50)), beat(n), meter=(6, 8), name=f'jig {chr(97 + n)}')
        (tmp_path / f'midi/jig {chr(97 + n)}.mid').write_bytes(data)
    (tmp_path / 'midi/reel.mid').write_bytes(song(0))
    settings = BuildSettings(ExtractSettings(notation=JIG, bars=(2,)))
    store = build_store(tmp_path / 'midi', tmp_path / 'store', settings, 1)
    assert store.meta['funnel']['files']['rejected'] == {'wrong_meter': 1}
    form = store.form('melody', 2)
    assert form.steps == 24 and str(form) == '2-bar melody in 6/8' and store.count(form, 'train')
    said = 'holds music in 6/8, not in 4/4; --config.music.meter=6/8 trains on it'
    with pytest.raises(InputError, match=said):
        store.require(make_form('melody', 2))


def test_what_was_written_before_there_were_other_meters_still_fits():
    assert 'meter' not in make_form('trio', 16).fingerprint()
    assert make_form('trio', 16, JIG).fingerprint()['meter'] == '6/8'


def test_attributes_that_speak_of_quarters_are_of_4_4_alone():
    names = attributes_of(make_form('trio', 2, JIG))
    assert list(names) == [
        'c_diatonic', 'note_density', 'mean_interval', 'drum_density', 'hi_hat_density'
    ]  # fmt: skip
    assert set(names) < set(attributes_of(make_form('trio', 2)))


def test_meters_are_part_of_a_form():
    form = make_form('melody', 2)
    assert form != dataclasses.replace(form, meter=Meter(2, 2)) and form.steps_per_beat == 4
