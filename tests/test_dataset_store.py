import json
import shutil

import numpy as np
import pytest
from midi_maker import song

from mvae.dataset.build import BuildSettings, build_store
from mvae.dataset.loader import Loader
from mvae.dataset.store import META_FILE, SPLITS, Store
from mvae.dataset.tokens import Tokens
from mvae.errors import InputError
from mvae.music.extract import ExtractSettings
from mvae.music.forms import make_form
from mvae.music.notation import Notation


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


def test_windows_of_large_stores_are_memory_mapped_and_have_the_right_shapes(built, monkeypatch):
    (tokens,) = Store.open(built).tokens.files
    assert not isinstance(tokens, np.memmap)
    monkeypatch.setattr('mvae.dataset.store._MOST_COPIED', 0)
    store = Store.open(built)
    (tokens,) = store.tokens.files
    assert isinstance(tokens, np.memmap) and tokens.dtype == np.uint16
    assert store.forms == [
        (name, bars) for name in ('melody', 'bass', 'drums', 'trio') for bars in (2, 16)
    ]
    for name, bars in store.forms:
        form = store.form(name, bars)
        assert form == make_form(name, bars)
        for split in SPLITS:
            windows, songs = store.windows(form, split), store.songs(form, split)
            assert windows.dtype == np.int64 and windows.shape == (
                store.count(form, split),
                3 if name == 'trio' else 1,
            )
            assert songs.dtype == np.uint32 and songs.shape == (len(windows),)
            assert not len(windows) or windows.max() + form.steps <= len(store.tokens)
            assert not len(songs) or songs.max() < len(store.titles)


def test_gather_copies_the_streams_side_by_side(built):
    store, form = Store.open(built), make_form('trio', 2)
    offsets = store.windows(form, 'train')[:5]
    tokens = store.gather(offsets, form)
    assert tokens.shape == (5, 32, 3) and tokens.dtype == np.int32
    np.testing.assert_array_equal(tokens[3, :, 2], store.tokens.rows(offsets[3, 2:], 32)[0])
    assert form.check(tokens) is not None
    streams = store.gather_parts(offsets, form)
    assert [(own.shape, own.dtype) for own in streams] == [((5, 32, 1), np.uint16)] * 3
    np.testing.assert_array_equal(form.join(streams), tokens)
    assert store.gather(offsets[:0], form).shape == (0, 32, 3)


def test_leading_note_offs_become_holds_in_lines_only(built):
    notation = Notation(steps_per_quarter=1)  # a bar of 4 steps
    store = Store.open(built)
    store.tokens = Tokens([np.array([1, 0, 1, 70] + [1, 1, 72, 1] + [1, 1, 2, 1], np.uint16)])
    tokens = store.gather(np.array([[0, 4, 8]]), make_form('trio', 1, notation))[0]
    assert tokens.T.tolist() == [[0, 0, 0, 70], [0, 0, 72, 1], [1, 1, 2, 1]]
    drums = store.gather(np.array([[0]]), make_form('drums', 1, notation))
    assert drums[0, :, 0].tolist() == [1, 0, 1, 70]
    assert store.tokens.files[0][0] == 1  # what is stored stays as it is


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


@pytest.mark.parametrize('version', [1, 999])
def test_a_store_of_another_version(store, version):
    meta = json.loads((store / META_FILE).read_text())
    (store / META_FILE).write_text(json.dumps(meta | {'version': version}))
    with pytest.raises(InputError, match=f'another version.*version {version}.*make data') as error:
        Store.open(store)
    assert '\n' not in str(error.value)


def test_a_store_as_version_1_wrote_it(tmp_path):
    meta = {
        'format': 'mvae-store',
        'version': 1,
        'mvae': '0.1',
        'vocabulary': {'min_pitch': 0, 'max_pitch': 127, 'drum_map': 'current'},
        'settings': {},
        'tokens': 0,
        'windows': {'melody-2': {'train': 0, 'validation': 0, 'test': 0}},
        'funnel': {'files': {}, 'pieces': {}, 'kinds': {}},
    }
    (tmp_path / META_FILE).write_text(json.dumps(meta))
    np.save(tmp_path / 'tokens.npy', np.zeros(0, np.uint16))
    expected = (
        f'{tmp_path} was built by another version of mvae (store version 1, this one reads 2); '
        'rebuild it with make data MIDI=<folder> NAME=<name>'
    )
    with pytest.raises(InputError) as error:
        Store.open(tmp_path)
    assert str(error.value) == expected


