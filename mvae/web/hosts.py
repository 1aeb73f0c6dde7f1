"""Refuses requests for names that are not this server's.

A foreign page can let its own name point to this address (DNS rebinding); for a browser it is then
one page with ours. It cannot do so with numbers, nor with the names of this machine.
"""

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class KnownHosts:
    """Middleware that answers 403 unless Host is an address, a name of this machine or of `names`.

    Ports do not count.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = ()):
        own = {'localhost', socket.gethostname(), socket.getfqdn()}
        self.app, self._names = app, {name.lower() for name in {*own, *names}}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Request(scope).headers.get('host', '')
        if self._knows(host):
            await self.app(scope, receive, send)
        else:
            answer = JSONResponse({'error': 'this server has another name'}, 403)
            await answer(scope, receive, send)

    def _knows(self, host: str) -> bool:
        try:
            name = urlsplit(f'//{host}').hostname or ''
            return name in self._names or bool(ipaddress.ip_address(name))
        except ValueError:  # no address, or brackets that do not close
            return False
