import csv
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from corpus_maker import build, folder_bytes, make, songs
from faulty_readers import faulty_reader
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_maker import beat, low, midi, song, tune

from mvae.dataset import build as build_module
from mvae.dataset import grouped, local
from mvae.dataset.build import BuildSettings, is_current
from mvae.dataset.corpus import WINDOW
from mvae.dataset.duplicates import first_occurrences
from mvae.dataset.funnel import format_funnel
from mvae.dataset.links import content_links
from mvae.dataset.loader import Loader
from mvae.dataset.scan import find_midi
from mvae.dataset.store import SPLITS, Store
from mvae.errors import InputError
from mvae.music.extract import ExtractSettings
from mvae.music.form import Form
from mvae.music.forms import make_form
from mvae.music.notation import Notation

ROOT = Path(__file__).parents[1]


def contents(store: Store, form: Form, split: str) -> list[bytes]:
    return [row.tobytes() for row in store.gather(store.windows(form, split), form)]


def rejected(out: Path) -> dict[str, tuple[str, str]]:
    with open(out / 'rejected.csv', newline='') as file:
        return {row['path']: (row['reason'], row['detail']) for row in csv.DictReader(file)}


def test_what_is_counted_is_what_is_there(tmp_path):
    store = build(make(tmp_path / 'midi', songs(12)), tmp_path / 'out')
    for name in ('melody', 'bass', 'drums', 'trio'):
        for bars in (2, 16):
            form = store.form(name, bars)
            row = store.meta['funnel']['forms'][f'{name}-{bars}']
            assert row['windows'] == {split: store.count(form, split) for split in SPLITS}
            assert row['found'] - row['duplicate'] == sum(row['windows'].values())
            # A tune of 20 bars has 19 windows of 2 and 5 of 16, and no tune repeats itself.
            if name != 'drums':
                assert sum(row['windows'].values()) == 12 * (19 if bars == 2 else 5)
            assert sum(row['songs'].values()) == row['files'] == 12
    assert store.meta['funnel']['files'] == {'found': 12, 'used': 12, 'rejected': {}}
    table = format_funnel(store.meta['funnel'])
    assert '12 MIDI files, 12 used' in table and max(map(len, table.splitlines())) <= 120
    assert len(store.tokens) == 12 * 3 * 320


def test_the_number_of_workers_and_the_place_change_no_byte(tmp_path):
    files = songs(9) | {'broken.mid': b'nothing', 'deeper/melody 3 of the test.MID': song(3, 24)}
    one = build(make(tmp_path / 'one', files), tmp_path / 'first', workers=1)
    two = build(make(tmp_path / 'two', files), tmp_path / 'second', workers=2)
    assert folder_bytes(one.path) == folder_bytes(two.path)
    assert not (tmp_path / 'first.building').exists()


def test_windows_that_memory_does_not_hold_change_no_byte(tmp_path, monkeypatch):
    files = songs(9) | {f'{name * 5}.mid': midi(tune(n, 15)) for n, name in enumerate('abc')}
    one = build(make(tmp_path / 'midi', files), tmp_path / 'one')
    monkeypatch.setattr(grouped, '_HELD', 20)
    two = build(tmp_path / 'midi', tmp_path / 'two')
    assert folder_bytes(one.path) == folder_bytes(two.path)


