"""The answers file: answers neither lost nor forged."""

import contextlib
import itertools
import json
import sqlite3
import threading

import pytest
from listening_maker import SETTINGS, answer, begin

from mvae.errors import InputError
from mvae.listening.answers import Answers, NotNext


def test_an_answer_is_kept_when_record_returns_and_each_trial_once(tmp_path):
    answers = Answers(tmp_path / 'a.sqlite', create=True)
    token, listener = begin(answers)
    answers.record(token, answer(listener, 0, -2))
    with sqlite3.connect(tmp_path / 'a.sqlite') as other:
        assert other.execute('SELECT trial, score FROM answers').fetchall() == [(0, -2)]
    for trial in (0, 2, -1):
        with pytest.raises(NotNext):
            answers.record(token, answer(listener, trial))
    again = Answers(tmp_path / 'a.sqlite', create=True)
    assert again.next_trial(again.listener(token)) == 1 and again.all() == [answer(listener, 0, -2)]


def test_no_one_answers_for_another(tmp_path):
    answers = Answers(tmp_path / 'a.sqlite', create=True)
    (mine, me), (_, other) = begin(answers), begin(answers)
    with pytest.raises(NotNext):
        answers.record(mine, answer(other, 0))
    assert me != other and answers.listener('guessed') is None and answers.all() == []
    assert mine.encode() not in b''.join(path.read_bytes() for path in tmp_path.iterdir()), (
        'whoever reads the file cannot answer either'
    )


def test_many_listeners_and_double_clicks_at_once(tmp_path):
    answers, lost = Answers(tmp_path / 'a.sqlite', create=True), []

    def listen():
        token, listener = begin(answers)
        for trial in range(4):
            clicks = [
                threading.Thread(target=click, args=(token, listener, trial)) for _ in range(2)
            ]
            [thread.start() for thread in clicks]
            [thread.join() for thread in clicks]

    def click(token, listener, trial):
        try:
            answers.record(token, answer(listener, trial))
        except NotNext:
            lost.append(trial)

    everyone = [threading.Thread(target=listen) for _ in range(4)]
    [thread.start() for thread in everyone]
    [thread.join() for thread in everyone]
    assert [(a.listener, a.trial) for a in answers.all()] == list(
        itertools.product(range(4), range(4))
    )
    assert len(lost) == 16, 'of each double click one was refused'


def test_who_withdraws_leaves_nothing_and_a_successor_takes_the_place(tmp_path):
    answers = Answers(tmp_path / 'a.sqlite', create=True)
    (first, zero), (second, one) = begin(answers), begin(answers)
    answers.record(first, answer(zero, 0)._replace(left_source='unmistakable'))
    answers.record(second, answer(one, 0))
    answers.withdraw(first)
    assert (
        answers.listener(first) is None
        and answers.all() == [answer(one, 0)]
        and answers.listeners() == 1
    )
    assert b'unmistakable' not in b''.join(path.read_bytes() for path in tmp_path.iterdir())
    third, number = begin(answers)
    assert number == zero and answers.next_trial(number) == 0 and begin(answers)[1] == 2
    with pytest.raises(NotNext):
        answers.record(first, answer(zero, 0))


def test_files_that_are_no_answers_file_are_refused_and_left_alone(tmp_path):
    (tmp_path / 'text').write_text('these are not answers ' * 100)
    with sqlite3.connect(tmp_path / 'other') as other:
        other.execute('CREATE TABLE answers (whatever)')
    whole = Answers(tmp_path / 'whole', create=True)
    token, listener = begin(whole)
    [whole.record(token, answer(listener, n)._replace(left_source='x' * 2000)) for n in range(10)]
    content = (tmp_path / 'whole').read_bytes()
    (tmp_path / 'torn').write_bytes(content[: len(content) // 2])
    # In the fourth page, which opening does not read.
    (tmp_path / 'bitten').write_bytes(content[:12296] + b'\xff' * 4 + content[12300:])
    (tmp_path / 'folder').mkdir()
    for name in ('text', 'other', 'torn', 'bitten', 'folder'):
        before = (tmp_path / name).read_bytes() if name != 'folder' else b''
        for create in (True, False):
            with pytest.raises(InputError, match=name) as error:
                Answers(tmp_path / name, create=create)
            assert '\n' not in str(error.value)
        assert name == 'folder' or (tmp_path / name).read_bytes() == before
    with pytest.raises(InputError, match='does not exist'):
        Answers(tmp_path / 'missing')


def test_a_file_of_an_earlier_version_opens(tmp_path):
    answers = Answers(tmp_path / 'a.sqlite', create=True)
    about = {'settings': SETTINGS, 'sounds': {'folk': ['00', '01'], 'robot': ['02', '03']}}
    with sqlite3.connect(answers.path) as other:
        other.execute('INSERT INTO study VALUES (1, ?)', (json.dumps(about),))
    assert Answers(answers.path).survey() == about
    assert answers.begin_survey({'settings': {}}) == about, 'what was said first holds'


def test_nobody_else_reads_the_file(tmp_path):
    answers = Answers(tmp_path / 'a.sqlite', create=True)
    with sqlite3.connect(answers.path) as open_one:
        open_one.execute('PRAGMA journal_mode')
        begin(answers)
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize('about', [
    '[' * 9999,
    '[]',
    {'sounds': {'folk': ['../../secret', '01']}},
    {'sounds': {'folk': ['00']}},
    {'sounds': {'folk': 3}},
    {'settings': SETTINGS | {'trials': 10**9}},
    {'settings': SETTINGS | {'qpm': '120'}},
    {'settings': 'none'},
])  # fmt: skip
def test_a_test_that_nobody_made_is_refused(tmp_path, about):
    answers = Answers(tmp_path / 'a.sqlite', create=True)
    if isinstance(about, dict):
        whole = {'settings': SETTINGS, 'sounds': {'folk': ['00', '01'], 'robot': ['02', '03']}}
        about = json.dumps(whole | about)
    with sqlite3.connect(answers.path) as other:
        other.execute('INSERT INTO study VALUES (1, ?)', (about,))
    with pytest.raises(InputError, match='a.sqlite is damaged'):
        answers.survey()


@pytest.mark.parametrize('change', [
    'DROP TABLE answers; CREATE VIEW answers AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL '
    'SELECT i + 1 FROM n) SELECT i, i, 1, 1, 1, 1, 1, 1 FROM n',
    'CREATE TRIGGER more AFTER INSERT ON listeners BEGIN DELETE FROM answers; END',
    'DROP TABLE answers',
])  # fmt: skip
def test_a_file_with_other_tables_is_not_asked(tmp_path, change):
    Answers(tmp_path / 'a', create=True)
    with contextlib.closing(sqlite3.connect(tmp_path / 'a')) as db:
        db.executescript(change)
    for create in (False, True):
        with pytest.raises(InputError, match='is no answers file of this mvae'):
            Answers(tmp_path / 'a', create)
