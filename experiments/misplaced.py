"""Does a code say which bar is which?

python experiments/misplaced.py --run runs/trio16 [--data STORE] [--shifts 1 4 8] [--limit N].

Windows of the test split under their own code, under the codes of windows that begin so many bars
later in the same tracks, and under that of another
song: how many nats each costs more. A code that holds the bars one by one fits no other place; one
that sums a passage up fits its neighbours too, and then a decoder has nothing to lose on the way,
flat or hierarchical.
"""

import argparse
import sys
from pathlib import Path

import command


def main(options: argparse.Namespace) -> None:
    from mvae.dataset.store import SPLITS, Store
    from mvae.evaluation.misplaced import evaluate_misplaced
    from mvae.files import write_json
    from mvae.training.compact import home
    from mvae.training.saved import read_run

    folder = command.run_folder(options)
    split = command.choose('split', options.split, SPLITS)
    saved = read_run(folder, options.checkpoint)
    store = Store.open(options.data or saved.config.data.path)
    store.require(saved.vocabulary)
    shifts = options.shifts or [shift for shift in (1, 2, 4, 8) if shift < saved.config.bars]
    result = evaluate_misplaced(
        saved.params,
        saved.model,
        store,
        saved.config.kind,
        split,
        shifts,
        options.limit,
        options.seed,
    )
    print(
        f'{result["windows"]:,} windows of {result["songs"]:,} songs: {result["own"]:.1f} nats under their own codes; more under the code of'
    )
    for name, more in result['excess'].items():
        interval = (
            '' if more['interval'] is None else ' ({:.1f} to {:.1f})'.format(*more['interval'])
        )
        print(f'{name:>16} {more["mean"]:8.1f}{interval}, {more["mean"] / result["own"]:.1%}')
    target = options.json or home(folder) / 'misplaced.json'
    about = {
        'run': str(folder),
        'step': saved.step,
        'data': str(store.path),
        'split': split,
        'seed': options.seed,
    }
    write_json(target, about | result)
    print(target)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Does a code say which bar is which?')
    command.add_run_options(parser)
    parser.add_argument(
        '--data', type=Path, help='store (default: the one that the run was trained on)'
    )
    parser.add_argument('--split', default='test')
    parser.add_argument(
        '--shifts',
        type=command.positive,
        nargs='+',
        help='bars (default: 1 2 4 8, as far as they are inside the window)',
    )
    parser.add_argument(
        '--limit',
        type=command.positive,
        default=1024,
        help='at most so many windows, drawn by the seed',
    )
    parser.add_argument('--json', type=Path, help='default: misplaced.json in the run folder')
    sys.exit(command.run(main, parser))
