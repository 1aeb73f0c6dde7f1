"""Train a model.

    mvae train --exp trio16
    mvae train --exp mel16 --variant flat --data data/mine --steps 5000

The same command goes on where it stopped. Without --data the demo corpus is built and taken. Music
and pictures of the training go into the run folder: runs/trio16, or where something else is asked
for runs/trio16-flat, runs/trio16-mine. Any setting of mvae/config.py can be changed:
--config.training.batch_size=32.
"""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from mvae import remote
from mvae.commands import compute, data, experiments, folders, overrides
from mvae.commands.models import program
from mvae.commands.options import positive

if TYPE_CHECKING:
    from ml_collections import ConfigDict


def add_options(parser: argparse.ArgumentParser) -> None:
    names = ', '.join(experiments.files())
    parser.add_argument(
        '--exp', required=True, help=f'experiment: {names}, or a file of your own, mine.py'
    )
    parser.add_argument(
        '--variant',
        help="flat, hierdec, hierenc or hier (default: the experiment's own)",
    )
    parser.add_argument(
        '--scale', help='tiny, small or paper (default: paper on an accelerator, small on a CPU)'
    )
    parser.add_argument('--bars', type=positive, help='bars of music that the model reads at once')
    parser.add_argument('--data', type=Path, help='dataset made by mvae data (default: data/demo)')
    parser.add_argument('--run', type=Path, help='run folder (default: runs/EXP, see above)')
    parser.add_argument('--steps', type=positive, help='updates')
    parser.add_argument(
        '--coordinator',
        help='HOST:PORT of process 0, where peers are not found by themselves (or '
        'MVAE_COORDINATOR)',
    )
    parser.add_argument(
        '--processes', type=int, help='how many processes train together (or MVAE_PROCESSES)'
    )
    parser.add_argument('--process', type=int, help='which of them this is (or MVAE_PROCESS)')
    parser.add_argument(
        '--patience',
        type=positive,
        default=300,
        help='seconds to wait for a process that does not come or is gone (default: 300)',
    )
    parser.set_defaults(settings=[])


def run(options: argparse.Namespace) -> None:
    # Wrong names are said, and the data built, before the devices start.
    first = _config(options, options.scale or 'small')
    if not options.data and Path(first.data.path) == data.DEMO:
        data.build_demo()
    from mvae.training import processes

    compute.prepare()
    processes.join(options.coordinator, options.processes, options.process, options.patience)
    scale, why = _scale(options.scale)
    config = _config(options, scale)
    if config.checkpoint.init_from:
        _take_model(config, config.checkpoint.init_from)
        _override(config, options)
    own = experiments.load(options.exp, None, scale)
    folder = options.run or folders.folder_of(options.exp, own, config)
    if processes.is_first():
        what = f'{options.exp} {config.variant}, scale {scale} ({why}), data {config.data.path}'
        print(f'{what}, in {folder}', flush=True)
    from mvae.training.loop import train_and_evaluate
    from mvae.training.peers import Watch

    with Watch(options.patience):
        train_and_evaluate(config, folder)
    processes.leave()
    if processes.is_first():
        _learn_prior(folder, config)
        _summarise(folder, scale, options)


def _config(options: argparse.Namespace, scale: str) -> 'ConfigDict':
    config = experiments.load(options.exp, options.variant, scale)
    _override(config, options)
    return config


def _override(config: 'ConfigDict', options: argparse.Namespace) -> None:
    for argument in options.settings:
        overrides.apply(config, argument)
    if options.data:
        config.data.path = remote.address_of(options.data)
    if options.steps is not None:
        config.training.steps = options.steps
    if options.bars is not None:
        config.bars = options.bars


def _scale(asked: str | None) -> tuple[str, str]:
    """The scale, and why it is that one. Starts the devices."""
    if asked:
        return asked, 'as asked'
    import jax

    platform = jax.default_backend()
    scale, other = ('small', 'paper') if platform == 'cpu' else ('paper', 'small')
    return scale, f'the default on {platform}; --scale {other} takes the other'


def _take_model(config: 'ConfigDict', run: str) -> None:
    """Sizes and notation of the run that a new one starts from, so that nobody has to copy them.

    Raises InputError where it is of another form. Its windows may be of another length: weights
    know nothing of it, and what is learned on 2 bars is a start for 16.
    """
    from mvae.errors import InputError
    from mvae.runs.load import load_config

    old = load_config(run)
    if old.form != config.form:
        raise InputError(f'{run} is a model of {old.form}, not of {config.form}')
    config.update(variant=old.variant, model=old.model, music=old.music)


def _learn_prior(run: Path, c: 'ConfigDict') -> None:
    """The learned prior of the best checkpoint, where settings ask for it and none is there."""
    from mvae.commands.prior import learn
    from mvae.dataset.store import Store
    from mvae.runs.load import load

    model = load(run)
    if c.prior.steps and model.learned is None:
        model.config.prior = c.prior
        learn(run, model, Store.open(c.data.path), c.seed)


def _summarise(run: Path, scale: str, options: argparse.Namespace) -> None:
    """The last lines: how well the best checkpoint reconstructs, and what to do next.

    The music is unseen, and the accuracy stands beside that of doing nothing.
    """
    from mvae.dataset.store import Store
    from mvae.evaluation.reconstruction import format_table
    from mvae.evaluation.runs import evaluate_run
    from mvae.render.gallery import render_missing, write_gallery
    from mvae.runs.load import load

    model = load(run)
    c = model.config
    result, _ = evaluate_run(
        run,
        model,
        Store.open(c.data.path),
        split='validation',
        limit=c.evaluation.windows,
        seed=c.seed,
        batch_size=c.evaluation.batch_size,
        pieces=0,
    )
    print(
        'Reconstruction of validation windows by the best checkpoint '
        f'(step {result["step"]}), beside the most frequent token:'
    )
    print(format_table(result))
    if scale == 'small':
        _say_how_to_go_on(c, run, options)
    if steps := sorted((run / 'samples').glob('step_*')):
        render_missing(steps[-1])
        print(f'Listen and look: {write_gallery(run)}')
    print(f'Music and pictures: {run}/samples')
    print(f'Next: {program()} sample {run}, {program()} eval {run}')


def _say_how_to_go_on(c: 'ConfigDict', run: Path, options: argparse.Namespace) -> None:
    slower = f'--config.training.decay_rate={c.training.decay_rate**0.25:.6f}'
    settings = ' '.join(map(shlex.quote, [*options.settings, slower]))
    print(
        'A small model lacks updates, and its learning rate has run down by now. For four times '
        'as long, in a folder of its own:'
    )
    print(
        f'  {program()} train --exp {options.exp} --variant {c.variant} --scale {c.scale} '
        f'--bars {c.bars} --data {c.data.path} --steps {4 * c.training.steps} --run {run}-long '
        f'{settings}'
    )
    print('On a GPU or TPU --scale paper trains the sizes of the paper.')
