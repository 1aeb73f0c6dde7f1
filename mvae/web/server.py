"""The web server, on one address, until it is interrupted."""

import contextlib
import socket

import uvicorn
from starlette.types import ASGIApp

from mvae.errors import InputError

_PATIENCE = 2  # seconds that transfers under way have at the end


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes any that is free.

    Raises InputError where the address cannot be had.
    """
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, 'strerror', None) or str(error)
        raise InputError(
            f'cannot listen on {host} port {port}: {reason}; choose another --port or --host'
        ) from None


def address(listening: socket.socket) -> str:
    """http://host:port"""
    host, port = listening.getsockname()[:2]
    return f'http://[{host}]:{port}' if ':' in host else f'http://{host}:{port}'


def run(app: ASGIApp, listening: socket.socket) -> None:
    """Serves until Ctrl-C.

    Keeps no log of who asks: visitors are promised that no address is stored.
    """
    config = uvicorn.Config(
        app,
        lifespan='off',
        access_log=False,
        log_level='warning',
        timeout_graceful_shutdown=_PATIENCE,
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])
