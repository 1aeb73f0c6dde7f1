"""Headers and errors of every page."""

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from mvae.errors import InputError
from mvae.web.app import build_app
from mvae.web.headers import HEADERS


def _client():
    async def hello(request):
        return PlainTextResponse('hello')

    async def keep(request):
        return PlainTextResponse('keep', headers={'cache-control': 'max-age=60'})

    async def refuse(request):
        raise HTTPException(409, 'not now')

    def fail(request):
        raise InputError('disk.sqlite is full')

    routes = [Route(f'/{view.__name__}', view) for view in (hello, keep, refuse, fail)]
    return TestClient(build_app(routes, 'try again later', ['testserver']))


def test_every_response_has_the_headers_also_refusals_and_failures():
    client = _client()
    for path in ('/hello', '/refuse', '/fail', '/nothing'):
        assert HEADERS.items() <= dict(client.get(path).headers).items(), path
    policy = HEADERS['content-security-policy'].split('; ')
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy


def test_a_header_that_a_response_sets_stays():
    headers = _client().get('/keep').headers
    assert headers.get_list('cache-control') == ['max-age=60']
    assert headers['x-content-type-options'] == 'nosniff'


def test_refusals_say_why():
    client = _client()
    refused = client.get('/refuse')
    assert (refused.status_code, refused.json()) == (409, {'error': 'not now'})
    assert client.get('/nothing').status_code == 404
    wrong = client.post('/hello')
    assert wrong.status_code == 405 and 'GET' in wrong.headers['allow'] and 'error' in wrong.json()


def test_a_failure_is_told_to_who_runs_the_server_and_not_to_visitors(capsys):
    response = _client().get('/fail')
    assert (response.status_code, response.json()) == (503, {'error': 'try again later'})
    assert capsys.readouterr().err == 'error: disk.sqlite is full\n'
