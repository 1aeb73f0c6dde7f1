"""Attribute vectors in a model file: float16 arrays by name."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mvae.files import damaged

_VECTOR = 'attribute '  # before the name of the attribute


def to_arrays(attributes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Vectors by attribute, as the arrays of a file."""
    return {_VECTOR + name: vector.astype(np.float16) for name, vector in attributes.items()}


def take(path: Path, arrays: dict[str, np.ndarray], size: int) -> dict[str, np.ndarray]:
    """The vectors of `to_arrays`, float32 [size], taken out of a file's; {} where it has none.

    Raises InputError where one is of another size.
    """
    names = [name for name in arrays if name.startswith(_VECTOR)]
    vectors = {name.removeprefix(_VECTOR): arrays.pop(name) for name in names}
    for name, vector in vectors.items():
        if vector.shape != (size,):
            raise damaged(path, f'its vector of {name} is not of {size} numbers')
    return vectors
