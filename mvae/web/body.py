"""Reads what a page sends to its server: a small JSON object, from this server's own page."""

import json
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST_BYTES = 1000


async def read_json(request: Request, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The JSON object in a request's body.

    Other sites' forms cannot send JSON, and their scripts would have to name their origin.

    Raises HTTPException: 403 for another site's page, 415 for another type than JSON, 413 for more
    than most_bytes, 400 for what is no JSON object.
    """
    _check_origin(request)
    kind = request.headers.get('content-type', '').partition(';')[0].strip().lower()
    if kind != 'application/json':
        raise HTTPException(415, 'send application/json')
    try:
        body = json.loads(await _read(request, most_bytes))
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, 'send a JSON object')
    return body


def _check_origin(request: Request) -> None:
    origin, host = request.headers.get('origin'), request.headers.get('host')
    if origin is not None and not (host and _host(origin) == host):
        raise HTTPException(403, 'this server takes requests from its own page alone')


def _host(origin: str) -> str:
    """'http://host:port' -> 'host:port'; '' for what is no address."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ''


async def _read(request: Request, most_bytes: int) -> bytes:
    content = b''
    async for part in request.stream():
        content += part
        if len(content) > most_bytes:
            raise HTTPException(413, f'this is too long: send at most {most_bytes} bytes')
    return content
