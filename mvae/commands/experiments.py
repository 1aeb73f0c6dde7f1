"""Experiments that can be trained: the files that come with mvae, and one's own.

An experiment is one file, `experiments/configs/NAME.py`, with `get_config(variant, scale)`. Those
of the working directory count too, before ours of the same name.
"""

import os
import runpy
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from mvae.commands.options import choose
from mvae.errors import InputError

if TYPE_CHECKING:
    from ml_collections import ConfigDict

_PACKAGE = Path(__file__).parents[1]
_OURS = (_PACKAGE / 'experiments', _PACKAGE.parent / 'experiments' / 'configs')  # wheel, source
_OWN = Path('experiments') / 'configs'


def files() -> dict[str, Path]:
    """Name -> file of every experiment, found by their file names alone."""
    ours = next((folder for folder in _OURS if folder.is_dir()), _OWN)
    found = {path.stem: path for folder in (ours, _OWN) for path in folder.glob('[!_]*.py')}
    return dict(sorted(found.items()))


def find(experiment: str) -> tuple[str, Path]:
    """Name and file of an experiment, given its name or a path of a .py file."""
    if experiment.endswith('.py'):
        if not os.path.isfile(experiment):
            raise InputError(
                f'{experiment} does not exist; an experiment is a file such as mel2.py'
            )
        return Path(experiment).stem, Path(experiment)
    known = files()
    return experiment, known[choose('experiment', experiment, known)]


def load(experiment: str, variant: str | None, scale: str) -> 'ConfigDict':
    """The config of an experiment, of the file's own variant where none is named.

    Raises InputError for names that do not exist.
    """
    name, file = find(experiment)
    from mvae.config import SCALES, VARIANTS
    from mvae.runs import settings

    scale = choose('scale', scale, SCALES)
    choices = {'variant': choose('variant', variant, VARIANTS)} if variant else {}
    config = _run(file, name, {'scale': scale, **choices})
    settings.check(config)
    return config


def _run(file: Path, name: str, choices: dict[str, str]) -> 'ConfigDict':
    """What the file's `get_config` gives. Raises InputError where it does not run."""
    from ml_collections import ConfigDict

    try:
        config = runpy.run_path(str(file), run_name=name)['get_config'](**choices)
        if not isinstance(config, ConfigDict):
            raise TypeError(f'get_config gives {type(config).__name__}, not a ConfigDict')
    except InputError:
        raise
    except Exception as error:  # whatever the user's file raises
        places = traceback.extract_tb(error.__traceback__)
        line = next((f', line {p.lineno}' for p in reversed(places) if p.filename == str(file)), '')
        raise InputError(
            f'{file}{line} does not run: {type(error).__name__}: {error}; an experiment has a '
            'get_config(variant, scale), as those in experiments/configs'
        ) from None
    return config
