"""What a server takes: small JSON objects of its own page, nothing else."""

import pytest
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from mvae.web.app import build_app
from mvae.web.body import MOST_BYTES, read_json

JSON = {'content-type': 'application/json'}


@pytest.fixture(scope='module')
def client():
    async def echo(request):
        return JSONResponse(await read_json(request))

    async def short(request):
        return JSONResponse(await read_json(request, most_bytes=10))

    routes = [Route(f'/{view.__name__}', view, methods=['POST']) for view in (echo, short)]
    return TestClient(build_app(routes, '', ['testserver']))


@pytest.mark.parametrize('kind', ['application/json', 'Application/JSON; charset=utf-8'])
def test_an_object_arrives(client, kind):
    response = client.post('/echo', content='{"a": [1, "ü"]}', headers={'content-type': kind})
    assert (response.status_code, response.json()) == (200, {'a': [1, 'ü']})


@pytest.mark.parametrize('content', ['', '{', '[1]', 'null', '"text"', b'\xff\xfe{', '[' * 900])
def test_what_is_no_object_is_refused(client, content):
    assert client.post('/echo', content=content, headers=JSON).status_code == 400


def test_forms_are_refused(client):
    assert client.post('/echo', data={'a': 1}).status_code == 415
    plain = client.post('/echo', content='{}', headers={'content-type': 'text/plain'})
    assert plain.status_code == 415 and 'json' in plain.json()['error']


@pytest.mark.parametrize('path, most', [('/echo', MOST_BYTES), ('/short', 10)])
def test_bodies_have_a_limit(client, path, most):
    exact = b'{}'.ljust(most)
    assert client.post(path, content=exact, headers=JSON).status_code == 200
    response = client.post(path, content=exact + b' ', headers=JSON)
    assert response.status_code == 413 and str(most) in response.json()['error']

    def endless():
        for _ in range(100):
            yield b' ' * 1000

    assert client.post(path, content=endless(), headers=JSON).status_code == 413


@pytest.mark.parametrize(
    'origin', ['https://elsewhere.example', 'http://testserver:81', 'null', 'http://[', '']
)
def test_pages_of_other_sites_are_refused(client, origin):
    assert client.post('/echo', json={}, headers={'origin': origin}).status_code == 403


def test_the_own_page_is_taken(client):
    assert client.post('/echo', json={}, headers={'origin': 'http://testserver'}).status_code == 200
    no_host = {'origin': 'null', 'host': ''}
    assert client.post('/echo', json={}, headers=no_host).status_code == 403
