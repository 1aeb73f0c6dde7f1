"""The models that come with mvae, and where what is made of a model is written."""

import os
from pathlib import Path

RELEASED = Path(__file__).parent.parent / 'released'


def released() -> tuple[str, ...]:
    """Names of the models that come with mvae."""
    return tuple(sorted(path.stem for path in RELEASED.glob('*.npz')))


def find(path: str | Path) -> Path | None:
    """The model file that a path or a released name means; None for anything else.

    A folder of that name goes before a released model.
    """
    path = Path(path)
    if path.suffix == '.npz':
        return path
    is_name = str(path) in released() and not os.path.exists(path)
    return RELEASED / f'{path}.npz' if is_name else None


def home(run: str | Path) -> Path:
    """The folder for what is made of a model.

    A run's own, or runs/released/NAME for a released model or a model file.
    """
    file = find(run)
    return Path('runs') / 'released' / file.stem if file is not None else Path(run)
