"""The paper's reconstruction table of trained runs: python experiments/table.py --runs
runs/mel16-hierenc runs/mel16-hier [--limit N] [--out DIR].

Trains nothing: every run is evaluated on the test split of its data; evaluations made already are
taken from beside the run, or given themselves (evaluation-test.json) where the run is elsewhere.
Writes table.md, table.json and table.png: a row for each data set and instrument, flat and
hierarchical under teacher forcing and under sampling, with 95% intervals, the paper's values beside
as reported; and accuracies by class, KL, active units, NLL. bars.png shows whether decoders of 16
bars keep to the music or drift: onsets right in each bar.
"""

import argparse
import sys
from pathlib import Path

import command
import numpy as np


def main(options: argparse.Namespace) -> None:
    from mvae.dataset.store import SPLITS
    from mvae.evaluation import table
    from mvae.evaluation.runs import evaluate_run, read_evaluation
    from mvae.files import write_atomically, write_json
    from mvae.render.curves import draw_curves
    from mvae.render.dots import Dot, draw_dots

    split = command.choose('split', options.split, SPLITS)
    settings = {
        'split': split,
        'limit': options.limit,
        'seed': options.seed,
        'batch_size': options.batch_size,
    }
    runs = list(dict.fromkeys(options.runs))
    settings |= {'checkpoint': options.checkpoint, 'data': options.data}
    evaluations = [
        read_evaluation(run) if run.suffix == '.json' else evaluate_run(run, **settings)
        for run in runs
    ]
    rows = table.build(evaluations)
    text = table.to_markdown(rows, evaluations)
    used = [d for d in table.DECODERS if any(f'teacher_forced {d}' in row['cells'] for row in rows)]
    panels = [
        (mode.replace('_', '-'), [f'{mode} {d}' for d in used])
        for mode in ('teacher_forced', 'sampled')
    ]
    dots = []
    for row in rows:
        columns: dict[str, list[Dot]] = {}
        for name, cell in row['cells'].items():
            if not cell['plateau']:
                columns.setdefault(name, []).append(Dot(cell['accuracy'], cell['interval']))
        for name, value in row['reported'].items():
            columns.setdefault(name, []).append(Dot(value, hollow=True))
        dots.append((f'{table.label(row)}\n{Path(row["data"]).name}', row['baseline'], columns))
    out = options.out
    note = 'filled: measured, 95% intervals over songs; hollow: as reported by the paper, recalled, unverified'
    draw_dots(out / 'table.png', dots, panels, used, note)
    if curves := table.curves_by_bar(rows):
        bars = np.arange(max(row['bars'] for row in rows)) + 1
        draw_curves(
            out / 'bars.png',
            bars,
            curves,
            'bar',
            'onsets right when sampled, 95% intervals over songs',
        )
    write_json(out / 'table.json', {'rows': rows, 'evaluations': evaluations})
    write_atomically(out / 'table.md', (text + '\n').encode())
    print(text)
    print(f'table.md, table.json and table.png in {out}')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description="The paper's reconstruction table.")
    parser.add_argument(
        '--runs',
        type=Path,
        nargs='+',
        required=True,
        help='run folders, or evaluations that were kept of them (*.json)',
    )
    parser.add_argument(
        '--checkpoint', default='best', help='best (validation loss), latest, or a step'
    )
    parser.add_argument(
        '--data', type=Path, help='store for all runs (default: the one that each was trained on)'
    )
    parser.add_argument('--split', default='test')
    parser.add_argument(
        '--limit',
        type=command.positive,
        help='at most so many windows of each split, drawn by the seed',
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--batch-size', type=command.positive, default=128)
    parser.add_argument('--out', type=Path, default=Path('runs/table'))
    sys.exit(command.run(main, parser))
