"""The program `mvae`: one command for each thing to do, a module for each command.

A module has `add_options(parser)` and `run(options)`; its docstring is what `mvae COMMAND --help`
shows. Modules import what is heavy inside their functions, so that help and wrong arguments are
answered at once.
"""

import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from mvae.commands import copies
from mvae.commands.options import Parser, choose
from mvae.commands.program import guarded
from mvae.errors import InputError

# Name, module, and a line on what it does.
GROUPS = {
    'Make music': (
        ('sample', 'sample', 'new pieces by a model'),
        ('interpolate', 'interpolate', 'go from one piece to another'),
        ('infill', 'infill', 'keep some bars of a piece and draw the others anew'),
        ('humanize', 'grooves', 'play a rigid drum pattern as a drummer would'),
        ('tap', 'grooves', 'make a whole drum set of a tapped rhythm'),
        ('drumify', 'grooves', 'make drums to the rhythm of any track'),
        ('add-hats', 'grooves', 'add a closed hi-hat to drums'),
        ('attributes', 'attributes', 'make a piece denser, more syncopated, more of what you say'),
        ('studio', 'studio', 'a page in the browser that blends, varies, fills and plays'),
        ('gallery', 'gallery', 'a page with play buttons for all that a model made'),
    ),
    'Train and evaluate': (
        ('data', 'data', 'turn a folder of MIDI files into a dataset'),
        ('train', 'train', 'train a model'),
        ('prior', 'prior', 'learn where its new pieces come from, so that they have form'),
        ('eval', 'evaluate', 'how well a model gives back music that it has not seen'),
        ('table', 'table', 'several trained models side by side'),
    ),
    'Studies': (
        ('study', 'study', 'train a flat and a hierarchical model alike, and compare them'),
        ('interpolation-study', 'interpolation_study', 'what lies between two pieces, measured'),
        ('misplaced', 'misplaced', 'does a model know which bar is which?'),
        ('listen', 'listen', 'a listening test in the browser, and its statistics'),
    ),
    'Exchange and release': (
        ('import', 'import_magenta', "take over a model of Google's Magenta"),
        ('export', 'export', 'write a model for other programs'),
        ('release', 'release', 'pack a trained model into one small file'),
    ),
}
COMMANDS = {name: (module, line) for group in GROUPS.values() for name, module, line in group}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code (see `program.guarded`).

    arguments: `['sample', 'trio16']`; None takes those of the command line.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    return guarded(lambda: _run(given))


def parser_of(name: str) -> tuple[ModuleType, Parser]:
    """The module of a command and the parser of its options."""
    module = importlib.import_module(f'mvae.commands.{COMMANDS[name][0]}')
    parser = Parser(prog=f'mvae {name}', description=module.__doc__)
    module.add_options(parser)
    parser.set_defaults(command=name)  # some modules have several
    return module, parser


def _run(arguments: list[str]) -> None:
    name, *others = arguments or ['--help']
    if name in ('--help', '-h', 'help'):
        print(overview())
    elif name == '--version':
        import mvae

        print(f'mvae {mvae.__version__}')
    elif name.startswith('-'):
        raise InputError(f'{name}: a command comes first; mvae --help lists them')
    else:
        module, parser = parser_of(choose('command', name, tuple(COMMANDS)))
        options = parser.parse(others)
        with copies.of(options):
            module.run(options)


def overview() -> str:
    """What `mvae --help` says."""
    lines = ['usage: mvae COMMAND ...', '', 'Melodies, drum patterns and trios by MusicVAE.']
    for title, commands in GROUPS.items():
        lines += ['', f'{title}:', *(f'  {name:21}{line}' for name, _, line in commands)]
    return '\n'.join(
        [*lines, '', 'Hear something first:  mvae sample trio16']
        + ['What a command takes:  mvae sample --help', 'Which version this is: mvae --version']
    )
