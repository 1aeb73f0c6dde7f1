"""The studio's page as a web application: one page, and nothing else."""

from collections.abc import Collection

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mvae.web.app import build_app


def make_app(page: bytes, names: Collection[str] = ()) -> Starlette:
    """The application of a page of `page.build`; names: see `build_app`.

    The page brings its own policy, stricter than that of other pages.
    """

    async def index(request: Request) -> Response:
        return Response(page, media_type='text/html', headers=_HEADERS)

    return build_app([Route('/', index)], 'the studio cannot be shown at the moment', names)


_HEADERS = {'content-security-policy': "frame-ancestors 'none'"}
