"""The dataset that a command reads: the one that it was given, or the one of the model."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mvae import remote
from mvae.commands import data
from mvae.errors import InputError

if TYPE_CHECKING:
    from mvae.dataset.store import Store
    from mvae.musicvae import MusicVAE


def open_for(model: 'MusicVAE', given: Path | None) -> 'Store':
    """The dataset `given`, else the one that the model was trained on.

    The demo corpus is built where it is wanted and missing. Raises InputError where a dataset
    cannot be opened, or what the model was trained on is not here.
    """
    from mvae.dataset.store import Store

    path = given or Path(model.config.data.path)
    if not given and path == data.DEMO:
        data.build_demo()
    elif not given and not (remote.is_address(path) or os.path.exists(path)):
        raise InputError(
            f'the model was trained on {path}, which is not here; name another dataset, such as '
            f'--data data/mine (mvae data --help says how to make one)'
        )
    return Store.open(path)
