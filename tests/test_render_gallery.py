"""The page of a run folder."""

import os
import re

import numpy as np
import pytest

from mvae.errors import InputError
from mvae.music.forms import make_form
from mvae.render.gallery import render_missing, write_gallery
from mvae.render.pieces import write_joined, write_piece

TUNE = np.array([[60], [0], [0], [1]] * 8, np.int32)
MELODY = make_form('melody', 2)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv('MVAE_SOUNDFONT', 'none')
    for n in (2, 10):
        write_piece(
            tmp_path / 'samples' / f'sample_{n}.mid',
            TUNE,
            MELODY,
            wav=n == 2,
            png=n == 10,
        )
    for step in (5, 10):
        write_piece(tmp_path / 'samples' / f'step_{step:06d}' / 'a <b> & c.mid', TUNE, MELODY)
    return tmp_path


def test_every_link_leads_to_a_file_and_nothing_to_the_network(folder):
    page = write_gallery(folder).read_text()
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(links) == 7, '4 MIDI files, one sound, one picture, which opens'
    from urllib.parse import unquote

    assert all((folder / unquote(link)).is_file() for link in links)
    assert (
        'http:' not in page
        and 'https:' not in page
        and '<b>' not in page
        and 'a &lt;b&gt; &amp; c' in page
    )


def test_pieces_are_in_order_and_the_last_evaluation_comes_first(folder):
    page = write_gallery(folder).read_text()
    assert (
        page.index('sample 2')
        < page.index('sample 10')
        < page.index('step_000010')
        < page.index('step_000005')
    )


def test_what_was_made_last_comes_first_and_what_was_given_before_what_was_made_of_it(tmp_path):
    for n, name in enumerate(('b', 'a', 'c')):
        for piece in ('a', 'given_1_z', 'given_2_b', 'joined'):
            path = tmp_path / name / f'{piece}.mid'
            write_piece(path, TUNE, MELODY)
            os.utime(path, (n, n))
    page = write_gallery(tmp_path).read_text()
    assert re.findall(r'<h2>(.*)</h2>', page) == ['c', 'a', 'b']
    assert re.findall(r'<li>(.*)\n', page)[:4] == [
        'given: z',
        'given: b',
        'a',
        'all steps in a row',
    ]


def test_a_picture_of_its_own_is_beside_the_player_which_can_loop(folder):
    write_piece(folder / 'one' / 'step_1.mid', TUNE, MELODY, wav=True, png=True)
    write_piece(folder / 'one' / 'step_2.mid', TUNE, MELODY)
    page = write_gallery(folder).read_text()
    (item,) = re.findall(r'<li>the start.*?</li>', page, re.DOTALL)
    inside = ['step_1.png', '<img', '<audio', 'step_1.wav', '>loop</button>', 'step_1.mid']
    places = [item.index(text) for text in inside]
    assert places == sorted(places)
    assert '<li>the end\n<div><a' in page


def test_missing_sound_is_rendered_once_and_again_when_the_piece_changes(folder):
    assert render_missing(folder / 'samples') == 1
    assert render_missing(folder / 'samples') == 0
    assert write_gallery(folder).read_text().count('<audio') == 2
    later = (folder / 'samples' / 'sample_2.wav').stat().st_mtime + 10
    os.utime(folder / 'samples' / 'sample_2.mid', (later, later))
    assert render_missing(folder / 'samples') == 1


def test_the_same_files_give_the_same_page(folder):
    assert write_gallery(folder).read_bytes() == write_gallery(folder).read_bytes()


def test_joined_pieces_sound_as_long_as_all_of_them(tmp_path, monkeypatch):
    import wave

    monkeypatch.setenv('MVAE_SOUNDFONT', 'none')
    write_joined(tmp_path / 'joined.mid', [TUNE, TUNE], MELODY, 120.0, wav=True)
    with wave.open(str(tmp_path / 'joined.wav')) as file:
        seconds = file.getnframes() / file.getframerate()
    assert 2 * 32 * 0.125 - 0.2 < seconds - 1.5 < 2 * 32 * 0.125 + 0.2, (
        'two times 32 steps of an eighth of a second, and the last note rings out'
    )


@pytest.mark.skipif(os.name == 'nt', reason='names are text there')
def test_folders_whose_names_are_no_text_are_linked_by_their_bytes(folder):
    odd = folder / os.fsdecode(b'm\xff')
    write_piece(odd / 'a.mid', TUNE, MELODY)
    page = write_gallery(folder).read_text()
    assert 'href="m%FF/a.mid"' in page and '<h2>m?</h2>' in page


def test_a_pipe_among_the_pieces_is_not_waited_for(folder):
    os.mkfifo(folder / 'pipe.mid')
    with pytest.raises(InputError, match='pipe.mid is no regular file'):
        render_missing(folder)