def test_a_missing_truncated_or_foreign_file(store):
    name = store / 'windows-melody-2-train.npy'
    content = name.read_bytes()
    name.write_bytes(content[:-8])
    with pytest.raises(
        InputError, match='windows-melody-2-train.npy is damaged .*the bytes of its shape'
    ):
        Store.open(store)
    name.write_bytes(b'')
    with pytest.raises(InputError, match='is damaged .*rebuild it'):
        Store.open(store)
    np.save(name, np.zeros((3, 1), np.int64))
    with pytest.raises(InputError, match='does not fit store.json'):
        Store.open(store)
    name.unlink()
    with pytest.raises(InputError, match='windows-melody-2-train.npy is missing'):
        Store.open(store)
    name.write_bytes(content)
    (store / 'songs.json').unlink()
    with pytest.raises(InputError, match='songs.json does not exist'):
        _ = Store.open(store).titles


def test_damaged_meta(store):
    meta = json.loads((store / META_FILE).read_text())
    del meta['windows']['trio-2']['test']
    (store / META_FILE).write_text(json.dumps(meta))
    with pytest.raises(InputError, match='damaged'):
        Store.open(store)


@pytest.mark.parametrize(
    'change',
    [
        lambda meta: meta.pop('notation'),
        lambda meta: meta.update(notation={'min_pitch': 0, 'colour': 'red'}),
        lambda meta: meta.update(notation={'min_pitch': 99, 'max_pitch': 1}),
        lambda meta: meta['windows'].update({'bass-two': meta['windows']['bass-2']}),
        lambda meta: meta['windows'].update({'bass': meta['windows']['bass-2']}),
        lambda meta: meta.update(windows=3),
    ],
)
def test_meta_of_things_unknown_is_one_line_with_the_place(store, change):
    meta = json.loads((store / META_FILE).read_text())
    change(meta)
    (store / META_FILE).write_text(json.dumps(meta))
    with pytest.raises(InputError, match='store.json.*rebuild it') as error:
        Store.open(store)
    assert '\n' not in str(error.value)


def test_a_form_that_is_not_known(store):
    meta = json.loads((store / META_FILE).read_text())
    meta['windows']['choir-2'] = meta['windows']['bass-2']
    (store / META_FILE).write_text(json.dumps(meta))
    with pytest.raises(InputError, match="copy has windows of the form 'choir'.*known: melody"):
        Store.open(store)


def test_another_notation_and_another_form(built, tmp_path):
    store = Store.open(built)
    store.require(make_form('trio', 2))
    store.require(make_form('trio', 3))  # the length is no part of it
    magenta = Notation(21, 108)
    with pytest.raises(InputError, match='another notation.*min_pitch 0 instead of 21'):
        store.require(make_form('trio', 2, magenta))
    store.require(make_form('drums', 2, magenta))  # drums have no pitches
    with pytest.raises(InputError, match='drum_map current instead of old'):
        store.require(make_form('drums', 2, Notation(drum_map='old')))
    with pytest.raises(InputError, match='no 4-bar melody windows.*2-bar melody.*--bars 2 4 16'):
        store.windows(make_form('melody', 4), 'train')
    with pytest.raises(InputError, match="unknown form 'tri'; did you mean trio"):
        store.form('tri', 2)
    settings = BuildSettings(ExtractSettings(magenta, bars=(2,)))
    small = build_store(built.parent / 'midi', tmp_path / 'small', settings, workers=1, quiet=True)
    small.require(make_form('trio', 2, magenta))
    assert small.form('trio', 2) == make_form('trio', 2, magenta)
    assert small.forms == [(name, 2) for name in ('melody', 'bass', 'drums', 'trio')]
    form = small.form('trio', 2)
    assert small.count(form, 'train') == store.count(make_form('trio', 2), 'train')


@pytest.mark.parametrize('steps', [2, 6])
def test_another_grid_is_named_and_refused(built, steps):
    message = f'another notation .steps_per_bar 16 instead of {4 * steps}.; rebuild it'
    with pytest.raises(InputError, match=message) as error:
        Store.open(built).require(make_form('melody', 2, Notation(steps_per_quarter=steps)))
    assert '\n' not in str(error.value)


