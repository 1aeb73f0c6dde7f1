"""The listening test: balanced designs, answers neither lost nor forged, formulas of statistics."""

import csv
import itertools
import json
import socket
import sqlite3
import subprocess
import sys
import threading
from collections import Counter

import numpy as np
import pytest
from midi_maker import song
from run_maker import save_tiny
from scipy import stats
from starlette.testclient import TestClient

from mvae.dataset.build import BuildSettings, build_store
from mvae.dataset.store import Store
from mvae.errors import InputError
from mvae.listening.analysis import analyse
from mvae.listening.answers import Answer, Answers, NotNext
from mvae.listening.design import design
from mvae.listening.report import draw_wins, to_text
from mvae.listening.sources import draw_windows, locate
from mvae.listening.survey import Survey, open_survey
from mvae.listening.web import COOKIE, make_app
from mvae.music.extract import ExtractSettings
from mvae.music.forms import make_form

TUNE = np.array([[60], [0], [0], [1]] * 8, np.int32)
MELODY = make_form('melody', 2)
SETTINGS = {
    'seed': 3,
    'trials': 4,
    'pieces': 2,
    'form': 'melody',
    'bars': 2,
    'qpm': 480.0,
    'sources': {'folk': 'x', 'robot': 'y'},
}


# Who hears what.


def _sides(trials):
    return Counter(t.left[0] for t in trials), Counter(t.right[0] for t in trials)


@pytest.mark.parametrize('sources', [2, 3, 4, 5])
@pytest.mark.parametrize('trials', [1, 3, 7, 16, 20])
def test_every_listener_hears_pairs_and_sides_equally_often(sources, trials):
    pairs = list(itertools.combinations(range(sources), 2))
    for listener in range(12):
        heard = design(1, listener, trials, sources, 5)
        assert len(heard) == trials and all(t.left[0] != t.right[0] for t in heard)
        counts = Counter(tuple(sorted((t.left[0], t.right[0]))) for t in heard)
        assert max(counts.values()) - min(counts[pair] for pair in pairs) <= 1
        left, right = _sides(heard)
        assert all(abs(left[s] - right[s]) <= 1 for s in range(sources))
        ordered = Counter((t.left[0], t.right[0]) for t in heard)
        assert all(abs(ordered[a, b] - ordered[b, a]) <= 1 for a, b in pairs)


@pytest.mark.parametrize('sources, trials', [(2, 3), (3, 16), (4, 5), (5, 7)])
def test_listeners_make_up_for_each_other(sources, trials):
    pairs = list(itertools.combinations(range(sources), 2))
    everyone = [design(2, listener, trials, sources, 4) for listener in range(2 * len(pairs))]
    for first, second in zip(everyone[::2], everyone[1::2], strict=True):
        left, right = _sides(first + second)
        assert left == right, 'a couple hears every source equally often left and right'
    counts = Counter(tuple(sorted((t.left[0], t.right[0]))) for t in itertools.chain(*everyone))
    assert set(counts.values()) == {2 * trials}, (
        'and as many couples as there are pairs hear every pair equally often'
    )


def test_no_piece_comes_again_before_all_of_its_source_were_heard():
    for listener in range(6):
        heard = [piece for trial in design(0, listener, 24, 3, 5) for piece in trial]
        for source in range(3):
            mine = [n for s, n in heard if s == source]
            for start in range(0, len(mine) - 4, 5):
                assert sorted(mine[start : start + 5]) == [0, 1, 2, 3, 4]


def test_designs_follow_seed_and_listener_alone():
    assert design(0, 5, 16, 3, 16) == design(0, 5, 16, 3, 16)
    assert (
        len(
            {tuple(design(seed, listener, 16, 3, 16)) for seed in range(3) for listener in range(8)}
        )
        == 24
    )
    first = [design(0, listener, 3, 3, 16)[0] for listener in range(300)]
    pairs = Counter((t.left[0], t.right[0]) for t in first)
    assert len(pairs) == 6 and stats.chisquare(list(pairs.values())).pvalue > 1e-4, (
        'the order is shuffled: any pair may come first, either way round'
    )


# The answers file.


