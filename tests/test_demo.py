"""The demo corpus as a whole, on a sample of it."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import symusic

from mvae import demo
from mvae.demo.styles import DRUM_PITCHES
from mvae.errors import InputError

LIMIT = 40


@pytest.fixture(scope='module')
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp('demo') / 'midi'
    counts = demo.write_demo_midi(folder, workers=1, limit=LIMIT)
    return (
        folder,
        counts,
        {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob('*.mid'))},
    )


def test_counts_and_names(corpus):
    folder, counts, files = corpus
    assert counts['written'] == LIMIT == len(files)
    assert counts['meter'] > 0
    assert {pathlib.Path(name).parent.name for name in files} == {'oneills1850', 'ryansMammoth'}
    readme = (folder / 'README.txt').read_text(encoding='utf-8')
    assert 'public domain' in readme and 'arranged' not in readme.split('Bass and drums')[0]
    assert not folder.with_name('midi.partial').exists()


def test_the_same_bytes_for_any_number_of_workers(corpus, tmp_path):
    _, _, files = corpus
    demo.write_demo_midi(tmp_path / 'again', workers=2, limit=6)
    again = {
        str(p.relative_to(tmp_path / 'again')): p.read_bytes()
        for p in (tmp_path / 'again').rglob('*.mid')
    }
    assert len(again) == 6
    assert all(files[name] == data for name, data in again.items())


def test_every_file_is_a_trio_on_the_grid_of_legal_length(corpus):
    classes = set()
    for name, data in corpus[2].items():
        score = symusic.Score.from_midi(data)
        step = score.ticks_per_quarter // 4
        assert len(score.tracks) == 3 and len(score.tempos) == 1, name
        assert 24 * 16 * step <= score.end() + 16 * step <= 128 * 16 * step, name
        for track in score.tracks:
            columns = track.notes.numpy()
            assert len(columns['time']) > 20, name
            assert not (columns['time'] % step).any() and not (columns['duration'] % step).any(), (
                name
            )
        classes |= set(score.tracks[2].notes.numpy()['pitch'].tolist())
        assert score.tracks[0].program <= 31 and score.tracks[1].program == 33
        assert score.tracks[0].name
        melody = score.tracks[0].notes.numpy()
        assert melody['pitch'].min() >= 55 and melody['pitch'].max() <= 96, name
    assert classes == set(DRUM_PITCHES)


def test_drums_and_bass_are_no_loops(corpus):
    bars = {1: [], 2: []}
    for data in corpus[2].values():
        score = symusic.Score.from_midi(data)
        for number in bars:
            columns = score.tracks[number].notes.numpy()
            step = columns['time'] // (score.ticks_per_quarter // 4)
            for bar in range(int(step.max()) // 16 + 1):
                inside = step // 16 == bar
                bars[number].append(
                    tuple(zip((step[inside] % 16).tolist(), columns['pitch'][inside], strict=True))
                )
    for number, found in bars.items():
        _, count = np.unique([hash(bar) for bar in found], return_counts=True)
        assert len(count) / len(found) > 0.3, number
        assert count.max() / len(found) < 0.1, number


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / 'mine.mid').write_bytes(b'x')
    (tmp_path / 'README.txt').write_text('My own music.')
    with pytest.raises(InputError, match='no demo corpus'):
        demo.write_demo_midi(tmp_path, workers=1, limit=1)
    assert (tmp_path / 'mine.mid').read_bytes() == b'x'


def test_an_older_demo_corpus_is_replaced(tmp_path):
    demo.write_demo_midi(tmp_path / 'midi', workers=1, limit=3)
    demo.write_demo_midi(tmp_path / 'midi', workers=1, limit=1)
    assert len(list((tmp_path / 'midi').rglob('*.mid'))) == 1
    (tmp_path / 'empty').mkdir()
    demo.write_demo_midi(tmp_path / 'empty', workers=1, limit=1)
    assert len(list((tmp_path / 'empty').rglob('*.mid'))) == 1


def test_an_interrupted_run_leaves_no_corpus_and_the_next_one_is_whole(tmp_path, monkeypatch):
    left = iter([b'MThd', b'MThd'])

    def interrupt(arrangement):
        for data in left:
            return data
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(demo.arranger, 'to_midi', interrupt)
        with pytest.raises(KeyboardInterrupt):
            demo.write_demo_midi(tmp_path / 'midi', workers=1, limit=5)
    assert not (tmp_path / 'midi').exists()
    demo.write_demo_midi(tmp_path / 'midi', workers=1, limit=2)
    assert len(list((tmp_path / 'midi').rglob('*.mid'))) == 2
    assert [p.name for p in tmp_path.iterdir()] == ['midi']


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='cannot be written'):
        demo.write_demo_midi(tmp_path / 'file' / 'midi', workers=1, limit=1)


def test_music21_without_its_corpus_is_a_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(demo.abc_text, 'sources', lambda folder: [])
    with pytest.raises(InputError, match='without its corpus'):
        demo.write_demo_midi(tmp_path / 'midi')


def test_importing_is_light_and_writing_leaves_the_home_folder_alone(tmp_path):
    home = tmp_path / 'home'
    home.mkdir()
    code = (
        'import sys; from mvae import demo; '
        'assert not {"music21", "note_seq", "jax"} & set(sys.modules);'
        f'demo.write_demo_midi({str(tmp_path / "midi")!r}, workers=1, limit=1)'
    )
    root = pathlib.Path(demo.__file__).parents[2]
    env = dict(os.environ, HOME=str(home), PYTHONPATH=str(root), PYTHONDONTWRITEBYTECODE='1')
    done = subprocess.run(
        [sys.executable, '-c', code], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert 'Warning' not in done.stderr
    assert list(home.rglob('*')) == []