def test_a_store_that_is_written_to_while_it_is_read_is_said(store, monkeypatch):
    monkeypatch.setattr('mvae.dataset.store._MOST_COPIED', 0)
    form = make_form('melody', 2)
    for damage in (b'', (store / 'tokens.npy').read_bytes()[:-2], bytes(99)):
        opened = Store.open(store)
        windows, whole = (
            np.array(opened.windows(form, 'train')),
            (store / 'tokens.npy').read_bytes(),
        )
        loader = Loader(opened, form, 2, 0)
        loader.batch(0)
        (store / 'tokens.npy').write_bytes(damage)
        with pytest.raises(InputError, match='tokens.npy was changed while it was read'):
            opened.gather(windows, form)
        with pytest.raises(InputError, match='tokens.npy was changed while it was read'):
            loader.batch(1)
        (store / 'tokens.npy').write_bytes(whole)


def test_a_store_that_is_replaced_stays_as_it_was_for_its_readers(store, built, monkeypatch):
    monkeypatch.setattr('mvae.dataset.store._MOST_COPIED', 0)
    form, opened = make_form('melody', 2), Store.open(store)
    before = opened.gather(opened.windows(form, 'train'), form)
    store.rename(store.with_name('old'))
    store.mkdir()
    (store / 'tokens.npy').write_bytes(b'')
    np.testing.assert_array_equal(opened.gather(opened.windows(form, 'train'), form), before)


def test_values_and_windows_that_cannot_be_are_said(store):
    form = make_form('melody', 2)
    whole = np.load(store / 'tokens.npy')
    np.save(store / 'tokens.npy', np.full_like(whole, 9999))
    opened = Store.open(store)
    with pytest.raises(InputError, match='is damaged .melody has the value 9999.; rebuild it'):
        opened.gather(opened.windows(form, 'train')[:3], form)
    for offset in (-1, len(whole)):
        with pytest.raises(InputError, match='a window lies outside'):
            opened.gather(np.array([[offset]]), form)


def test_a_song_that_is_not_there_is_said(built):
    opened = Store.open(built)
    assert opened.title(0) == opened.titles[0]
    with pytest.raises(InputError, match='is damaged .a window of the song 99.*rebuild it'):
        opened.title(99)


def cut(store, *places):
    """The same store with its tokens in several files, cut before these offsets."""
    meta, whole = json.loads((store / META_FILE).read_text()), np.load(store / 'tokens.npy')
    pieces = np.split(whole, places)
    for number, piece in enumerate(pieces):
        np.save(store / f'tokens-{number:05d}-of-{len(pieces):05d}.npy', piece)
    (store / 'tokens.npy').unlink()
    meta['shards'] = [len(piece) for piece in pieces]
    (store / META_FILE).write_text(json.dumps(meta))
    return Store.open(store)


@pytest.mark.parametrize('mapped', [True, False])
def test_several_token_files_are_read_as_one(store, built, monkeypatch, mapped):
    if mapped:
        monkeypatch.setattr('mvae.dataset.store._MOST_COPIED', 0)
    track = 20 * 16  # all tracks are 20 bars long, and none lies in two files
    one, several = Store.open(built), cut(store, 0, 3 * track, 3 * track, 12 * track)
    assert len(several.tokens.files) == 5 and len(several.tokens) == len(one.tokens)
    for key in one.forms:
        form = one.form(*key)
        for split in SPLITS:
            pieces = one.gather(one.windows(form, split), form)
            np.testing.assert_array_equal(
                several.gather(several.windows(form, split), form), pieces
            )
        ours, theirs = Loader(several, form, 2, 0).batch(3), Loader(one, form, 2, 0).batch(3)
        for own, other in zip(ours.streams, theirs.streams, strict=True):
            np.testing.assert_array_equal(own, other)
    for offset in (-1, 3 * track - 31, 12 * track - 1, len(one.tokens) - 31, len(one.tokens)):
        with pytest.raises(InputError, match='a window lies outside'):
            several.gather(np.array([[offset]]), form=one.form('melody', 2))
    if mapped:
        name = 'tokens-00003-of-00005.npy'
        (store / name).write_bytes(b'')
        with pytest.raises(InputError, match=f'{name} was changed while it was read'):
            several.check_unchanged()


def test_token_files_that_do_not_fit_are_said(store):
    cut(store, 320)
    meta = json.loads((store / META_FILE).read_text())
    for shards, message in (
        ([320, 1], 'store.json is damaged .the shards hold other tokens than all'),
        ([meta['tokens'] - 1, 1], '00000-of-00002.npy does not fit store.json'),
        ([0, 0, meta['tokens']], 'tokens-00000-of-00003.npy is missing'),
        ('two', 'store.json is damaged'),
    ):
        (store / META_FILE).write_text(json.dumps(meta | {'shards': shards}))
        with pytest.raises(InputError, match=message):
            Store.open(store)