def test_windows_are_unique_and_songs_lie_in_one_split(tmp_path):
    files = songs(20)
    for number in range(6):  # variants: another file, another folder, half of the bars the same
        files[f'other/03 - Melody {number} of the test (live).mid'] = midi(
            tune(number, 24), [], beat(number + 70, 24)
        )
    store = build(make(tmp_path / 'midi', files), tmp_path / 'out')
    for form in (store.form(*key) for key in store.forms):
        rows = list(itertools.chain(*(contents(store, form, split) for split in SPLITS)))
        assert len(rows) == len(set(rows))
        used = [set(store.songs(form, split).tolist()) for split in SPLITS]
        assert not used[0] & used[1] and not used[0] & used[2] and not used[1] & used[2]
    with open(store.path / 'files.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    splits = {}
    for row in rows:
        splits.setdefault(row['title'], set()).add(row['split'])
    assert len(splits) == 20 and all(len(split) == 1 for split in splits.values())
    assert store.meta['funnel']['forms']['melody-2']['duplicate'] == 6 * 19
    # Every window's song is the song of a file that really has it.
    assert {row['title'] for row in rows} == set(store.titles)


def test_a_copy_is_a_duplicate_and_counted(tmp_path):
    files = songs(6) | {'copies/another name altogether.mid': song(2)}
    store = build(make(tmp_path / 'midi', files), tmp_path / 'out')
    assert store.meta['funnel']['files'] == {
        'found': 7,
        'used': 6,
        'rejected': {'duplicate_file': 1},
    }
    ((path, (reason, detail)),) = rejected(store.path).items()
    assert (
        reason == 'duplicate_file'
        and detail.startswith('same bytes as ')
        and path != detail.removeprefix('same bytes as ')
    )


def test_files_that_share_most_windows_are_one_song_whatever_their_names(tmp_path):
    files = songs(12)
    for number in range(5):  # the first 15 of 20 bars stand in another file under another name
        files[f'retold/{"abcde"[number] * 5}.mid'] = midi(tune(number, 15), low(tune(number + 90)))
    store = build(make(tmp_path / 'midi', files), tmp_path / 'out')
    with open(store.path / 'files.csv', newline='') as file:
        of = {row['path']: row['song'] for row in csv.DictReader(file)}
    for number in range(5):
        assert of[f'retold/{"abcde"[number] * 5}.mid'] == of[f'melody {number} of the test.mid']
    assert len(set(of.values())) == 12


@pytest.mark.parametrize('steps_per_quarter', [2, 6])
def test_any_number_of_bars_and_steps_per_quarter(tmp_path, steps_per_quarter):
    """Windows have bars * 4 * steps_per_quarter steps, and the loader reads them as such."""
    notation, bars = Notation(steps_per_quarter=steps_per_quarter), (1, 3, 4)
    settings = BuildSettings(ExtractSettings(notation, bars=bars))
    store = build(make(tmp_path / 'midi', songs(6)), tmp_path / 'out', settings=settings)
    assert store.forms == [(n, b) for n in ('melody', 'bass', 'drums', 'trio') for b in bars]
    assert len(store.tokens) == 6 * 3 * 20 * 4 * steps_per_quarter
    wanted = {tuple(pitch for _, _, pitch in tune(number)) for number in range(6)}
    for name, length in store.forms:
        form = store.form(name, length)
        assert form.steps == length * 4 * steps_per_quarter
        loader = Loader(store, form, 4, 0)
        streams = loader.batch(0).streams
        assert [own.shape for own in streams] == [(4, form.steps, 1)] * len(form.streams)
        if name == 'melody':  # a quarter is steps_per_quarter steps, so that tunes are legato
            for row in np.concatenate([loader.batch(step).streams[0] for step in range(4)])[..., 0]:
                onsets = row.reshape(-1, steps_per_quarter)
                assert (onsets[:, 0] >= 2).all() and not onsets[:, 1:].any()
                pitches = tuple((onsets[:, 0] - 2).tolist())
                assert any(
                    pitches == whole[n : n + len(pitches)]
                    for whole in wanted
                    for n in range(0, len(whole), 4)
                )
    other = make_form('trio', 3)
    with pytest.raises(InputError, match=f'steps_per_bar {4 * steps_per_quarter} instead of 16'):
        Loader(store, other, 4, 0)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), max_size=12, unique=True), min_size=1, max_size=6))
def test_links_need_half_of_the_smaller_file_and_hold_between_copies(
    tmp_path_factory, contents_of_files
):
    windows = []
    for number, file in enumerate(contents_of_files):
        windows.append(np.zeros(len(file), WINDOW))
        windows[-1]['key'], windows[-1]['file'] = file, number
    scratch = tmp_path_factory.getbasetemp()
    links = content_links(windows, len(contents_of_files), scratch)
    pairs = {tuple(pair) for pair in links.tolist()}
    for one, other in itertools.combinations(range(len(contents_of_files)), 2):
        a, b = set(contents_of_files[one]), set(contents_of_files[other])
        if (one, other) in pairs:
            assert len(a & b) >= max(4, min(len(a), len(b)) / 2)
        if one == 0 and len(a & b) >= max(4, min(len(a), len(b)) / 2):
            assert (one, other) in pairs


def test_official_splits_are_used(tmp_path):
    names = [f'd1/{number}_rock_120_beat_4-4.mid' for number in range(6)]
    files = {name: midi(drums=beat(number)) for number, name in enumerate(names)}
    rows = [
        'midi_filename,split',
        *(f'{name},{split}' for name, split in zip(names, SPLITS * 2, strict=True)),
    ]
    store = build(
        make(tmp_path / 'midi', files | {'info.csv': '\n'.join(rows).encode()}), tmp_path / 'out'
    )
    with open(store.path / 'files.csv', newline='') as file:
        assert {row['path']: row['split'] for row in csv.DictReader(file)} == dict(
            zip(names, SPLITS * 2, strict=True)
        )
    assert store.meta['funnel']['forms']['drums-2']['songs'] == {
        'train': 2,
        'validation': 2,
        'test': 2,
    }


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=40))
def test_of_equal_windows_the_first_in_the_first_split_stays(windows):
    hashes = np.array([content for content, _ in windows], np.uint64) * np.uint64(2**60 + 1)
    splits = np.array([split for _, split in windows], np.int8)
    wanted = {}
    for number, (content, split) in enumerate(windows):
        wanted[content] = min(wanted.get(content, (9, 0)), (split, number))
    keep = first_occurrences(hashes, splits)
    assert sorted(np.flatnonzero(keep).tolist()) == sorted(number for _, number in wanted.values())


