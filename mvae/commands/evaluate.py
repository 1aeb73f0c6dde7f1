"""How well a model reconstructs music that it has not seen.

    mvae eval trio16
    mvae eval runs/mel16 --data data/mine --limit 500

Every window of the dataset's test split is encoded and decoded again. The table says how many
tokens come out right, overall and by class (onsets, note-offs, holds, rests), when the decoder is
told the right token at each step (teacher-forced), draws its own (sampled, temperature 1) or takes
the likeliest (greedy), beside always guessing the most frequent token; then loss, KL, active units.
The JSON has 95% intervals too (bootstrap over songs). An evaluation made already is shown again.

A second table asks what the music is like: of the test split, of its reconstructions, and of new
pieces. How often does a bar come back, the same, 1, 2, 4 and 8 bars later (form)? How far do
histograms of pitches, lengths and the like overlap with those of the test split (likeness)? How
many pieces hold 4 bars on end that stand in the training split (novelty)? form.png draws the first.

Of grooves it also says how well hits (F1), velocities and timing come back, beside a groove that
knows the step of the bar alone.
"""

import argparse
from pathlib import Path
from typing import Any

from mvae.commands import datasets
from mvae.commands.models import add_model_options, load_model
from mvae.commands.options import add_pieces, choose, positive


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, data='dataset (default: the one that the model was trained on)')
    parser.add_argument('--split', default='test', help='train, validation or test (the default)')
    parser.add_argument('--limit', type=positive, help='at most so many windows, drawn by the seed')
    add_pieces(parser)
    parser.add_argument('--batch-size', type=positive, default=128, help='windows at a time')
    parser.add_argument(
        '--json', type=Path, help='default: evaluation-SPLIT.json in the run folder'
    )


def run(options: argparse.Namespace) -> None:
    from mvae.dataset.store import SPLITS

    split = choose('split', options.split, SPLITS)
    path, model = load_model(options)
    from mvae.evaluation.harmony import format_harmony
    from mvae.evaluation.music import format_music
    from mvae.evaluation.performance import format_performance
    from mvae.evaluation.reconstruction import format_table
    from mvae.evaluation.runs import evaluate_run
    from mvae.runs.released import home

    result, file = evaluate_run(
        path,
        model,
        datasets.open_for(model, options.data),
        split=split,
        limit=options.limit,
        seed=options.seed,
        batch_size=options.batch_size,
        pieces=options.pieces,
        target=options.json,
    )
    print(format_table(result))
    if 'harmony' in result:
        print(f'\n{format_harmony(result["harmony"])}')
    if 'performance' in result:
        print(f'\n{format_performance(result["performance"])}')
    if 'music' in result:
        print(f'\n{format_music(result["music"])}')
        _draw_form(result['music'], (options.json or home(path) / 'form').with_suffix('.png'))
    made = f'step {result["step"]}, data {result["data"]}, split {split}, seed {options.seed}'
    print(f'{file} (checkpoint of {made})')


def _draw_form(measured: dict[str, Any], file: Path) -> None:
    """How often bars come back: a panel for each stream, a curve for each set of pieces."""
    import numpy as np

    from mvae.render.curves import draw_curves

    panels: dict[str, dict[str, dict[str, list[float]]]] = {}
    distances: list[str] = []
    for name, about in measured['of'].items():
        for stream, at in about['form'].items():
            if not at:  # of one bar none comes back
                continue
            distances = list(at)
            shares = [found['same'] for found in at.values()]
            bands = [share['interval'] or [np.nan, np.nan] for share in shares]
            mean = [np.nan if share['mean'] is None else share['mean'] for share in shares]
            low, high = map(list, zip(*bands, strict=True))
            curve = {'mean': mean, 'low': low, 'high': high}
            panels.setdefault(f'{stream}: sounding bars that come back', {})[name] = curve
    if distances:
        title = f'{measured["pieces"]} pieces, temperature up to {measured["temperature"]}'
        draw_curves(file, np.array(distances, int), list(panels.items()), 'bars later', title)