def _answer(listener, trial, score=1):
    return Answer(listener, trial, '2020-01-01T00:00:00+00:00', 'folk', 0, 'robot', 1, score)


def _begin(answers):
    token = answers.add_listener()
    return token, answers.listener(token)


def test_an_answer_is_kept_when_record_returns_and_each_trial_once(tmp_path):
    answers = Answers(tmp_path / 'a.sqlite', create=True)
    token, listener = _begin(answers)
    answers.record(token, _answer(listener, 0, -2))
    with sqlite3.connect(tmp_path / 'a.sqlite') as other:
        assert other.execute('SELECT trial, score FROM answers').fetchall() == [(0, -2)]
    for trial in (0, 2, -1):
        with pytest.raises(NotNext):
            answers.record(token, _answer(listener, trial))
    again = Answers(tmp_path / 'a.sqlite', create=True)
    assert again.next_trial(again.listener(token)) == 1 and again.all() == [
        _answer(listener, 0, -2)
    ]


def test_no_one_answers_for_another(tmp_path):
    answers = Answers(tmp_path / 'a.sqlite', create=True)
    (mine, me), (_, other) = _begin(answers), _begin(answers)
    with pytest.raises(NotNext):
        answers.record(mine, _answer(other, 0))
    assert me != other and answers.listener('guessed') is None and answers.all() == []
    assert mine.encode() not in b''.join(path.read_bytes() for path in tmp_path.iterdir()), (
        'whoever reads the file cannot answer either'
    )


def test_many_listeners_and_double_clicks_at_once(tmp_path):
    answers, lost = Answers(tmp_path / 'a.sqlite', create=True), []

    def listen():
        token, listener = _begin(answers)
        for trial in range(4):
            clicks = [
                threading.Thread(target=click, args=(token, listener, trial)) for _ in range(2)
            ]
            [thread.start() for thread in clicks]
            [thread.join() for thread in clicks]

    def click(token, listener, trial):
        try:
            answers.record(token, _answer(listener, trial))
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
    (first, zero), (second, one) = _begin(answers), _begin(answers)
    answers.record(first, _answer(zero, 0)._replace(left_source='unmistakable'))
    answers.record(second, _answer(one, 0))
    answers.withdraw(first)
    assert (
        answers.listener(first) is None
        and answers.all() == [_answer(one, 0)]
        and answers.listeners() == 1
    )
    assert b'unmistakable' not in b''.join(path.read_bytes() for path in tmp_path.iterdir())
    third, number = _begin(answers)
    assert number == zero and answers.next_trial(number) == 0 and _begin(answers)[1] == 2
    with pytest.raises(NotNext):
        answers.record(first, _answer(zero, 0))


def test_files_that_are_no_answers_file_are_refused_and_left_alone(tmp_path):
    (tmp_path / 'text').write_text('these are not answers ' * 100)
    with sqlite3.connect(tmp_path / 'other') as other:
        other.execute('CREATE TABLE answers (whatever)')
    whole = Answers(tmp_path / 'whole', create=True)
    token, listener = _begin(whole)
    [whole.record(token, _answer(listener, n)._replace(left_source='x' * 2000)) for n in range(10)]
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
    about = {'settings': SETTINGS, 'sounds': {'folk': [], 'robot': []}}
    with sqlite3.connect(answers.path) as other:
        other.execute('INSERT INTO study VALUES (1, ?)', (json.dumps(about),))
    assert Answers(answers.path).survey() == about
    assert answers.begin_survey({'settings': {}}) == about, 'what was said first holds'


# Sources and surveys.


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp('listening')
    (folder / 'midi').mkdir()
    for n in range(60):
        (folder / f'midi/song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid').write_bytes(
            song(seed=n)
        )
    build_store(folder / 'midi', folder / 'store', BuildSettings(ExtractSettings()), 1)
    return folder / 'store'


