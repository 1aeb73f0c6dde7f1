"""Addresses that are had or not, and a server that serves and ends."""

import socket
import subprocess
import sys
import urllib.request

import pytest

from mvae.errors import InputError
from mvae.web.server import address, bind

SERVE = """
import _thread, threading
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from mvae.web import server

async def hello(request):
    return PlainTextResponse('hello')

listening = server.bind('127.0.0.1', 0)
print(server.address(listening), flush=True)
threading.Thread(target=lambda: input() or _thread.interrupt_main(), daemon=True).start()
server.run(Starlette(routes=[Route('/', hello)]), listening)
print('ended')
"""


def test_port_0_takes_a_free_one():
    with bind('127.0.0.1', 0) as one, bind('127.0.0.1', 0) as other:
        assert address(one) != address(other)
        assert address(one) == f'http://127.0.0.1:{one.getsockname()[1]}'


def test_addresses_of_ip_version_6_are_in_brackets():
    try:
        listening = bind('::1', 0)
    except InputError:
        pytest.skip('this machine has no IPv6')
    with listening:
        assert address(listening).startswith('http://[::1]:')


def test_an_address_that_cannot_be_had_is_one_clear_line():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        for port in (taken.getsockname()[1], 70_000):
            with pytest.raises(InputError, match=f'{port}.*another --port or --host') as error:
                bind('127.0.0.1', port)
            assert '\n' not in str(error.value)


def test_it_serves_until_it_is_interrupted_and_logs_no_visitor():
    pipes = dict.fromkeys(('stdin', 'stdout', 'stderr'), subprocess.PIPE)
    with subprocess.Popen([sys.executable, '-c', SERVE], text=True, **pipes) as process:
        try:
            url = process.stdout.readline().strip()
            with urllib.request.urlopen(url, timeout=30) as response:
                assert response.read() == b'hello'
        finally:
            said, errors = process.communicate('\n', timeout=30)
    assert (process.returncode, said, errors) == (0, 'ended\n', '')
