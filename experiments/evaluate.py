"""How well a model reconstructs: python experiments/evaluate.py --run runs/trio16 [--data STORE]
[--split test] [--limit N] [--json PATH].

Teacher-forced, sampled (temperature 1) and greedy accuracy per stream, overall and by class
(onsets, note-offs, holds, rests), beside the most frequent token; loss, KL, active units. The JSON
has 95% intervals too (bootstrap over songs). An evaluation that was made already is shown again.
"""

import argparse
import sys
from pathlib import Path

import command


def main(options: argparse.Namespace) -> None:
    from mvae.dataset.store import SPLITS
    from mvae.evaluation.reconstruction import format_table
    from mvae.evaluation.runs import evaluate_run, kept_at

    folder = command.run_folder(options)
    split = command.choose('split', options.split, SPLITS)
    settings = {
        'limit': options.limit,
        'seed': options.seed,
        'batch_size': options.batch_size,
        'target': options.json,
    }
    result = evaluate_run(
        folder, checkpoint=options.checkpoint, data=options.data, split=split, **settings
    )
    print(format_table(result))
    target = options.json or kept_at(folder, split)
    print(
        f'{target} (checkpoint of step {result["step"]}, data {result["data"]}, split {split}, seed {options.seed})'
    )


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='How well a model reconstructs.')
    command.add_run_options(parser)
    parser.add_argument(
        '--data', type=Path, help='store (default: the one that the run was trained on)'
    )
    parser.add_argument('--split', default='test')
    parser.add_argument(
        '--limit', type=command.positive, help='at most so many windows, drawn by the seed'
    )
    parser.add_argument('--batch-size', type=command.positive, default=128)
    parser.add_argument(
        '--json', type=Path, help='default: evaluation-SPLIT.json in the run folder'
    )
    sys.exit(command.run(main, parser))
