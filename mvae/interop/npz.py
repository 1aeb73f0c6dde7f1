"""A model as an .npz: weights under Magenta's names and shapes."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from mvae.files import write_atomically
from mvae.interop import names
from mvae.musicvae import MusicVAE


def write(model: MusicVAE, path: Path) -> str:
    """Writes the file. Raises InputError for models that are none of Magenta's."""
    tensors: dict[str, Any] = names.to_magenta(model.params, model.architecture)
    tensors['global_step'] = np.int64(model.step)
    archive = io.BytesIO()
    np.savez(archive, **tensors)
    write_atomically(path, archive.getvalue())
    return f'{len(tensors)} tensors'
