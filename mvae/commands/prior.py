"""Learn where new pieces of a trained model come from.

    mvae prior runs/trio16
    mvae prior runs/trio16 --steps 6000 --windows 30000 --batch 256

`mvae train` does this at its end. This command does it for a run that was trained without it, or
anew and longer: a small network learns from the codes that the model gives to training music, so
that new pieces have form. It writes learned_prior.npz into the run folder; `mvae sample` and
`mvae eval` then take it.
"""

import argparse
from typing import TYPE_CHECKING

from mvae.commands import datasets
from mvae.commands.models import add_model_options, load_model
from mvae.commands.options import positive
from mvae.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from mvae.dataset.store import Store
    from mvae.musicvae import MusicVAE


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, data='dataset (default: the one that the model was trained on)')
    parser.add_argument('--steps', type=positive, help='updates (default: those of its config)')
    parser.add_argument(
        '--windows', type=positive, help='of training music, at most (default: as its config says)'
    )
    batch = 'windows of one update (default: as its config says); with more it draws better, slower'
    parser.add_argument('--batch', type=positive, help=batch)


def run(options: argparse.Namespace) -> None:
    path, model = load_model(options)
    if not path.is_dir() or (path / 'params').is_dir():
        raise InputError(f'{path} is no run folder; what is learned is kept in one')
    settings = model.config.prior
    settings.steps = options.steps or settings.steps or 3000
    settings.windows = options.windows or settings.windows
    settings.batch_size = options.batch or settings.batch_size
    learn(path, model, datasets.open_for(model, options.data), options.seed)


def learn(run: 'Path', model: 'MusicVAE', store: 'Store', seed: int) -> None:
    """Learns the prior of a run's model as its config says, and keeps it with the run."""
    from mvae.dataset.loader import Loader
    from mvae.runs import learned
    from mvae.training import prior

    c = model.config
    loader = Loader(store, model.form, c.training.batch_size, seed, tuple(c.data.transpose))
    found = prior.learn(model, loader, c.prior, seed)
    learned.write(run, found, model.params)
    print(f'Learned prior: {run / learned.FILE}')
