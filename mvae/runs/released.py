"""The models that come with mvae, and where what is made of a model is written."""

import os
from pathlib import Path

from mvae.runs import hub

RELEASED = Path(__file__).parent.parent / 'released'


def released() -> tuple[str, ...]:
    """Names of the models that come with mvae."""
    return tuple(sorted(path.stem for path in RELEASED.glob('*.npz')))


def find(path: str | Path) -> Path | None:
    """The model file that is meant; None for anything else.

    By its path, by the folder that `save` wrote, by a released name, or by its address on a hub,
    from where it is fetched. A folder of that name goes before a released model.
    """
    if hub.is_address(path):
        return hub.fetch(path)
    path = Path(path)
    if path.suffix == '.npz':
        return path
    if os.path.isfile(path / hub.FILE):
        return path / hub.FILE
    is_name = str(path) in released() and not os.path.exists(path)
    return RELEASED / f'{path}.npz' if is_name else None


def home(run: str | Path) -> Path:
    """The folder for what is made of a model.

    A run's own, or that of a saved model, or runs/released/NAME for a released one, a model file or
    one on a hub.
    """
    if hub.is_address(run):
        return Path('runs') / 'released' / hub.name_of(run)
    file = find(run)
    if file is None or file == Path(run) / hub.FILE:
        return Path(run)
    return Path('runs') / 'released' / file.stem