def test_windows_come_from_the_test_split_and_from_different_songs(store):
    store = Store.open(store)
    songs = np.unique(store.songs(MELODY, 'test'))
    windows = store.gather(store.windows(MELODY, 'test'), MELODY)
    songs_of = zip(windows, store.songs(MELODY, 'test'), strict=True)
    every = {tokens.tobytes(): song for tokens, song in songs_of}
    assert len(songs) > 2
    drawn = draw_windows(store, MELODY, len(songs), seed=4)
    assert sorted(every[tokens.tobytes()] for tokens in drawn) == songs.tolist(), 'one of each song'
    np.testing.assert_array_equal(drawn, draw_windows(store, MELODY, len(songs), seed=4))
    assert not np.array_equal(drawn, draw_windows(store, MELODY, len(songs), seed=5))
    count = store.count(MELODY, 'test')
    assert len(np.unique(draw_windows(store, MELODY, count, 0), axis=0)) == len(every), (
        'none is drawn twice'
    )
    with pytest.raises(InputError, match=f'{count} test windows'):
        draw_windows(store, MELODY, count + 1, 0)


def test_sources_are_runs_and_stores_of_one_form_and_length(store, tmp_path):
    mel = save_tiny(tmp_path / 'mel', 'melody', 2, 'flat')
    drum = save_tiny(tmp_path / 'drum', 'drums', 2, 'flat')
    places, form = locate([f'flat={mel}', f'data={mel}', f'folk={store}'], None, None)
    assert form == MELODY and list(places) == ['flat', 'data', 'folk']
    assert [p.is_store for p in places.values()] == [False, True, True] and places[
        'data'
    ].path.parts[0] == 'data'
    assert locate([f'a={store}', f'b={store}'], 'bass', 16)[1] == make_form('bass', 16)
    for specs, name, message in (
        ([f'a={mel}', f'b={drum}'], None, 'a 2-bar melody, b 2-bar drums'),
        ([f'a={mel}', f'b={store}'], 'drums', '--form drums'),
        ([f'a={store}', f'b={store}'], None, 'give --form'),
        ([f'a={mel}', f'a={store}'], None, 'two sources'),
        ([f'a={mel}'], None, 'at least two'),
        ([f'{mel}', f'b={store}'], None, 'name=path'),
        ([f'a={mel}', 'b=no/such/run'], None, 'no/such/run holds no checkpoints'),
    ):
        with pytest.raises(InputError, match=message):
            locate(specs, name, None)


def _made(shift=0):
    return {
        name: np.stack([TUNE, np.where(TUNE > 1, TUNE + up + shift, TUNE)])
        for name, up in (('folk', 2), ('robot', 7))
    }


def test_a_survey_goes_on_with_the_same_sounds_and_refuses_another(tmp_path, monkeypatch):
    monkeypatch.setenv('MVAE_SOUNDFONT', 'none')
    answers, calls = Answers(tmp_path / 'a.sqlite', create=True), []

    def make(shift=0):
        return lambda: calls.append(1) or _made(shift)

    survey = open_survey(answers, MELODY, SETTINGS, make())
    files = {path: path.read_bytes() for path in survey.folder.iterdir()}
    assert (
        len(files) == 4
        and len(set(files.values())) == 3
        and not any('folk' in str(path.name) or 'robot' in path.name for path in files)
    )
    assert open_survey(answers, MELODY, SETTINGS, make()) == survey and len(calls) == 1, (
        'nothing is made anew'
    )
    gone = survey.sound(survey.sounds['robot'][1])
    gone.unlink()
    with pytest.raises(InputError, match='pieces would differ'):
        open_survey(answers, MELODY, SETTINGS, make(shift=1))
    assert not gone.exists()
    open_survey(answers, MELODY, SETTINGS, make())
    assert {path: path.read_bytes() for path in survey.folder.iterdir()} == files
    for name, value in (('seed', 4), ('sources', {'folk': 'x', 'other': 'y'})):
        with pytest.raises(InputError, match=f'another listening test .{name}'):
            open_survey(answers, MELODY, SETTINGS | {name: value}, make())


# The web application.


@pytest.fixture
def survey(tmp_path):
    """Two sources of two pieces; the sound of a piece is its source and number in plain text."""
    sounds = {'folk': ['00ff', '01fe'], 'robot': ['02fd', '03fc']}
    (tmp_path / 'sounds').mkdir()
    for source, names in sounds.items():
        for n, name in enumerate(names):
            (tmp_path / 'sounds' / f'{name}.wav').write_text(f'{source} {n}')
    return Survey(SETTINGS, sounds, tmp_path / 'sounds')


