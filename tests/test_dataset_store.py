import json
import shutil

import numpy as np
import pytest
from midi_maker import song
from mvae.music.vocabulary import Vocabulary

from mvae.dataset.build import BuildSettings, build_store
from mvae.dataset.store import META_FILE, SPLITS, Store
from mvae.errors import InputError
from mvae.music.extract import ExtractSettings


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp('store')
    (folder / 'midi').mkdir()
    for number in range(8):
        (folder / 'midi' / f'melody {number} of the test.mid').write_bytes(song(number))
    return build_store(folder / 'midi', folder / 'out', workers=1, quiet=True).path


@pytest.fixture
def store(built, tmp_path):
    """A copy to be damaged."""
    return shutil.copytree(built, tmp_path / 'copy')


def test_windows_are_memory_mapped_and_have_the_right_shapes(built):
    store = Store.open(built)
    assert isinstance(store.tokens, np.memmap) and store.tokens.dtype == np.uint16
    assert store.kinds == [
        (kind, bars) for kind in ('melody', 'bass', 'drums', 'trio') for bars in (2, 16)
    ]
    for kind, bars in store.kinds:
        for split in SPLITS:
            windows, songs = store.windows(kind, bars, split), store.songs(kind, bars, split)
            assert windows.dtype == np.int64 and windows.shape == (
                store.count(kind, bars, split),
                3 if kind == 'trio' else 1,
            )
            assert songs.dtype == np.uint32 and songs.shape == (len(windows),)
            assert not len(windows) or windows.max() + 16 * bars <= len(store.tokens)
            assert not len(songs) or songs.max() < len(store.titles)


def test_gather_copies_the_streams_side_by_side(built):
    store = Store.open(built)
    offsets = store.windows('trio', 2, 'train')[:5]
    tokens = store.gather(offsets, 32, 'trio')
    assert tokens.shape == (5, 32, 3) and tokens.dtype == np.int32
    np.testing.assert_array_equal(tokens[3, :, 2], store.tokens[offsets[3, 2] : offsets[3, 2] + 32])
    assert (tokens[:, :, :2] < 130).all() and (tokens[:, :, 2] < 512).all()
    assert store.gather(offsets[:0], 32, 'trio').shape == (0, 32, 3)


def test_leading_note_offs_become_holds_in_tonal_streams_only(built):
    store = Store.open(built)
    store.tokens = np.array(
        [1, 0, 1, 70, 1, 1] + [1, 1, 72, 1, 0, 0] + [1, 1, 2, 1, 0, 0], np.uint16
    )
    tokens = store.gather(np.array([[0, 6, 12]]), 6, 'trio')[0]
    assert tokens.T.tolist() == [[0, 0, 0, 70, 1, 1], [0, 0, 72, 1, 0, 0], [1, 1, 2, 1, 0, 0]]
    assert store.gather(np.array([[0]]), 6, 'drums')[0, :, 0].tolist() == [1, 0, 1, 70, 1, 1]


def test_no_store(tmp_path):
    with pytest.raises(InputError, match='does not exist; build one with make data'):
        Store.open(tmp_path / 'nothing')
    with pytest.raises(InputError, match='is no dataset'):
        Store.open(tmp_path)
    (tmp_path / META_FILE).write_text('{"format": "something"}')
    with pytest.raises(InputError, match='is no dataset of mvae'):
        Store.open(tmp_path)
    (tmp_path / META_FILE).write_text('{"format"')
    with pytest.raises(InputError, match='damaged'):
        Store.open(tmp_path)


def test_a_store_of_another_version(store):
    meta = json.loads((store / META_FILE).read_text())
    (store / META_FILE).write_text(json.dumps(meta | {'version': 999}))
    with pytest.raises(InputError, match='built by another version.*999.*make data'):
        Store.open(store)


def test_a_missing_truncated_or_foreign_file(store):
    name = store / 'windows-melody-2-train.npy'
    content = name.read_bytes()
    name.write_bytes(content[:-8])
    with pytest.raises(InputError, match='windows-melody-2-train.npy is truncated'):
        Store.open(store)
    name.write_bytes(b'')
    with pytest.raises(InputError, match='truncated or damaged'):
        Store.open(store)
    np.save(name, np.zeros((3, 1), np.int64))
    with pytest.raises(InputError, match='does not fit store.json'):
        Store.open(store)
    name.unlink()
    with pytest.raises(InputError, match='windows-melody-2-train.npy is missing'):
        Store.open(store)
    name.write_bytes(content)
    (store / 'songs.json').unlink()
    with pytest.raises(InputError, match='songs.json is missing'):
        _ = Store.open(store).titles


def test_damaged_meta(store):
    meta = json.loads((store / META_FILE).read_text())
    del meta['windows']['trio-2']['test']
    (store / META_FILE).write_text(json.dumps(meta))
    with pytest.raises(InputError, match='damaged'):
        Store.open(store)


def test_another_vocabulary_and_another_kind(built, tmp_path):
    store = Store.open(built)
    store.require(Vocabulary())
    with pytest.raises(InputError, match='another vocabulary.*min_pitch 0 instead of 21'):
        store.require(Vocabulary(21, 108))
    with pytest.raises(InputError, match='no 4-bar melody windows.*melody 2'):
        store.windows('melody', 4, 'train')
    settings = BuildSettings(ExtractSettings(vocabulary=Vocabulary(21, 108), bars=(2,)))
    small = build_store(built.parent / 'midi', tmp_path / 'small', settings, workers=1, quiet=True)
    small.require(Vocabulary(21, 108))
    assert small.kinds == [(kind, 2) for kind in ('melody', 'bass', 'drums', 'trio')]
    assert small.count('trio', 2, 'train') == store.count('trio', 2, 'train')
