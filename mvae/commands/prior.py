"""Learn where new pieces of a trained model come from.

    mvae prior runs/trio16
    mvae prior runs/trio16 --steps 6000 --windows 30000 --batch 256
    mvae prior trio16 --data data/mine --out mine.npz

`mvae train` does this at its end. This command does it for a run that was trained without it, or
anew and longer: a small network learns from the codes that the model gives to training music, so
that new pieces have form. It writes learned_prior.npz into the run folder; `mvae sample` and
`mvae eval` then take it. With --out it writes a model file and leaves the model as it is: so a
released model, untrained, learns to draw pieces in the manner of your music.
"""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from mvae.commands import datasets
from mvae.commands.models import add_model_options, load_model
from mvae.commands.options import positive
from mvae.errors import InputError

if TYPE_CHECKING:
    from mvae.dataset.store import Store
    from mvae.model.prior import Learned
    from mvae.musicvae import MusicVAE


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, data='dataset (default: the one that the model was trained on)')
    parser.add_argument('--steps', type=positive, help='updates (default: those of its config)')
    parser.add_argument(
        '--windows', type=positive, help='of training music, at most (default: as its config says)'
    )
    batch = 'windows of one update (default: as its config says); with more it draws better, slower'
    parser.add_argument('--batch', type=positive, help=batch)
    width = 'numbers that its network has for a bar (default: as its config says)'
    parser.add_argument('--width', type=positive, help=width)
    out = 'write a model file, NAME.npz, with it; without: into the run folder'
    parser.add_argument('--out', type=Path, help=out)


def run(options: argparse.Namespace) -> None:
    path, model = load_model(options)
    from mvae.runs.settings import check

    _check_target(path, options.out)
    settings = model.config.prior
    settings.steps = options.steps or settings.steps or 3000
    settings.windows = options.windows or settings.windows
    settings.batch_size = options.batch or settings.batch_size
    settings.width = options.width or settings.width
    check(model.config)
    store = datasets.open_for(model, options.data)
    if not options.out:
        return learn(path, model, store, options.seed)
    found = _learn(model, store, options.seed)
    dataclasses.replace(model, learned=found).save(options.out)
    print(f'Model with a learned prior: {options.out}')


def _check_target(path: Path, out: Path | None) -> None:
    """Whether the prior can be kept there, before it is learned. Raises InputError."""
    if out and out.suffix != '.npz':
        raise InputError(f'--out {out} is no model file: name it NAME.npz')
    if not out and (not path.is_dir() or (path / 'params').is_dir()):
        raise InputError(
            f'{path} is no run folder, where what is learned is kept; say where to write a model '
            'file with it: --out NAME.npz'
        )


def learn(run: Path, model: 'MusicVAE', store: 'Store', seed: int) -> None:
    """Learns the prior of a run's model as its config says, and keeps it with the run."""
    from mvae.runs import learned

    learned.write(run, _learn(model, store, seed), model.params)
    print(f'Learned prior: {run / learned.FILE}')


def _learn(model: 'MusicVAE', store: 'Store', seed: int) -> 'Learned':
    from mvae.dataset.loader import Loader
    from mvae.training import prior

    c = model.config
    loader = Loader(store, model.form, c.training.batch_size, seed, tuple(c.data.transpose))
    return prior.learn(model, loader, c.prior, seed)
