"""Options that several commands take, and how a wrong one is answered."""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from mvae.errors import InputError


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, by InputError.

    Where a default `settings` is set, what it does not know is put there; else it is refused.
    """

    def __init__(self, **about):
        super().__init__(**about, formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message: str) -> NoReturn:
        raise InputError(f'{message}; {self.prog} --help says what it takes')

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        options, others = self.parse_known_args(arguments)
        if hasattr(options, 'settings'):
            options.settings = others
        elif others:
            self.error(f'unknown: {" ".join(others)}')
        return options


def add_output_options(
    parser: argparse.ArgumentParser, folder: str, qpm: str = 'that of the file, else 120'
) -> None:
    """Of commands that write music.

    folder: the default, inside the run folder. qpm: the default, in words.
    """
    add_sound_options(parser, qpm)
    parser.add_argument(
        '--out',
        type=Path,
        help='where to write, in place of what an earlier call wrote there '
        f'(default: a new folder in {folder} in the run folder)',
    )


def add_sound_options(parser: argparse.ArgumentParser, qpm: str) -> None:
    """How pieces are played, and what is written beside their MIDI. qpm: the default, in words."""
    parser.add_argument('--qpm', type=float, help=f'tempo, quarters per minute (default: {qpm})')
    parser.add_argument(
        '--wav',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='write each piece as sound too (the default)',
    )
    parser.add_argument('--png', action='store_true', help='write a piano roll of each piece too')


def add_chords(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        '--chords',
        metavar='SYMBOLS',
        help="for a model that is told chords: 'C G Am F' one for each bar, 'C G | Am F' several; "
        f'they begin anew where the piece is longer (default: {default})',
    )


def add_seed(parser: argparse.ArgumentParser, default: int | None = 0) -> None:
    """default: None where each call draws another."""
    usual = 'each call draws one' if default is None else str(default)
    text = f'the same seed gives the same result (default: {usual})'
    parser.add_argument('--seed', type=int, default=default, help=text)


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--checkpoint', default='best', help='best (validation loss), latest, or a step'
    )


def add_pieces(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--pieces',
        type=positive,
        default=256,
        help='new pieces whose form is measured, and as many of the music (default: 256)',
    )


def add_programs(
    parser: argparse.ArgumentParser,
    programs: Mapping[str, tuple[Callable[[argparse.Namespace], None], str]],
) -> dict[str, argparse.ArgumentParser]:
    """Commands inside a command: {name: (function, line)} -> the parser of each, by name.

    The function that was named is `options.program`.
    """
    choices = parser.add_subparsers(required=True, metavar=' | '.join(programs))
    parsers = {}
    for name, (function, line) in programs.items():
        parsers[name] = choices.add_parser(name, help=line, description=line)
        parsers[name].set_defaults(program=function)
    return parsers


def positive(text: str) -> int:
    """An integer of at least 1, for argparse."""
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not an integer of at least 1')
    return int(text)


def choose(what: str, name: str, known: Iterable[str]) -> str:
    """The name if it is known; else InputError with the nearest."""
    known = tuple(known)
    if name in known:
        return name
    raise InputError(f'unknown {what} {name!r}; {nearest(name, known)}known: {", ".join(known)}')


def nearest(name: str, known: Sequence[str]) -> str:
    """'did you mean trio16? ', or '' where nothing is near."""
    import difflib

    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f'did you mean {near[0]}? ' if near else ''


def need(extra: str, *modules: str) -> None:
    """Raises InputError where packages of an extra of mvae are not installed."""
    from importlib.util import find_spec

    if lacking := [module for module in modules if find_spec(module) is None]:
        raise InputError(
            f"this needs {' and '.join(lacking)}, not installed here: pip install 'mvae[{extra}]'"
        )
