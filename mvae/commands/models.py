"""Which model a command is about: a run folder, a compact file, or a released name."""

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mvae.commands import folders
from mvae.commands.folders import released
from mvae.commands.options import add_checkpoint, add_seed, nearest
from mvae.errors import InputError
from mvae.runs import hub

if TYPE_CHECKING:
    from mvae.runs.load import TrainedModel


def add_model_options(
    parser: argparse.ArgumentParser, data: str = '', seed: int | None = 0
) -> None:
    """MODEL, or --exp for a training of one's own.

    data: what else --data is for, where a command reads a dataset. seed: the default, None where
    each call draws another.
    """
    parser.add_argument(
        'model',
        nargs='?',
        metavar='MODEL',
        help=f'a released model ({", ".join(released())}), a run folder such as runs/trio16, '
        'a model file (.npz), or one on a hub (hf://OWNER/NAME)',
    )
    parser.add_argument('--run', help=argparse.SUPPRESS)  # MODEL of older command lines
    parser.add_argument('--exp', help='instead of MODEL: your own training, such as --exp trio16')
    parser.add_argument('--variant', help='with --exp: the variant that was trained')
    data = data or 'with --exp: the dataset that it was trained on'
    parser.add_argument('--data', type=Path, help=data)
    add_checkpoint(parser)
    add_seed(parser, seed)


def path_of(options: argparse.Namespace) -> Path:
    """What MODEL, --run or --exp mean, checked. Raises InputError that says what to type."""
    given = [name for name in (options.model, options.run, options.exp) if name]
    if not given:
        names = ', '.join(released())
        raise InputError(
            f'say which model: one of {names}, or a run folder, or --exp EXP for your own training'
        )
    if len(given) > 1:
        raise InputError(f'say one model, not {" and ".join(given)}')
    if options.exp:
        return folders.find(options.exp, options.variant, options.data)
    return check(Path(given[0]))


def check(path: Path) -> Path:
    """A path of a model. Raises InputError that says what to type."""
    if path.suffix == '.npz':
        if not os.path.exists(path):
            raise InputError(f'{path} does not exist')
    elif not (hub.is_address(path) or _holds_model(path)):
        if os.path.exists(path) or str(path) not in released():
            raise InputError(
                f'{path} holds no checkpoints; {nearest(str(path), released())}released models: '
                f'{", ".join(released())}; your own: a run folder, such as runs/trio16'
            )
    return path


def _holds_model(folder: Path) -> bool:
    """Whether it is that of a run, of a checkpoint or of a saved model."""
    is_kept = os.path.isdir(folder / 'params') or os.path.isfile(folder / hub.FILE)
    return is_kept or folders.is_run(folder)


def load_model(options: argparse.Namespace) -> tuple[Path, 'TrainedModel']:
    """The path of the model that the options name, and the model."""
    path = path_of(options)
    from mvae.commands import compute
    from mvae.runs.load import load

    compute.prepare()
    return path, load(path, options.checkpoint)


def program() -> str:
    """What to type for `mvae` here: the program on the PATH, or the one beside this Python."""
    if shutil.which('mvae'):
        return 'mvae'
    beside = Path(sys.executable).with_name('mvae')
    words = str(beside) if beside.exists() else f'{sys.executable} -m mvae'
    return words.removeprefix(f'{Path.cwd()}/')
