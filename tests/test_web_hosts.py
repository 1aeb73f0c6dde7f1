"""Names that a server answers to."""

import socket

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from mvae.web.app import build_app
from mvae.web.headers import HEADERS


@pytest.fixture(scope='module')
def client():
    async def hello(request):
        return PlainTextResponse('hello')

    return TestClient(build_app([Route('/', hello)], '', ['Music.example']))


@pytest.mark.parametrize('host', [
    '127.0.0.1', '127.0.0.1:8000', '[::1]:8000', '192.168.0.7:80', 'localhost:8000', 'LOCALHOST',
    'music.example', 'music.example:443', socket.gethostname(),
])  # fmt: skip
def test_addresses_and_own_names_are_answered(client, host):
    assert client.get('/', headers={'host': host}).text == 'hello'


@pytest.mark.parametrize('host', [
    'evil.example', '127.0.0.1.evil.example', 'evil.example:8000', '', '[', '[::1',
    '127.0.0.1@evil.example', 'localhost.evil.example', 'a' * 3000,
])  # fmt: skip
def test_other_names_are_refused_with_the_headers_of_all_pages(client, host):
    answer = client.get('/', headers={'host': host})
    assert answer.status_code == 403 and HEADERS.items() <= dict(answer.headers).items()
