"""How well a model reconstructs music that it has not seen.

    mvae eval trio16
    mvae eval runs/mel16 --data data/mine --limit 500

Every window of the dataset's test split is encoded and decoded again. The table says how many
tokens come out right, overall and by class (onsets, note-offs, holds, rests), when the decoder is
told the right token at each step (teacher-forced), draws its own (sampled, temperature 1) or takes
the likeliest (greedy), beside always guessing the most frequent token; then loss, KL, active units.
The JSON has 95% intervals too (bootstrap over songs). An evaluation made already is shown again.
"""

import argparse
from pathlib import Path

from mvae.commands import datasets
from mvae.commands.models import add_model_options, load_model
from mvae.commands.options import choose, positive


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, data='dataset (default: the one that the model was trained on)')
    parser.add_argument('--split', default='test', help='train, validation or test (the default)')
    parser.add_argument('--limit', type=positive, help='at most so many windows, drawn by the seed')
    parser.add_argument('--batch-size', type=positive, default=128, help='windows at a time')
    parser.add_argument(
        '--json', type=Path, help='default: evaluation-SPLIT.json in the run folder'
    )


def run(options: argparse.Namespace) -> None:
    from mvae.dataset.store import SPLITS

    split = choose('split', options.split, SPLITS)
    path, model = load_model(options)
    from mvae.evaluation.reconstruction import format_table
    from mvae.evaluation.runs import evaluate_run

    result, file = evaluate_run(
        path,
        model,
        datasets.open_for(model, options.data),
        split=split,
        limit=options.limit,
        seed=options.seed,
        batch_size=options.batch_size,
        target=options.json,
    )
    print(format_table(result))
    made = f'step {result["step"]}, data {result["data"]}, split {split}, seed {options.seed}'
    print(f'{file} (checkpoint of {made})')
