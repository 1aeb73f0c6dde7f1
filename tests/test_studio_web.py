"""The studio's server: one page with its headers, and nothing else."""

from starlette.testclient import TestClient

from mvae.studio.web import make_app


def test_it_serves_the_page_alone():
    client = TestClient(make_app(b'<!doctype html>', ['testserver']))
    answer = client.get('/')
    assert answer.status_code == 200 and answer.content == b'<!doctype html>'
    assert answer.headers['content-type'].startswith('text/html')
    assert "frame-ancestors 'none'" in answer.headers['content-security-policy']
    assert answer.headers['x-content-type-options'] == 'nosniff'
    assert client.get('/weights').status_code == 404


def test_it_answers_to_its_own_name_alone():
    client = TestClient(make_app(b'', ['testserver']), base_url='http://elsewhere.example')
    assert client.get('/').status_code == 403
