"""Does a model's code say which bar is which?

    mvae misplaced runs/trio16 --shifts 1 4 8

Windows of the test split are decoded from their own code, from the codes of windows that begin so
many bars later in the same tracks, and from that of another song: how many nats does each cost
more? A code that holds the bars one by one fits no other place; one that sums a passage up fits
its neighbours too, and then a decoder has nothing to lose on the way, flat or hierarchical.
"""

import argparse
from pathlib import Path

from mvae.commands import datasets
from mvae.commands.models import add_model_options, load_model
from mvae.commands.options import choose, positive


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, data='dataset (default: the one that the model was trained on)')
    parser.add_argument('--split', default='test', help='train, validation or test (the default)')
    parser.add_argument(
        '--shifts',
        type=positive,
        nargs='+',
        help='bars (default: 1 2 4 8, as far as they are inside the window)',
    )
    parser.add_argument(
        '--limit', type=positive, default=1024, help='at most so many windows, drawn by the seed'
    )
    parser.add_argument('--json', type=Path, help='default: misplaced.json in the run folder')


def run(options: argparse.Namespace) -> None:
    from mvae.dataset.store import SPLITS

    split = choose('split', options.split, SPLITS)
    path, model = load_model(options)
    from mvae.evaluation.misplaced import evaluate_misplaced
    from mvae.files import write_json
    from mvae.runs.released import home

    store = datasets.open_for(model, options.data)
    store.require(model.form)
    shifts = options.shifts or [shift for shift in (1, 2, 4, 8) if shift < model.form.bars]
    result = evaluate_misplaced(model, store, split, shifts, options.limit, options.seed)
    print(
        f'{result["windows"]:,} windows of {result["songs"]:,} songs: {result["own"]:.1f} nats '
        'under their own codes; more under the code of'
    )
    for name, more in result['excess'].items():
        low_high = more['interval']
        interval = '' if low_high is None else ' ({:.1f} to {:.1f})'.format(*low_high)
        print(f'{name:>16} {more["mean"]:8.1f}{interval}, {more["mean"] / result["own"]:.1%}')
    target = options.json or home(path) / 'misplaced.json'
    about = {
        'run': str(path),
        'step': model.step,
        'data': str(store.path),
        'split': split,
        'seed': options.seed,
    }
    write_json(target, about | result)
    print(target)
