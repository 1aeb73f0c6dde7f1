"""Trained models side by side, as in the paper's reconstruction table.

    mvae table --runs runs/mel16-hierenc runs/mel16-hier

Trains nothing: every run is evaluated on the test split of its data. Evaluations made already are
taken from beside the run, or given themselves (evaluation-test.json) where the run is elsewhere.
Writes table.md, table.json and table.png: a row for each dataset and instrument, flat and
hierarchical under teacher forcing and under sampling, with 95% intervals, the paper's values beside
as reported; and accuracies by class, KL, active units, NLL. bars.png shows whether decoders of 16
bars keep to the music or drift: onsets right in each bar.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mvae.commands import compute, datasets
from mvae.commands.options import add_checkpoint, add_pieces, add_seed, choose, positive

if TYPE_CHECKING:
    from mvae.render.dots import Dot

_DOTS = (
    'filled: measured, 95% intervals over songs; hollow: as reported by the paper, '
    'recalled, unverified'
)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--runs',
        type=Path,
        nargs='+',
        required=True,
        help='run folders, or evaluations that were kept of them (*.json)',
    )
    add_checkpoint(parser)
    parser.add_argument(
        '--data', type=Path, help='dataset for all runs (default: the one that each was trained on)'
    )
    parser.add_argument('--split', default='test', help='train, validation or test (the default)')
    parser.add_argument(
        '--limit', type=positive, help='at most so many windows of each split, drawn by the seed'
    )
    add_seed(parser)
    add_pieces(parser)
    parser.add_argument('--batch-size', type=positive, default=128, help='windows at a time')
    parser.add_argument('--out', type=Path, default=Path('runs/table'), help='default: runs/table')


def run(options: argparse.Namespace) -> None:
    from mvae.dataset.store import SPLITS

    choose('split', options.split, SPLITS)
    from mvae.evaluation import table
    from mvae.files import write_atomically, write_json

    compute.prepare()
    evaluations = [_evaluation(run, options) for run in dict.fromkeys(options.runs)]
    rows = table.build(evaluations)
    text = table.to_markdown(rows, evaluations)
    _draw(rows, options.out)
    write_json(options.out / 'table.json', {'rows': rows, 'evaluations': evaluations})
    write_atomically(options.out / 'table.md', (text + '\n').encode())
    print(text)
    print(f'table.md, table.json and table.png in {options.out}')


def _evaluation(run: Path, options: argparse.Namespace) -> dict[str, Any]:
    from mvae.evaluation.runs import evaluate_run, read_evaluation
    from mvae.runs.load import load

    if run.suffix == '.json':
        return read_evaluation(run)
    model = load(run, options.checkpoint)
    return evaluate_run(
        run,
        model,
        datasets.open_for(model, options.data),
        split=options.split,
        limit=options.limit,
        seed=options.seed,
        batch_size=options.batch_size,
        pieces=options.pieces,
    )[0]


def _draw(rows: list[dict[str, Any]], out: Path) -> None:
    import numpy as np

    from mvae.evaluation import table
    from mvae.render.curves import draw_curves
    from mvae.render.dots import draw_dots

    used = [d for d in table.DECODERS if any(f'teacher_forced {d}' in row['cells'] for row in rows)]
    panels = [
        (mode.replace('_', '-'), [f'{mode} {d}' for d in used])
        for mode in ('teacher_forced', 'sampled')
    ]
    draw_dots(out / 'table.png', list(map(_dots, rows)), panels, used, _DOTS)
    if curves := table.curves_by_bar(rows):
        bars = np.arange(max(row['bars'] for row in rows)) + 1
        note = 'onsets right when sampled, 95% intervals over songs'
        draw_curves(out / 'bars.png', bars, curves, 'bar', note)


def _dots(row: dict[str, Any]) -> 'tuple[str, float, dict[str, list[Dot]]]':
    """Label, baseline, and for each column the dots of a row of the table."""
    from mvae.evaluation import table
    from mvae.render.dots import Dot

    columns: dict[str, list[Dot]] = {}
    for name, cell in row['cells'].items():
        if not cell['guessed']:
            columns.setdefault(name, []).append(Dot(cell['accuracy'], cell['interval']))
    for name, value in row['reported'].items():
        columns.setdefault(name, []).append(Dot(value, hollow=True))
    return f'{table.label(row)}\n{Path(row["data"]).name}', row['baseline'], columns
