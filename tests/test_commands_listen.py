"""`mvae listen` as a program."""

import csv
import json
import socket

import console
import pytest
from listening_maker import SETTINGS, answer, begin, build_songs

from mvae.listening.answers import Answers


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    return build_songs(tmp_path_factory.mktemp('listening'))


def _program(*arguments):
    return console.mvae('listen', *arguments)


def test_analyse_writes_what_it_says(tmp_path):
    answers = Answers(tmp_path / 'answers.sqlite', create=True)
    answers.begin_survey(
        {'settings': SETTINGS, 'sounds': {'folk': ['00', '01'], 'robot': ['02', '03']}}
    )
    for score in (2, -1):
        token, listener = begin(answers)
        [answers.record(token, answer(listener, n, score)) for n in range(4 if score > 0 else 3)]
    done = _program('analyse', '--answers', answers.path, '--out', tmp_path / 'out')
    assert (
        done.returncode == 0 and '7 comparisons by 2 listeners, 1 of whom finished' in done.stdout
    ), done.stderr
    written = json.loads((tmp_path / 'out/listening.json').read_text())
    assert (
        written['sources']['folk']['wins'] == 4
        and written['finished'] == 1
        and written['settings'] == SETTINGS
    )
    with (tmp_path / 'out/answers.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert [int(row['score']) for row in rows] == [2] * 4 + [-1] * 3 and rows[0][
        'left_source'
    ] == 'folk'
    assert (tmp_path / 'out/wins.png').read_bytes().startswith(b'\x89PNG')
    assert str(written['kruskal_wallis']['p'])[:5] in done.stdout


def test_an_address_in_use_is_one_clear_line(store, tmp_path):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        arguments = [
            '--runs',
            f'data={store}',
            f'more={store}',
            '--form',
            'melody',
            '--bars',
            2,
            '--port',
            taken.getsockname()[1],
        ]
        done = _program('serve', *arguments, '--answers', tmp_path / 'a.sqlite')
    assert (
        done.returncode == 2
        and 'another --port' in done.stderr
        and len(done.stderr.splitlines()) == 1
        and not (tmp_path / 'a.sqlite').exists()
    )