@pytest.fixture
def answers(tmp_path):
    return Answers(tmp_path / 'answers.sqlite', create=True)


def _client(answers, survey, begin=True):
    client = TestClient(make_app(answers, survey))
    if begin:
        assert client.post('/begin', json={}).status_code == 200
    return client


def test_what_is_heard_is_what_is_kept(answers, survey):
    client, heard = _client(answers, survey), []
    state = client.get('/state').json()
    for trial in range(4):
        assert (state['page'], state['trial'], state['trials']) == ('trial', trial, 4)
        heard.append(tuple(client.get(f'/sounds/{state[side]}').text for side in 'ab'))
        state = client.post('/answer', json={'trial': trial, 'score': 2 - trial}).json()
    assert state['page'] == 'end'
    kept = answers.all()
    assert [
        (f'{a.left_source} {a.left_piece}', f'{a.right_source} {a.right_piece}') for a in kept
    ] == heard
    assert [a.score for a in kept] == [2, 1, 0, -1] and len(set(heard)) > 1
    assert client.post('/answer', json={'trial': 4, 'score': 0}).status_code == 409


def test_the_page_tells_no_source_and_needs_no_other_server(answers, survey):
    client = _client(answers, survey)
    said = [
        client.get(path)
        for path in (
            '/',
            '/style.css',
            '/listen.js',
            '/state',
            f'/sounds/{survey.sounds["folk"][0]}',
        )
    ]
    assert all(response.status_code == 200 for response in said)
    for response in said[:4]:
        assert (
            'folk' not in response.text
            and 'robot' not in response.text
            and '//' not in response.text.replace('// ', '')
        )
    assert all(
        "default-src 'self'" in response.headers['content-security-policy'] for response in said
    )
    assert 'folk' not in str(said[4].headers) and client.get('/sounds/99').status_code == 404
    part = client.get(f'/sounds/{survey.sounds["folk"][0]}', headers={'range': 'bytes=5-'})
    assert (part.status_code, part.text) == (206, '0'), 'players may ask for a part'


def test_the_cookie_is_kept_from_scripts_and_other_sites(answers, survey):
    response = TestClient(make_app(answers, survey)).post('/begin', json={})
    cookie = response.headers['set-cookie'].lower()
    assert (
        'httponly' in cookie and 'samesite=strict' in cookie and len(response.cookies[COOKIE]) > 40
    )
    assert (
        'secure'
        in TestClient(make_app(answers, survey), 'https://listening')
        .post('/begin', json={})
        .headers['set-cookie']
        .lower()
    )


def test_what_is_not_the_next_answer_of_this_listener_is_refused(answers, survey):
    client, stranger = _client(answers, survey), _client(answers, survey, begin=False)
    forger = TestClient(make_app(answers, survey), cookies={COOKIE: 'A' * 43})
    good = {'trial': 0, 'score': 1}
    for someone in (stranger, forger):
        assert (
            someone.post('/answer', json=good).status_code == 401
            and someone.get('/state').json()['page'] == 'consent'
        )
    for bad in (
        {'score': 3},
        {'score': -3},
        {'score': '1'},
        {'score': 1.0},
        {'score': True},
        {'score': None},
        {'trial': '0'},
        {'trial': None},
    ):
        assert client.post('/answer', json=good | bad).status_code == 422
    for trial in (-1, 1, 3, 4, 10**30):
        assert client.post('/answer', json=good | {'trial': trial}).status_code == 409
    assert client.post('/answer', json=[0, 1]).status_code == 400
    assert (
        client.post(
            '/answer', content='{', headers={'content-type': 'application/json'}
        ).status_code
        == 400
    )
    assert client.post('/answer', json=good | {'more': 'x' * 2000}).status_code == 413
    for action in ('begin', 'answer', 'withdraw'):
        assert client.post(f'/{action}', data=good).status_code == 415, 'a form of another site'
        assert (
            client.post(
                f'/{action}', json=good, headers={'origin': 'https://elsewhere.example'}
            ).status_code
            == 403
        )
        assert client.get(f'/{action}').status_code in (404, 405)
    assert answers.all() == [] and answers.listeners() == 1
    assert (
        client.post('/answer', json=good, headers={'origin': 'http://testserver'}).status_code
        == 200
    )
    assert client.post('/answer', json=good).status_code == 409, 'a double click'
    assert [(a.trial, a.score) for a in answers.all()] == [(0, 1)]


