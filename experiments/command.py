"""What the programs of this folder share: errors in one line, the compilation cache, options that
name a run.
"""

import argparse
import difflib
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from mvae.errors import InputError, Interrupted

EXIT_WRONG_INPUT, EXIT_INTERRUPTED, EXIT_UNREAD = 2, 130, 141


def run(
    program: Callable[[argparse.Namespace], None],
    parser: argparse.ArgumentParser,
    settings: str = '',
) -> int:
    """Parses, runs, and returns the exit code: 0 done, 2 wrong input (said in one line), 130
    interrupted, 141 nobody reads (`| head`).

    settings: name of the option that takes the arguments which the parser does not know; without it
    they are refused.
    """
    options, others = parser.parse_known_args()
    if settings:
        setattr(options, settings, others)
    elif others:
        parser.error(f'unknown: {" ".join(others)}')
    logging.getLogger('absl').setLevel(
        logging.ERROR
    )  # orbax warns of things that are as they should be
    use_compilation_cache()
    try:
        program(options)
        sys.stdout.flush()
    except InputError as error:
        print(f'error: {error}', file=sys.stderr)
        return EXIT_WRONG_INPUT
    except (Interrupted, KeyboardInterrupt) as stop:
        print(str(stop) or 'interrupted', file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # or the interpreter complains as it flushes
        return EXIT_UNREAD
    return 0


def use_compilation_cache() -> None:
    import jax

    cache = os.environ.get('XDG_CACHE_HOME', str(Path.home() / '.cache'))
    jax.config.update('jax_compilation_cache_dir', str(Path(cache) / 'mvae'))
    jax.config.update(
        'jax_persistent_cache_min_compile_time_secs', 0.1
    )  # a cold start is made of many small programs


def add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--run', type=Path, help='run folder, or the name of a released model (default: runs/EXP)'
    )
    parser.add_argument('--exp', help='experiment whose run folder is meant, such as trio16')
    parser.add_argument(
        '--checkpoint', default='best', help='best (validation loss), latest, or a step'
    )
    parser.add_argument('--seed', type=int, default=0)


def add_output_options(parser: argparse.ArgumentParser, folder: str) -> None:
    """Of programs that write music. folder: the default, inside the run folder."""
    parser.add_argument('--qpm', type=float, default=120.0, help='tempo, quarters per minute')
    parser.add_argument('--wav', action='store_true', help='write each piece as sound too')
    parser.add_argument('--png', action='store_true', help='write a piano roll of each piece too')
    parser.add_argument('--out', type=Path, help=f'default: {folder} in the run folder')


def run_folder(options: argparse.Namespace) -> Path:
    if not (options.run or options.exp):
        raise InputError('say which run: --run runs/trio16 or --exp trio16')
    return options.run or Path('runs') / options.exp


def positive(text: str) -> int:
    """An integer of at least 1, for argparse."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not an integer of at least 1')
    return int(text)


def choose(what: str, name: str, known: tuple[str, ...]) -> str:
    """The name if it is known; else InputError with the nearest."""
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, 1, 0.3)
    raise InputError(
        f'unknown {what} {name!r}; '
        + (f'did you mean {near[0]}? ' if near else '')
        + f'known: {", ".join(known)}'
    )