def test_a_file_that_hangs_dies_or_eats_memory_costs_that_file_alone(tmp_path):
    files = songs(6) | {
        'a hangs.mid': b'HANG',
        'b dies.mid': b'DIE',
        'c bug.mid': b'BUG',
        'd greedy.mid': b'GREEDY',
        'e heavy.mid': b'HEAVY' + song(seed=77),
    }
    folder = make(tmp_path / 'midi', files)
    settings = BuildSettings(time_limit=1.5, memory_limit=1024)
    with pytest.MonkeyPatch.context() as patch:
        # All files in one chunk: the guilty have to be found.
        patch.setattr(build_module, '_PARTS_WANTED', 1)
        store = build(folder, tmp_path / 'out', workers=2, settings=settings, reader=faulty_reader)
    lost = rejected(store.path)
    assert lost.pop('a hangs.mid') == ('timeout', 'took longer than 1.5 s')
    assert lost.pop('b dies.mid') == ('crashed', 'the reader died (exit code 3)')
    assert lost.pop('c bug.mid') == ('crashed', 'ZeroDivisionError: of the reader')
    if sys.platform == 'linux':
        assert lost.pop('d greedy.mid')[0] == 'too_large'
    assert lost.pop('e heavy.mid')[0] in ('too_large', 'crashed')
    assert not {name for name in lost if name.startswith('melody')}
    assert store.meta['funnel']['files']['used'] == 6


def test_a_file_that_kills_its_worker_costs_that_file_alone(tmp_path):
    folder = make(tmp_path / 'midi', songs(3) | {'b dies.mid': b'DIE'})
    store = build(folder, tmp_path / 'out', reader=faulty_reader)
    assert rejected(store.path) == {'b dies.mid': ('crashed', 'the reader died (exit code 3)')}


@pytest.mark.parametrize(
    ('files', 'message'),
    [
        ({}, 'no MIDI files'),
        (
            {'notes.txt': b'x', '.hidden.mid': b'x', '._twin.mid': b'x', '.folder/a.mid': b'x'},
            'no MIDI files',
        ),
        (
            {'a.mid': b'', 'b.mid': b'MThd', 'c.mid': bytes(100)},
            'none of the 3 MIDI files.*unreadable 3',
        ),
        (
            {'a.mid': midi(), 'b.mid': midi(name='x')},
            'none of the .* MIDI files.*(empty|duplicate)',
        ),
        (
            {'a.mid': midi(tune(1), meter=(3, 4)), 'b.mid': midi(tune(2), meter=(6, 8))},
            'none of the 2.*wrong_meter 2',
        ),
        ({'a.mid': midi(tune(1, 1))}, 'none of the 1.*too_short'),
    ],
)
def test_folders_that_give_nothing(tmp_path, files, message):
    (tmp_path / 'midi').mkdir()
    with pytest.raises(InputError, match=message):
        build(make(tmp_path / 'midi', files), tmp_path / 'out')
    assert not (tmp_path / 'out').exists() and not (tmp_path / 'out.building').exists()


def test_music_without_drums_has_melodies_and_says_why_there_are_no_trios(tmp_path):
    files = {
        f'melody {number} of the test.mid': midi(tune(number), low(tune(number + 9)))
        for number in range(4)
    }
    store = build(make(tmp_path / 'midi', files), tmp_path / 'out')
    trio = store.form('trio', 2)
    assert store.count(store.form('melody', 2), 'train') and not store.count(trio, 'train')
    assert store.meta['funnel']['forms']['trio-2']['rejected'] == {'no_drums': 4}
    with pytest.raises(
        InputError, match='0 training windows of 2-bar trio, fewer than a batch of 8.*no_drums 4'
    ):
        Loader(store, trio, 8, 0)


