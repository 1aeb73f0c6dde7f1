"""Flat against hierarchical at one budget: python experiments/study.py --exp mel16 drum16 --data
data/mine [--steps N] [--out runs/study].

Trains a flat and a hierarchical decoder (--variants) for every 16-bar experiment named (2-bar
experiments are flat only) on the same data, seed, updates and batches, each in a run folder of its
own under --out; then makes the reconstruction table of all of them there. The same command goes on
where it stopped. Any other setting for all of them: --config.training.batch_size=32. Exit codes: 0
done, 2 wrong input, 130 stopped and saved.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import command
from train import EXPERIMENTS

from mvae.config import VARIANTS, decoder_variants
from mvae.errors import InputError, Interrupted

HERE = Path(__file__).parent


def child(program: str, *arguments: str) -> None:
    """One program of this folder, with its output as it comes. Raises what its exit code says."""
    code = subprocess.run([sys.executable, HERE / program, *arguments]).returncode
    if code == command.EXIT_INTERRUPTED:
        raise Interrupted('stopped; the same command goes on')
    if code == command.EXIT_WRONG_INPUT:
        raise InputError(f'the study stops at {program} {" ".join(arguments)}')
    if code:
        raise SystemExit(code)


def main(options: argparse.Namespace) -> None:
    for exp in options.exp:
        command.choose('experiment', exp, EXPERIMENTS)
    chosen = [
        command.choose('variant', variant, VARIANTS)
        for variant in options.variants or decoder_variants(options.scale)
    ]
    pairs = [
        (exp, variant)
        for exp in options.exp
        for variant in (['flat'] if exp.endswith('2') else chosen)
    ]
    runs = {(exp, variant): options.out / f'{exp}-{variant}' for exp, variant in pairs}
    shared = ['--scale', options.scale, '--data', str(options.data)]
    shared += ['--steps', str(options.steps)] if options.steps else []
    for (exp, variant), run in runs.items():
        child(
            'train.py',
            '--exp',
            exp,
            '--variant',
            variant,
            '--run',
            str(run),
            *shared,
            *options.settings,
        )
    warn_of_unequal_sizes(runs)
    limit = ['--limit', str(options.limit)] if options.limit else []
    child('table.py', '--runs', *map(str, runs.values()), '--out', str(options.out), *limit)


def warn_of_unequal_sizes(runs: dict[tuple[str, str], Path]) -> None:
    """Says where variants differ by more than 10% in parameters: then one cannot tell size from
    kind.
    """
    import jax

    from mvae.training.saved import read_run

    for exp in dict.fromkeys(exp for exp, _ in runs):
        sizes = {
            v: sum(x.size for x in jax.tree.leaves(read_run(run).params))
            for (e, v), run in runs.items()
            if e == exp
        }
        if max(sizes.values()) > 1.1 * min(sizes.values()):
            print(
                f'{exp}: parameters differ by more than 10%: '
                + ', '.join(f'{v} {n:,}' for v, n in sizes.items())
            )


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Flat against hierarchical at one budget.')
    parser.add_argument('--exp', nargs='+', required=True, help=', '.join(EXPERIMENTS))
    parser.add_argument(
        '--variants',
        nargs='+',
        help=', '.join(VARIANTS) + ' (default: hierenc hier; at --scale paper flat hierdec)',
    )
    parser.add_argument(
        '--data',
        type=Path,
        default=Path('data/demo'),
        help='store that all are trained on (default: data/demo)',
    )
    parser.add_argument('--scale', default='small')
    parser.add_argument('--steps', type=command.positive, help='updates of each')
    parser.add_argument(
        '--limit', type=command.positive, help='at most so many test windows in the table'
    )
    parser.add_argument('--out', type=Path, default=Path('runs/study'))
    sys.exit(command.run(main, parser, settings='settings'))
