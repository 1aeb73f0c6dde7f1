"""A model's weights under Magenta's names and shapes.

mvae export runs/mel2 --output mel2.npz
"""

import argparse
from pathlib import Path
from typing import Any

from mvae.commands import compute
from mvae.commands.models import add_model_options, path_of


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser)
    parser.add_argument('--output', type=Path, required=True, help='the .npz to write')


def run(options: argparse.Namespace) -> None:
    path = path_of(options)
    import io

    import numpy as np

    from mvae.files import write_atomically
    from mvae.interop import names
    from mvae.runs.load import load

    compute.prepare()
    model = load(path, options.checkpoint)
    tensors: dict[str, Any] = names.to_magenta(model.params, model.architecture)
    tensors['global_step'] = np.int64(model.step)
    archive = io.BytesIO()
    np.savez(archive, **tensors)
    write_atomically(options.output, archive.getvalue())
    print(f'{options.output}: {len(tensors)} tensors of step {model.step} of {path}')