def test_folders_that_cannot_be_read_or_written(tmp_path):
    folder = make(tmp_path / 'midi', songs(3))
    with pytest.raises(InputError, match='does not exist'):
        build(tmp_path / 'nowhere', tmp_path / 'out')
    with pytest.raises(InputError, match='is a file'):
        build(folder / 'melody 1 of the test.mid', tmp_path / 'out')
    make(tmp_path, {'file': b'', 'full/thing.txt': b'mine'})
    with pytest.raises(InputError, match='cannot write .*file'):
        build(folder, tmp_path / 'file' / 'out')  # even the root user cannot write below a file
    with pytest.raises(InputError, match='exists and is no dataset'):
        build(folder, tmp_path / 'file')
    with pytest.raises(InputError, match='exists and is no dataset'):
        build(folder, tmp_path / 'full')
    assert (tmp_path / 'full' / 'thing.txt').read_bytes() == b'mine'


def test_a_full_disk_is_one_line_and_keeps_the_old_store(tmp_path, monkeypatch):
    folder = make(tmp_path / 'midi', songs(3))
    before = folder_bytes(build(folder, tmp_path / 'out').path)
    make(folder, {'one song more.mid': song(77)})

    def full(path, *_):
        raise OSError(28, 'No space left on device', str(path))

    with monkeypatch.context() as patch:
        patch.setattr(local, 'write_tokens', full)
        with pytest.raises(InputError, match=r'cannot write .*tokens.npy: No space left on device'):
            build(folder, tmp_path / 'out')
    assert folder_bytes(tmp_path / 'out') == before
    assert not (tmp_path / 'out.building' / 'store').exists()
    assert build(folder, tmp_path / 'out').meta['funnel']['files']['found'] == 4


def test_one_build_at_a_time(tmp_path):
    folder = make(tmp_path / 'midi', songs(1))
    (tmp_path / 'out.building').mkdir()
    with (
        build_module._lock(tmp_path / 'out.building'),
        pytest.raises(InputError, match='another build is at work'),
    ):
        build(folder, tmp_path / 'out')


def test_current_means_same_files_settings_and_code(tmp_path, monkeypatch):
    folder, out = make(tmp_path / 'midi', songs(3)), tmp_path / 'out'
    settings = BuildSettings()
    assert not is_current(out, settings, folder)
    build(folder, out)
    assert is_current(out, settings, folder) and is_current(out, settings)
    assert not is_current(out, BuildSettings(ExtractSettings(bars=(2,))), folder)
    make(folder, {'one song more.mid': song(77)})
    assert not is_current(out, settings, folder) and is_current(out, settings)
    monkeypatch.setattr(build_module, 'code_digest', lambda: 'other')
    assert not is_current(out, settings)


def test_scan_finds_every_spelling_and_ends_in_circles(tmp_path):
    folder = make(
        tmp_path / 'midi',
        {'b.MID': b'', 'a/x.midi': b'', 'a/y.Mid': b'', '__MACOSX/z.mid': b'', 'c.mid.txt': b''},
    )
    os.symlink(folder, folder / 'a' / 'circle')
    os.symlink(tmp_path / 'gone', folder / 'broken.mid')
    os.mkfifo(folder / 'pipe.mid')
    assert [file.path for file in find_midi(folder)] == [
        'a/x.midi',
        'a/y.Mid',
        'b.MID',
        'broken.mid',
    ]


def test_wrong_settings():
    for wrong in (
        {'fractions': (0.0, 0.5, 0.5)},
        {'fractions': (1.0,)},
        {'time_limit': 0.0},
        {'memory_limit': 0},
    ):
        with pytest.raises(InputError):
            BuildSettings(**wrong)


def test_the_program_turns_wrong_input_into_exit_code_2(tmp_path):
    (tmp_path / 'empty').mkdir()
    command = [
        sys.executable,
        str(ROOT / 'data' / 'build.py'),
        '--midi',
        tmp_path / 'empty',
        '--out',
        tmp_path / 'out',
    ]
    done = subprocess.run(
        command, env=os.environ | {'PYTHONPATH': str(ROOT)}, capture_output=True, text=True
    )
    assert (
        done.returncode == 2
        and done.stderr.startswith('error: no MIDI files')
        and done.stderr.count('\n') == 1
    )


def test_workers_import_no_jax():
    code = 'import mvae.dataset.parts, mvae.dataset.build, sys; sys.exit("jax" in sys.modules)'
    assert (
        subprocess.run(
            [sys.executable, '-c', code], env=os.environ | {'PYTHONPATH': str(ROOT)}
        ).returncode
        == 0
    )


def test_meta_holds_no_times_and_no_machine_paths(tmp_path):
    store = build(make(tmp_path / 'midi', songs(3)), tmp_path / 'out')
    text = json.dumps(store.meta) + (store.path / 'files.csv').read_text()
    assert str(tmp_path) not in text
