"""Pieces in a notebook: still a list, shown as piano rolls and sound that need no network."""

import base64
import io
import re
import wave
from xml.etree import ElementTree

import numpy as np
import pytest
from run_maker import tiny_model

from mvae.music.notes import Notes
from mvae.render.notebook import MOST, Pieces, player, roll


@pytest.fixture(autouse=True)
def own_synthesiser(monkeypatch):
    monkeypatch.setenv('MVAE_SOUNDFONT', 'none')


def test_what_a_model_makes_is_a_list_of_note_sequences_that_shows_itself():
    model = tiny_model('trio', 2, 'flat')
    pieces = model.sample(3, 1.0)
    assert isinstance(pieces, list) and len(pieces) == 3 and pieces[0].notes
    assert all(a == b for a, b in zip(pieces, list(pieces), strict=True))
    for made in (pieces, model.reconstruct(pieces), model.interpolate(*pieces[:2], 3)):
        page = made._repr_html_()
        assert page.count('<svg') == page.count('<audio') == 3
        assert 'http:' not in page and 'https:' not in page  # letters alone may be those of a sound
    rolls = re.findall('<svg.*?</svg>', pieces._repr_html_(), re.DOTALL)
    for piece, one in zip(pieces, rolls, strict=True):
        assert len(ElementTree.fromstring(one).findall('rect')) == len(piece.notes)


def test_a_part_of_the_pieces_shows_itself_too_and_of_many_only_the_first():
    pieces = Pieces(tiny_model('melody', 2, 'flat').sample(MOST + 3, 1.0))
    assert pieces[:2]._repr_html_().count('<svg') == 2
    page = pieces._repr_html_()
    assert page.count('<svg') == MOST and page.endswith('<p>and 3 more</p>')
    assert Pieces()._repr_html_() == ''


def test_a_roll_has_each_note_at_its_place_and_drums_below():
    rows = {'start': [0, 1, 2, 0], 'end': [1, 2, 4, 0.5], 'pitch': [60, 67, 60, 36]}
    notes = Notes.make(*rows.values(), 80, 0, [False, False, False, True], [0, 0, 1, 2])
    svg = ElementTree.fromstring(roll(notes, bar=2.0))
    assert len(svg.findall('path')) == 1, 'two bars have one line between them'
    x, y, width = (
        np.array([float(rect.get(name)) for rect in svg.findall('rect')])
        for name in ('x', 'y', 'width')
    )
    np.testing.assert_allclose(x, [0, 225, 450, 0])
    np.testing.assert_allclose(width, [224, 224, 449, 111.5], atol=0.06)
    assert y[1] < y[0] == y[2] < y[3] < float(svg.get('height'))
    colours = [rect.get('fill') for rect in svg.findall('rect')]
    assert colours[0] == colours[1] and len(set(colours)) == 3


def test_silence_is_shown_and_played():
    nothing = Notes.empty()
    assert ElementTree.fromstring(roll(nothing, 2.0)).findall('rect') == []
    assert '<audio' in player(nothing)


def test_the_player_holds_the_sound_itself():
    page = player(Notes.make([0.0], [1.0], [69], 100, 0, False, 0))
    data = base64.b64decode(re.search('base64,([^"]+)"', page)[1])
    with wave.open(io.BytesIO(data)) as file:
        rate, channels, count = file.getframerate(), file.getnchannels(), file.getnframes()
        sound = np.frombuffer(file.readframes(count), '<i2').astype(float)
    assert (rate, channels) == (22050, 1) and count == pytest.approx(2.5 * rate, abs=2)
    spectrum = np.abs(np.fft.rfft(sound[:rate]))
    assert abs(int(spectrum.argmax()) - 440) <= 2, 'A4'
