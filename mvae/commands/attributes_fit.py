"""`mvae attributes fit`: finds the vectors."""

import argparse
from typing import TYPE_CHECKING

from mvae.commands import datasets, vectors
from mvae.commands.models import load_model

if TYPE_CHECKING:
    from mvae.latent.attribute_vectors import Fitted


def fit(options: argparse.Namespace) -> None:
    path, model = load_model(options)
    from mvae.latent import attribute_vectors
    from mvae.runs.released import home

    attributes = vectors.attributes(model.form, options.attribute)
    store = datasets.open_for(model, options.data)
    fitted = vectors.fit(model, store, attributes, options.seed, options.limit)
    about = {
        'data': str(store.path),
        'corpus': store.corpus,
        'limit': options.limit,
        'seed': options.seed,
        'own': options.attribute,
    }
    file = home(path) / vectors.FILE
    attribute_vectors.save(file, fitted, vectors.identity(model) | about)
    _say_vectors(fitted)
    made = f'{fitted.pieces:,} training windows of {store.path}'
    print(f'{file} ({made}, checkpoint of step {model.step})')


def _say_vectors(fitted: 'Fitted') -> None:
    import numpy as np

    print(f'{"":24}{"bottom: up to":>16}{"pieces":>8}{"top: from":>16}{"pieces":>8}{"length":>10}')
    for name, (vector, low, high, bottom, top) in fitted.vectors.items():
        length = np.linalg.norm(vector)
        print(f'{name:24}{low:>16.3f}{bottom:>8}{high:>16.3f}{top:>8}{length:>10.2f}')
    for reason in fitted.skipped.values():
        print(f'no vector: {reason}')