def test_two_listeners_take_turns_and_a_new_server_goes_on(answers, survey):
    first, second = _client(answers, survey), _client(answers, survey)
    first.post('/answer', json={'trial': 0, 'score': 2})
    assert second.get('/state').json()['trial'] == 0
    second.post('/answer', json={'trial': 0, 'score': -2})
    before = first.get('/state').json()
    restarted = TestClient(
        make_app(Answers(answers.path, create=True), survey), cookies=dict(first.cookies)
    )
    assert restarted.get('/state').json() == before and before['trial'] == 1
    assert restarted.post('/begin', json={}).json() == before and answers.listeners() == 2, (
        'beginning again does not begin anew'
    )
    assert [(a.listener, a.score) for a in answers.all()] == [(0, 2), (1, -2)]


def test_withdrawing_deletes_and_forgets(answers, survey):
    client, other = _client(answers, survey), _client(answers, survey)
    for someone in (client, other):
        someone.post('/answer', json={'trial': 0, 'score': 2})
    assert client.post('/withdraw', json={}).json() == {'page': 'withdrawn'}
    assert client.get('/state').json()['page'] == 'consent' and not client.cookies.get(COOKIE)
    assert [a.listener for a in answers.all()] == [1] and other.get('/state').json()['trial'] == 1


def test_an_answer_that_cannot_be_kept_is_not_acknowledged(answers, survey, capsys):
    client = _client(answers, survey)
    for path in answers.path.parent.glob('answers.sqlite*'):
        path.unlink()
    answers.path.mkdir()
    response = client.post('/answer', json={'trial': 0, 'score': 2})
    assert (
        response.status_code == 503
        and 'cannot be kept' in response.json()['error']
        and 'answers.sqlite' in capsys.readouterr().err
    )


# The analysis.


def _comparisons(spec):
    """[(listener, left, right, score)] as answers."""
    counts = Counter()
    for listener, left, right, score in spec:
        yield Answer(listener, counts[listener], '', left, 0, right, 0, score)
        counts[listener] += 1


# Scores of data against flat, data against hier and hier against flat, as seen from the first of
# each.
DF, DH, HF = [2, 2, 1, 1, 1, -1, 0, 2], [1, -1, 0, 1, -2, 1, 1, -1], [2, 1, 1, 2, 1, 1, 2, 1]


@pytest.fixture(scope='module')
def result():
    spec = []
    for n, (df, dh, hf) in enumerate(zip(DF, DH, HF, strict=True)):
        listener = n % 4
        # Every other comparison with sides exchanged: what is left and right must not matter.
        for first, second, score in (
            ('data', 'flat', df),
            ('data', 'hier', dh),
            ('hier', 'flat', hf),
        ):
            spec.append(
                (listener, first, second, score) if n % 2 else (listener, second, first, -score)
            )
    return analyse(list(_comparisons(spec)), ['data', 'flat', 'hier'])


def test_wins_and_means_are_counted_on_either_side(result):
    assert (result['listeners'], result['comparisons']) == (4, 24)
    data, flat, hier = result['sources'].values()
    assert [s['comparisons'] for s in (data, flat, hier)] == [16] * 3
    assert (data['wins'], data['ties'], flat['wins'], flat['ties'], hier['wins'], hier['ties']) == (
        10,
        2,
        1,
        1,
        11,
        1,
    )
    assert (
        data['mean'] == 8 / 16
        and flat['mean'] == -19 / 16
        and hier['mean'] == 11 / 16
        and data['win_share'] == 10 / 16
    )


def test_intervals_are_students_over_listeners_where_all_answer_equally_often(result):
    means = [np.mean([DF[n], DF[n + 4], DH[n], DH[n + 4]]) for n in range(4)]
    wins = [np.mean(np.array([DF[n], DF[n + 4], DH[n], DH[n + 4]]) > 0) for n in range(4)]
    for name, values in (('mean_interval', means), ('win_interval', wins)):
        expected = stats.ttest_1samp(values, 0).confidence_interval()
        assert result['sources']['data'][name] == pytest.approx(
            (max(expected.low, -2), min(expected.high, 1 if name[0] == 'w' else 2))
        )
    one = analyse(list(_comparisons([(0, 'data', 'flat', 1)] * 8)), ['data', 'flat'])
    assert one['sources']['data']['mean_interval'] is None, (
        'of one listener nothing is known of others'
    )


