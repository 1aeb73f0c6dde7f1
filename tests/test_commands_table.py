"""`mvae study`, table, misplaced and interpolation-study at tiny: both variants trained, tables
and curves made, and wrong input.
"""

import json
import subprocess
import sys

import console
import pytest
from midi_maker import midi, song, tune

from mvae.dataset.build import BuildSettings, build_store
from mvae.music.extract import ExtractSettings


@pytest.fixture(scope='module')
def study(tmp_path_factory):
    """(folder of the study, what it said)."""
    files, out = tmp_path_factory.mktemp('midi'), tmp_path_factory.mktemp('study')
    for n in range(40):
        (files / f'song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid').write_bytes(
            song(seed=n, bars=20)
        )
    build_store(files, out / 'store', BuildSettings(ExtractSettings()), 1)
    places = '--data', out / 'store', '--out', out / 'runs'
    asked = '--exp', 'mel16', '--scale', 'tiny', '--steps', 2, '--limit', 20, *places
    command = [sys.executable, '-m', 'mvae', 'study', *map(str, asked)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return out / 'runs', done.stdout


def test_a_study_trains_both_variants_and_fills_the_table(study):
    runs, said = study
    result = json.loads((runs / 'table.json').read_text())
    (row,) = result['rows']
    assert row['form'] == 'melody' and row['by_bars']
    assert {
        f'{mode} {d}'
        for mode in ('teacher_forced', 'sampled', 'greedy')
        for d in ('flat', 'hierarchical')
    } == set(row['cells'])
    assert '16-bar melody' in said and '[.919]' in said
    assert 'bars back after 4' in said and 'new, fitted' in said
    assert (runs / 'table.md').read_text() in said and all(
        (runs / name).read_bytes().startswith(b'\x89PNG') for name in ('table.png', 'bars.png')
    )
    (windows,) = {e['windows'] for e in result['evaluations']}
    assert 0 < windows <= 20


def test_a_study_says_what_music_is_missing_before_it_trains(study, tmp_path):
    runs, _ = study
    data = '--data', runs.parent / 'store', '--scale', 'tiny', '--out', tmp_path / 'out'
    done = console.mvae('study', '--exp', 'mel16', *data, '--config.training.batch_size=99999')
    assert done.returncode == 2 and 'fewer than a batch of 99999' in done.stderr
    assert done.stderr.count('\n') == 1 and list(tmp_path.iterdir()) == []


def test_a_study_looks_at_the_data_of_the_last_experiment_before_it_trains_the_first(tmp_path):
    (tmp_path / 'midi').mkdir()
    for n in range(40):
        name = f'song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid'
        (tmp_path / 'midi' / name).write_bytes(midi(tune(n)))
    build_store(tmp_path / 'midi', tmp_path / 'store', BuildSettings(ExtractSettings()), 1)
    data = '--data', tmp_path / 'store', '--scale', 'tiny', '--out', tmp_path / 'out'
    done = console.mvae('study', '--exp', 'mel2', 'drum2', *data)
    assert done.returncode == 2 and '0 training windows of 2-bar drums' in done.stderr, done.stderr
    assert done.stderr.count('\n') == 1 and not (tmp_path / 'out').exists()


def test_the_same_table_again_comes_from_what_is_kept(study):
    runs, _ = study
    before = (runs / 'table.json').read_bytes()
    kept = runs / 'mel16-hierenc' / 'evaluation-test-20.json'
    stamp = kept.stat().st_mtime_ns
    arguments = [
        '--runs',
        runs / 'mel16-hierenc',
        runs / 'mel16-hier',
        '--limit',
        20,
        '--out',
        runs,
    ]
    assert console.mvae('table', *arguments).returncode == 0
    assert (runs / 'table.json').read_bytes() == before and kept.stat().st_mtime_ns == stamp


def test_an_evaluation_stands_for_a_run_that_is_elsewhere(study, tmp_path):
    runs, _ = study
    kept = [tmp_path / f'{variant}.json' for variant in ('hierenc', 'hier')]
    for file in kept:
        file.write_bytes((runs / f'mel16-{file.stem}' / 'evaluation-test-20.json').read_bytes())
    assert console.mvae('table', '--runs', *kept, '--out', tmp_path).returncode == 0
    assert (
        json.loads((tmp_path / 'table.json').read_text())['rows']
        == json.loads((runs / 'table.json').read_text())['rows']
    )


def test_curves_between_pieces_are_drawn_for_both(study):
    runs, _ = study
    arguments = [
        '--runs',
        f'flat={runs}/mel16-hierenc',
        f'hierarchical={runs}/mel16-hier',
        '--pairs',
        9,
        '--alphas',
        5,
        '--out',
        runs / 'between',
    ]
    done = console.mvae('interpolation-study', *arguments)
    assert done.returncode == 0 and 'not 9' in done.stdout, done.stderr
    result = json.loads((runs / 'between' / 'interpolation_study.json').read_text())
    assert (
        list(result['curves']) == ['flat', 'hierarchical', 'data']
        and len(result['curves']['flat']['cost']['mean']) == 5
    )
    assert 2 <= result['pairs'] < 9
    assert (runs / 'between' / 'interpolation_study.png').read_bytes().startswith(b'\x89PNG')


def test_codes_of_other_places_are_tried(study):
    runs, _ = study
    done = console.mvae('misplaced', runs / 'mel16-hier', '--shifts', 1, 2, '--limit', 30)
    assert done.returncode == 0 and '2 bars later' in done.stdout, done.stderr
    result = json.loads((runs / 'mel16-hier' / 'misplaced.json').read_text())
    assert (
        1 <= result['windows'] <= 30
        and result['own'] > 0
        and list(result['excess']) == ['1 bar later', '2 bars later', 'another song']
    )
    result = runs / 'mel2.json'
    done = console.mvae(
        'misplaced',
        '--run',
        'mel2',
        '--data',
        runs.parent / 'store',
        '--limit',
        30,
        '--json',
        result,
    )  # 1 bar at most in a window of 2
    assert done.returncode == 0 and list(json.loads(result.read_text())['excess']) == [
        '1 bar later',
        'another song',
    ], done.stderr


def test_wrong_input_is_one_clear_line(study):
    runs, _ = study
    for arguments, message in [
        (
            [
                'table',
                '--runs',
                runs / 'mel16-hierenc',
                runs / 'mel16-hierenc' / '..' / 'mel16-hierenc',
                '--limit',
                20,
            ],
            'two runs for one place',
        ),
        (['table', '--runs', runs / 'none'], 'holds no checkpoints'),
        (['table', '--runs', runs / 'table.json'], 'holds no evaluation'),
        (['table', '--runs', runs / 'none.json'], 'none.json does not exist'),
        (['study', '--exp', 'mel17'], 'did you mean mel16'),
        (
            [
                'interpolation-study',
                '--runs',
                runs / 'mel16-hierenc',
                f'mel16-hierenc={runs}/mel16-hier',
            ],
            'two curves are called mel16-hierenc',
        ),
    ]:
        done = console.mvae(*arguments)
        assert done.returncode == 2 and message in done.stderr and 'Traceback' not in done.stderr, (
            done.stderr
        )
