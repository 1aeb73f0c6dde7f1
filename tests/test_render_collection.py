"""Collections: all of the new one or all of the old one, and nothing of both."""

import pytest

from mvae.errors import InputError
from mvae.render.collection import collection, is_whole


def _make(folder, *names):
    with collection(folder) as beside:
        for name in names:
            (beside / name).write_text(name + ' of ' + ' '.join(names))


def _names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != '.collection')


def test_a_collection_takes_the_place_of_the_one_before(tmp_path):
    _make(tmp_path / 'new' / 'out', 'sample_1.mid', 'sample_1.wav', 'sample_2.mid', 'about.json')
    _make(tmp_path / 'new' / 'out', 'sample_1.mid', 'about.json')
    assert _names(tmp_path / 'new' / 'out') == ['about.json', 'sample_1.mid']
    text = (tmp_path / 'new' / 'out' / 'sample_1.mid').read_text()
    assert text == 'sample_1.mid of sample_1.mid about.json'


def test_what_was_rendered_since_goes_and_other_files_stay(tmp_path):
    _make(tmp_path, 'sample_1.mid', 'sample_2.mid')
    kept = ['mine.mid', 'sample_1.txt', 'sample_10.mid']
    for name in [*kept, 'sample_1.wav', 'sample_2.wav', 'sample_2.png']:
        (tmp_path / name).write_text('')
    _make(tmp_path, 'sample_1.mid')
    assert _names(tmp_path) == sorted([*kept, 'sample_1.mid'])


def test_sound_of_an_earlier_version_goes_with_the_piece(tmp_path):
    (tmp_path / 'sample_1.mid').write_text('old')
    (tmp_path / 'sample_1.wav').write_text('old')
    _make(tmp_path, 'sample_1.mid')
    assert _names(tmp_path) == ['sample_1.mid']


def test_where_the_making_fails_the_old_collection_stays(tmp_path):
    _make(tmp_path / 'out', 'sample_1.mid')
    for folder in (tmp_path / 'out', tmp_path / 'deep' / 'out'):
        with pytest.raises(ZeroDivisionError), collection(folder) as beside:
            (beside / 'sample_1.mid').write_text('half')
            raise ZeroDivisionError
    assert (tmp_path / 'out' / 'sample_1.mid').read_text() == 'sample_1.mid of sample_1.mid'
    assert _names(tmp_path) == ['out'], 'no empty folders'


def test_what_a_killed_call_left_is_swept(tmp_path):
    (tmp_path / '.partial').mkdir()
    (tmp_path / '.partial' / 'sample_7.mid').write_text('half')
    _make(tmp_path, 'sample_1.mid')
    assert _names(tmp_path) == ['sample_1.mid']


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / 'file').write_text('')
    with (
        pytest.raises(InputError, match=r'^cannot write .*file: Not a directory$'),
        collection(tmp_path / 'file'),
    ):
        pass


def test_whole_is_what_was_written_to_its_end(tmp_path):
    folder = tmp_path / 'samples'
    assert not is_whole(folder)
    _make(folder, 'a.mid', 'b.mid')
    assert is_whole(folder)
    (folder / 'b.mid').unlink()
    assert not is_whole(folder)