def test_h_is_the_textbooks_with_its_correction_for_ties(result):
    scores = {'data': DF + DH, 'flat': [-x for x in DF + HF], 'hier': [-x for x in DH] + HF}
    values = np.concatenate(list(scores.values()))
    rank = {
        v: np.mean([n + 1 for n, w in enumerate(np.sort(values)) if w == v])
        for v in set(values.tolist())
    }
    size = len(values)
    h = 12 / (size * (size + 1)) * sum(
        sum(rank[v] for v in group) ** 2 / len(group) for group in scores.values()
    ) - 3 * (size + 1)
    h /= 1 - sum(t**3 - t for t in Counter(values.tolist()).values()) / (size**3 - size)
    found = result['kruskal_wallis']
    assert (
        found['df'] == 2
        and found['h'] == pytest.approx(h)
        and found['p'] == pytest.approx(np.exp(-h / 2))
    ), 'chi-squared with 2 degrees'


def test_wilcoxon_is_exact_and_corrected_for_the_number_of_pairs(result):
    # Of DF without its tie: four 1s share rank 2.5 and three 2s rank 6; the one negative is a 1.
    ranks = [6, 6, 2.5, 2.5, 2.5, 2.5, 6]
    signs = list(itertools.product((0, 1), repeat=7))
    extreme = np.mean([min(w, sum(ranks) - w) <= 2.5 for w in (np.dot(s, ranks) for s in signs)])
    (df, dh, fh) = result['pairs']
    assert (df['a'], df['b'], df['wins_a'], df['wins_b'], df['ties']) == ('data', 'flat', 6, 1, 1)
    assert df['w'] == 2.5 and df['p'] == pytest.approx(extreme) and df['significant'] is False
    assert (dh['wins_a'], dh['wins_b'], dh['ties']) == (4, 3, 1)
    assert fh['w'] == 0 and fh['p'] == 2 / 2**8 and result['alpha'] == pytest.approx(0.01 / 3)
    assert fh['significant'] is False, '0.0078 is below 0.01, but not below a third of it'
    two = analyse(
        list(_comparisons([(n % 2, 'flat', 'hier', -x) for n, x in enumerate(HF)])),
        ['flat', 'hier'],
    )
    assert (
        two['alpha'] == 0.01
        and two['pairs'][0]['p'] == 2 / 2**8
        and two['pairs'][0]['significant'] is True
    )


def test_too_few_answers_are_said_and_never_nan(tmp_path):
    with pytest.raises(InputError, match='no answers yet'):
        analyse([], ['data', 'flat'])
    few = list(_comparisons([(0, 'data', 'flat', 2)]))
    ties = list(_comparisons([(n, 'data', 'flat', 0) for n in range(9)]))
    for answers, said in ((few, 'in 0 comparisons'), (ties, 'in 0 comparisons')):
        result = analyse(answers, ['data', 'flat', 'hier'])
        assert said in result['kruskal_wallis']['reason'] and all(
            'too few answers' in pair['reason'] for pair in result['pairs']
        )
        assert 'NaN' not in json.dumps(result) and 'nan' not in to_text(result)
        draw_wins(tmp_path / 'wins.png', result)
    assert 'all scores are 0' in to_text(analyse(ties, ['data', 'flat']))


# The programs.


def _program(*arguments):
    return subprocess.run(
        [sys.executable, '-m', 'mvae', 'listen', *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_analyse_writes_what_it_says(tmp_path):
    answers = Answers(tmp_path / 'answers.sqlite', create=True)
    answers.begin_survey({'settings': SETTINGS, 'sounds': {'folk': [], 'robot': []}})
    for score in (2, -1):
        token, listener = _begin(answers)
        [answers.record(token, _answer(listener, n, score)) for n in range(4 if score > 0 else 3)]
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
