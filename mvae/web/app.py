"""A web application with the headers of all our pages and errors that a page can show."""

import sys
from collections.abc import Collection, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from mvae.errors import InputError
from mvae.web.headers import SecurityHeaders
from mvae.web.hosts import KnownHosts


def build_app(routes: Sequence[BaseRoute], apology: str, names: Collection[str] = ()) -> Starlette:
    """An application of these routes.

    names: under which it is reached, besides addresses and the names of this machine.

    A refusal (HTTPException) is answered by JSON {error} with its status. An InputError is a
    failure of the server: its text goes to standard error, for whoever runs the server, and the
    visitor gets {error: apology} with status 503.
    """

    async def fail(request: Request, error: Exception) -> Response:
        print(f'error: {error}', file=sys.stderr, flush=True)
        return JSONResponse({'error': apology}, 503)

    return Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeaders), Middleware(KnownHosts, names=names)],
        exception_handlers={HTTPException: _refuse, InputError: fail},
    )


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({'error': error.detail}, error.status_code, error.headers)
