"""A page that plays with models in the browser: blend, morph, vary, fill, draw new pieces.

    mvae studio
    mvae studio trio16 runs/mine
    mvae studio mel2 drum2 --export page.html

Without MODEL the page has the released models. It runs them itself and asks nothing of any network;
--export writes it as one file, with the weights inside, that works wherever it is opened or put.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mvae.commands.models import check, released
from mvae.commands.options import add_checkpoint, add_seed, need
from mvae.errors import InputError

if TYPE_CHECKING:
    from mvae.studio.contents import Contents


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'models',
        nargs='*',
        metavar='MODEL',
        help=f'released models ({", ".join(released())}), run folders, model files; a tab for each',
    )
    parser.add_argument('--export', type=Path, metavar='FILE', help='write the page, do not serve')
    parser.add_argument('--host', default='127.0.0.1', help='address to serve on')
    parser.add_argument('--port', type=int, default=8000, help='0: any that is free')
    parser.add_argument(
        '--open', action=argparse.BooleanOptionalAction, default=True, help='open the browser'
    )
    add_checkpoint(parser)
    add_seed(parser)


def run(options: argparse.Namespace) -> None:
    if options.export is None:
        need('studio', 'starlette', 'uvicorn')
    from mvae.studio.page import build

    page = build(_tabs(options))
    if options.export is not None:
        from mvae.files import write_atomically

        write_atomically(options.export, page)
        print(f'{options.export}: {len(page) / 1e6:.1f} MB; open it in a browser')
        return
    _serve(page, options)


def _tabs(options: argparse.Namespace) -> list['Contents']:
    """Those of the models that are named, or of the released ones that the page can play."""
    if options.models:
        return [_contents(path, options) for path in _paths(options.models)]
    found = []
    for path in _paths(released()[::-1]):  # trio16 first
        try:
            found.append(_contents(path, options))
        except InputError as error:
            print(f'left out: {error}')
    return found


def _paths(names: Sequence[str]) -> list[Path]:
    """The models' paths, all there and with names of their own."""
    paths = [check(Path(name)) for name in names]
    called = [path.stem for path in paths]
    if twice := [name for name in called if called.count(name) > 1]:
        raise InputError(f'two models are called {twice[0]}: copy one to another name')
    return paths


def _contents(path: Path, options: argparse.Namespace) -> 'Contents':
    from mvae.commands import compute
    from mvae.runs.load import load
    from mvae.studio.contents import contents

    compute.prepare()
    print(f'{path} ...', flush=True)
    return contents(path.stem, load(path, options.checkpoint), options.seed)


def _serve(page: bytes, options: argparse.Namespace) -> None:
    from mvae.studio.web import make_app
    from mvae.web import server

    listening = server.bind(options.host, options.port)
    address = server.address(listening)
    print(f'Studio: {address}  (Ctrl-C ends it)', flush=True)
    if options.open:
        import webbrowser

        webbrowser.open(address)
    server.run(make_app(page, {options.host}), listening)
