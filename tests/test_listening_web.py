"""The web application: what is heard is what is kept, and nobody is told too much."""

import pytest
from listening_maker import SETTINGS
from starlette.testclient import TestClient

from mvae.listening.answers import Answers
from mvae.listening.survey import Survey
from mvae.listening.web import COOKIE, make_app

NAMES = ['testserver', 'listening']


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
    client = TestClient(make_app(answers, survey, NAMES))
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
    response = TestClient(make_app(answers, survey, NAMES)).post('/begin', json={})
    cookie = response.headers['set-cookie'].lower()
    assert (
        'httponly' in cookie and 'samesite=strict' in cookie and len(response.cookies[COOKIE]) > 40
    )
    assert (
        'secure'
        in TestClient(make_app(answers, survey, NAMES), 'https://listening')
        .post('/begin', json={})
        .headers['set-cookie']
        .lower()
    )


def test_what_is_not_the_next_answer_of_this_listener_is_refused(answers, survey):
    client, stranger = _client(answers, survey), _client(answers, survey, begin=False)
    forger = TestClient(make_app(answers, survey, NAMES), cookies={COOKIE: 'A' * 43})
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
        make_app(Answers(answers.path, create=True), survey, NAMES), cookies=dict(first.cookies)
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


def test_more_listeners_than_the_test_takes_are_refused(answers, survey, monkeypatch):
    monkeypatch.setattr('mvae.listening.answers.MOST_LISTENERS', 1)
    first, second = _client(answers, survey), _client(answers, survey)
    assert first.get('/state').json()['page'] == 'consent', 'who answered nothing makes room'
    second.post('/answer', json={'trial': 0, 'score': 1})
    refused = _client(answers, survey, begin=False).post('/begin', json={})
    assert refused.status_code == 503 and 'listeners' in refused.json()['error']
    assert answers.listeners() == 1 and second.get('/state').json()['trial'] == 1
