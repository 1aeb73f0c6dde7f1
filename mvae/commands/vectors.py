"""What the commands about attribute vectors share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mvae.commands.models import program
from mvae.errors import InputError

if TYPE_CHECKING:
    from mvae.dataset.store import Store
    from mvae.latent.attribute_vectors import Fitted
    from mvae.latent.attributes import Attribute
    from mvae.music.form import Form
    from mvae.musicvae import MusicVAE

LIMIT = 20_000  # windows that vectors are fitted to
FILE = 'attributes.json'  # in the run folder: the vectors, and what they were fitted to


def attributes(form: 'Form', own: list[str]) -> 'dict[str, Attribute]':
    """Ours for a form, and those of the user: name -> function."""
    from mvae.latent.attributes import attributes_of, read_attribute

    found = attributes_of(form)
    for place in own:
        name, function = read_attribute(place)
        if name in found:
            raise InputError(
                f'there is an attribute {name} already; rename the function of {place}'
            )
        found[name] = function
    return found


def fit(
    model: 'MusicVAE',
    store: 'Store',
    attributes: 'dict[str, Attribute]',
    seed: int,
    limit: int = LIMIT,
) -> 'Fitted':
    """Vectors of at most `limit` training windows of a dataset, drawn by the seed."""
    import numpy as np

    from mvae.dataset.loader import Loader
    from mvae.latent import attribute_vectors

    loader = Loader(store, model.form, None, seed)
    batches = loader.evaluation_batches('train', 256, limit)
    tokens = np.concatenate([model.form.join(batch.parts)[batch.mask > 0] for batch in batches])
    songs = loader.evaluation_songs('train', limit)
    return attribute_vectors.fit(
        model, tokens, attributes, lambda n: f'training window {n} ({store.title(int(songs[n]))})'
    )


def are_fitted(path: Path) -> bool:
    """Whether the user has found vectors of a model."""
    from mvae.runs.released import home

    return os.path.exists(home(path) / FILE)


def fitted(path: Path, model: 'MusicVAE') -> 'tuple[Fitted, dict[str, Any]]':
    """The vectors of a model, and what they were fitted to.

    Raises InputError where there are none yet, or they are of another checkpoint.
    """
    from mvae.latent import attribute_vectors
    from mvae.runs.released import home

    if not are_fitted(path):
        raise InputError(
            f'there are no attribute vectors of {path} yet; find them first: '
            f'{program()} attributes fit {path}'
        )
    return attribute_vectors.load(home(path) / FILE, identity(model))


def identity(model: 'MusicVAE') -> dict[str, Any]:
    """What says that two checkpoints are the same one.

    The loss tells runs apart that were trained to the same step.
    """
    return {
        'step': model.step,
        'latent_size': model.latent_size,
        'form': model.form.name,
        'bars': model.form.bars,
        'loss': model.metrics.get('loss'),
    }
