"""A flat and a hierarchical decoder, trained alike and compared.

    mvae study --exp mel16 drum16 --data data/mine --steps 2000

Trains both (--variants) for every experiment named (those of 2 bars are flat only) on the same
data, seed, updates and batches, each in a run folder of its own under --out; then makes the table
of all of them there. The same command goes on where it stopped. Any other setting for all of them:
--config.training.batch_size=32.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from mvae.commands import data, experiments, overrides
from mvae.commands.options import choose, positive
from mvae.commands.program import SIGNALLED, WRONG_INPUT
from mvae.errors import InputError, Interrupted

_PATIENCE = 10  # seconds that a training has to stop by itself, told by a terminal or a scheduler


def add_options(parser: argparse.ArgumentParser) -> None:
    names = ', '.join(experiments.files())
    parser.add_argument('--exp', nargs='+', required=True, help=f'experiments: {names}')
    parser.add_argument(
        '--variants',
        nargs='+',
        help='of flat, hierdec, hierenc, hier (default: hierenc hier; with --scale paper flat '
        'hierdec)',
    )
    parser.add_argument(
        '--data', type=Path, help='dataset that all are trained on (default: data/demo)'
    )
    parser.add_argument('--scale', default='small', help='tiny, small (the default) or paper')
    parser.add_argument('--steps', type=positive, help='updates of each')
    parser.add_argument('--limit', type=positive, help='at most so many test windows in the table')
    parser.add_argument('--out', type=Path, default=Path('runs/study'), help='default: runs/study')
    parser.set_defaults(settings=[])


def run(options: argparse.Namespace) -> None:
    names = {exp: experiments.find(exp)[0] for exp in options.exp}
    chosen = _chosen(options)
    _check_data(options)
    runs = {
        (exp, variant): options.out / f'{name}-{variant}'
        for exp, name in names.items()
        for variant in (['flat'] if _flat_only(exp, options.scale) else chosen)
    }
    shared = ['--scale', options.scale, *options.settings]
    shared += ['--data', options.data] if options.data else []
    shared += ['--steps', options.steps] if options.steps else []
    for (exp, variant), folder in runs.items():
        _child('train', '--exp', exp, '--variant', variant, '--run', folder, *shared)
    _warn_of_unequal_sizes(runs)
    limit = ['--limit', options.limit] if options.limit else []
    _child('table', '--runs', *runs.values(), '--out', options.out, *limit)


def _chosen(options: argparse.Namespace) -> list[str]:
    from mvae.config import VARIANTS, decoder_variants

    asked = options.variants or decoder_variants(options.scale)
    return [choose('variant', variant, VARIANTS) for variant in asked]


def _check_data(options: argparse.Namespace) -> None:
    """Raises InputError where an experiment lacks windows: not after hours with the others."""
    if not options.data:
        data.build_demo()
    from mvae.dataset.loader import Loader
    from mvae.dataset.store import Store
    from mvae.musicvae import form_of

    for exp in options.exp:
        c = experiments.load(exp, None, options.scale)
        for argument in options.settings:
            overrides.apply(c, argument)
        store = Store.open(options.data or c.data.path)
        loader = Loader(store, form_of(c), c.training.batch_size, c.seed)
        for split in ('validation', 'test'):
            loader.evaluation_songs(split)


def _flat_only(exp: str, scale: str) -> bool:
    """Whether an experiment has music so short that it needs no hierarchy."""
    return experiments.load(exp, None, scale).bars <= 2


def _child(*words: object) -> None:
    """A command in a process of its own, its output as it comes.

    Raises what its exit code says.
    """
    command = list(map(str, words))
    process = subprocess.Popen([sys.executable, '-m', 'mvae', *command])
    try:
        code = process.wait()
    except KeyboardInterrupt:
        _stop(process)
        raise KeyboardInterrupt('stopped; the same command goes on') from None
    if code > SIGNALLED:
        raise Interrupted('stopped; the same command goes on', code - SIGNALLED)
    if code == WRONG_INPUT:
        raise InputError(f'the study stops at mvae {" ".join(command)}')
    if code:
        raise SystemExit(code)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Waits until a training has saved its state and left.

    A terminal and most schedulers signal it too, and a second signal would stop it at once; so it
    gets one from here only if it goes on.
    """
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()


def _warn_of_unequal_sizes(runs: dict[tuple[str, str], Path]) -> None:
    """Says where variants differ by more than 10% in parameters.

    Then one cannot tell size from kind.
    """
    from mvae.runs.load import load

    for exp in dict.fromkeys(exp for exp, _ in runs):
        sizes = {
            variant: load(folder).parameters
            for (name, variant), folder in runs.items()
            if name == exp
        }
        if max(sizes.values()) > 1.1 * min(sizes.values()):
            each = ', '.join(f'{variant} {size:,}' for variant, size in sizes.items())
            print(f'{exp}: parameters differ by more than 10%: {each}')
