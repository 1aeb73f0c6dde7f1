import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvae.dataset.splits import (
    SPLITS,
    assign_splits,
    group_songs,
    read_official_splits,
    split_fraction,
)
from mvae.dataset.titles import normalise, song_keys
from mvae.errors import InputError


@pytest.mark.parametrize(
    'names',
    [
        [
            'The Cup of Tea -- Reel',
            'CupOfTeaReel_1',
            '03 - cup of tea (live)',
            'Cup of Tea, The',
            'cup_of_tea_v2',
        ],
        [
            'always_on_my_mind',
            'Always On My Mind (2)',
            'always on my mind karaoke',
            'Always on my mind - copy',
        ],
        ['Café del Mar', 'cafe del mar-2', 'CAFE DEL MAR [remix]', 'Cafe Del Mar v2'],
        ['rockfort_rock_all', 'rockfort_rock_kik', 'rockfort_rock_bass', 'Rockfort Rock'],
        ["Dobbin's flowery vale, S. 58", "Dobbin's Flowery Vale"],
    ],
)
def test_copies_of_a_song_share_a_key(names):
    assert len({normalise(name)[0] for name in names}) == 1
    assert all(normalise(name)[1] for name in names)


@pytest.mark.parametrize(
    'names',
    [
        ['book5_191', 'book5_192', 'book6_191'],
        ['d_map09', 'd_map10'],
        ['0101-0200_54', '0101-0200_55'],
        ['Dataset (87)', 'Dataset (88)'],
        ['tsp04', 'tsp05'],
        ['Track 3', 'Track 4'],
    ],
)
def test_serial_numbers_stay(names):
    assert len({normalise(name)[0] for name in names}) == len(names)
    assert not any(normalise(name)[1] for name in names if not name.startswith('Dataset'))


def test_titles_stand_in_for_serial_numbers_only():
    assert song_keys('oneills/0101-0200_54.mid', 'The Cup of Tea', True) == ['cupoftea']
    assert song_keys('ryans/CupOfTeaReel_1.mid', 'Somebody (c) 1999', True) == ['cupoftea']
    # In a file of several tracks the title is an instrument.
    assert song_keys('map/d_map09.mid', 'Slap Bass 1', False) == ['dmap09']
    # A name that says nothing counts within its folder only.
    assert song_keys('one/track 3.mid') != song_keys('two/track 3.mid')
    assert song_keys('a/Yesterday.mid') == song_keys('b/c/yesterday.MID')


def test_artist_and_title_meet_the_title_alone():
    keys = [
        song_keys('x/Isley Brothers- Between The Sheets.mid'),
        song_keys('y/between_the_sheets.mid'),
    ]
    songs, titles = group_songs(keys)
    assert songs[0] == songs[1] and len(titles) == 1


@given(st.text(max_size=30))
def test_every_name_has_a_key(name):
    assert song_keys(f'folder/{name.replace("/", "") or "x"}.mid', name, True)[0]


@given(
    st.lists(st.lists(st.sampled_from('abcdefgh'), min_size=1, max_size=3), min_size=1, max_size=20)
)
def test_files_that_share_a_key_are_one_song(keys):
    songs, titles = group_songs(keys)
    for one, one_keys in zip(songs, keys, strict=True):
        for other, other_keys in zip(songs, keys, strict=True):
            if set(one_keys) & set(other_keys):
                assert one == other
    assert titles == sorted(set(titles)) and set(songs) == set(range(len(titles)))


def test_splits_are_stable_and_of_the_wanted_sizes():
    keys = [[f'song {number}'] for number in range(4000)]
    songs = assign_splits(keys)
    share = np.bincount(songs.splits, minlength=3) / 4000
    np.testing.assert_allclose(share, [0.8, 0.1, 0.1], atol=0.02)
    fewer = assign_splits(keys[:1000])
    for title, split in zip(fewer.titles, fewer.splits, strict=True):
        assert songs.splits[songs.titles.index(title)] == split
    halves = assign_splits(keys, fractions=(0.5, 0.0, 0.5))
    assert np.bincount(halves.splits, minlength=3)[1] == 0


def test_the_hash_is_fixed_for_ever():
    # Another hash would move songs between splits and make old test results worthless.
    assert split_fraction('') == 0xE3B0C44298FC1C14 / 2**64


@pytest.mark.parametrize('count', [3, 4, 5, 8])
def test_small_corpora_have_every_split(count):
    songs = assign_splits([[f'song {number}'] for number in range(count)])
    assert set(songs.splits.tolist()) == {0, 1, 2}


def test_official_splits_beat_titles(tmp_path):
    corpus = tmp_path / 'groove'
    corpus.mkdir()
    with open(corpus / 'info.csv', 'w', newline='') as file:
        rows = csv.writer(file)
        rows.writerow(['drummer', 'midi_filename', 'split'])
        rows.writerows(
            [['d', 'd1/a.mid', 'train'], ['d', 'd1/b.mid', 'validation'], ['d', 'd2/a.mid', 'test']]
        )
    official = read_official_splits(corpus)
    assert official == {'d1/a.mid': 0, 'd1/b.mid': 1, 'd2/a.mid': 2}
    paths = [*official, 'd3/a.mid']
    songs = assign_splits(
        [song_keys(path) for path in paths], [official.get(path) for path in paths]
    )
    assert songs.splits[songs.of_file[:3]].tolist() == [0, 1, 2]
    assert (
        len(set(songs.of_file.tolist())) == 4
    )  # the same name in two official splits is two songs
    above = {f'groove/{path}': split for path, split in official.items()}
    assert (
        read_official_splits(tmp_path) == above
    )  # also where the corpus lies in a folder of the one named


def test_other_csv_files_are_ignored_and_odd_splits_refused(tmp_path):
    assert read_official_splits(tmp_path) == {}
    (tmp_path / 'info.csv').write_text('name,year\nx,1\n')
    assert read_official_splits(tmp_path) == {}
    (tmp_path / 'info.csv').write_text('midi_filename,split\na.mid,third\n')
    with pytest.raises(InputError, match="line 2: split 'third'"):
        read_official_splits(tmp_path)
    assert SPLITS == ('train', 'validation', 'test')
