"""What lies between two pieces: python experiments/interpolation_study.py --runs
flat=runs/mel16-hierenc hierarchical=runs/mel16-hier [--pairs 1024].

Pairs of test windows of different songs, the spherical path between their codes at --alphas values,
decoded. Upper panel: normalised Hamming distance to the beginning of the path. Lower panel: cost
under a 5-gram model of the training split, relative to that of the ends. Beside the runs the
baseline "data", which draws every token from one piece or the other. Writes interpolation_study.png
and .json (all curves with 95% bands, and perplexities).
"""

import argparse
import functools
import sys
from pathlib import Path

import command
import numpy as np

from mvae.errors import InputError

ORDER = 5


def named_run(text: str) -> tuple[str, Path]:
    name, _, path = text.partition('=')
    return (name, Path(path)) if path else (Path(text).name, Path(text))


def load_all(runs: list[tuple[str, Path]], checkpoint: str) -> dict:
    from mvae.trained import load

    models = {}
    for name, path in runs:
        if name in models or name == 'data':
            raise InputError(
                f'two curves are called {name}; name them: --runs flat=runs/a hierdec=runs/b'
            )
        models[name] = load(path, checkpoint)
    (first, model), *others = models.items()
    for name, other in others:
        if (other.kind, other.bars) != (model.kind, model.bars):
            raise InputError(
                f'{first} plays {model.bars} bars of {model.kind}, {name} {other.bars} of {other.kind}: they have no pairs in common'
            )
        if other.vocabulary.to_dict() != model.vocabulary.to_dict():
            raise InputError(
                f'{first} and {name} have different vocabularies, so that their tokens cannot be compared'
            )
    return models


def main(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from mvae.dataset.loader import Loader
    from mvae.dataset.store import Store
    from mvae.evaluation import interpolation
    from mvae.evaluation.ngram import NGram, heard_once
    from mvae.files import write_json
    from mvae.render.curves import draw_curves

    if options.alphas < 3 or options.pairs < 2:
        raise InputError(
            'a curve has at least 3 points, and their bands are those of at least 2 pairs'
        )
    models = load_all([named_run(text) for text in options.runs], options.checkpoint)
    model = next(iter(models.values()))
    kind, bars = model.kind, model.bars
    store = Store.open(options.data or model.saved.config.data.path)
    store.require(model.vocabulary)
    loader = Loader(store, kind, bars, 1, options.seed)

    pairs = interpolation.draw_pairs(loader.evaluation_songs('test'), options.pairs, options.seed)
    if len(pairs) < 2:
        raise InputError(
            f'{store.path} has {len(pairs)} pairs of test windows of different songs, and a mean needs 2; add music and rebuild it'
        )
    if len(pairs) < options.pairs:
        print(
            f'the test split has windows for {len(pairs):,} pairs of different songs, not {options.pairs:,}'
        )
    a, b = (
        store.gather(store.windows(kind, bars, 'test')[pairs[:, n]], loader.steps, kind)
        for n in (0, 1)
    )

    train, held_out = (heard_once(store, kind, bars, split) for split in ('train', 'test'))
    sizes = model.vocabulary.sizes(kind)
    unigrams, language = (
        [NGram(tokens, size, order) for tokens, size in zip(train, sizes, strict=True)]
        for order in (1, ORDER)
    )
    perplexity = {'uniform': [float(size) for size in sizes]}
    for name, stream_models in (('unigram', unigrams), (f'{ORDER}-gram', language)):
        perplexity[name] = [
            one.perplexity(tokens) for one, tokens in zip(stream_models, held_out, strict=True)
        ]
    windows = {
        split: [len(x) for x in tokens] for split, tokens in (('train', train), ('test', held_out))
    }
    said = '; '.join(
        f'{name} {", ".join(f"{value:.2f}" for value in values)}'
        for name, values in perplexity.items()
    )
    print(
        f'n-gram model of {windows["train"]} windows that do not overlap; perplexity of {windows["test"]} test windows by stream: {said}'
    )
    alphas = np.linspace(0, 1, options.alphas)
    measured = {}
    for name, one in models.items():
        bar = functools.partial(
            tqdm, desc=name, unit='batch', dynamic_ncols=True, leave=False, disable=None
        )
        paths = interpolation.decoded_paths(
            one, a, b, alphas, options.temperature, options.seed, bar
        )
        measured[name] = interpolation.curves(paths, a, b, alphas, language, options.seed)
    paths = interpolation.mixed_paths(a, b, alphas, options.seed)
    measured['data'] = interpolation.curves(paths, a, b, alphas, language, options.seed)

    settings = {
        'kind': kind,
        'bars': bars,
        'data': str(store.path),
        'split': 'test',
        'pairs': len(pairs),
        'pairs_asked': options.pairs,
    }
    settings |= {
        'alphas': alphas.tolist(),
        'temperature': options.temperature,
        'seed': options.seed,
    }
    made = {
        name: {'run': str(path), 'step': models[name].saved.step}
        for name, path in map(named_run, options.runs)
    }
    about_language = {
        'order': ORDER,
        'smoothing': 'interpolated Witten-Bell',
        'windows': windows,
        'perplexity': perplexity,
    }
    write_json(
        options.out / 'interpolation_study.json',
        {**settings, 'runs': made, 'language': about_language, 'curves': measured},
    )
    panels = [
        (
            'Hamming distance to the beginning',
            {name: curve['distance'] for name, curve in measured.items()},
        ),
        (
            f'relative cost, {ORDER}-gram model',
            {name: curve['cost'] for name, curve in measured.items()},
        ),
    ]
    title = f'{len(pairs):,} pairs of {bars}-bar {kind}, {store.path.name}; bands: 95% over pairs'
    draw_curves(options.out / 'interpolation_study.png', alphas, panels, 'alpha', title)
    middle = options.alphas // 2
    for name, curve in measured.items():
        at = {
            what: curve[what]['mean']
            for what in ('distance', 'distance_to_data', 'cost', 'cost_to_data')
        }
        print(
            f'{name:>12} at alpha {alphas[middle]:.2f}: distance {at["distance"][middle]:.3f}, relative cost {at["cost"][middle]:.3f}; ',
            end='',
        )
        # A decoder that ignores its code has a relative cost of 1 too: its distance and its ends
        # tell it from a good one.
        print(
            f'at 1 {at["distance"][-1]:.3f}; at 0 {at["distance_to_data"][0]:.3f} from the piece, {at["cost_to_data"][0]:.3f} of its cost'
        )
    print(f'interpolation_study.png and interpolation_study.json in {options.out}')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='What lies between two pieces.')
    parser.add_argument('--runs', nargs='+', required=True, help='NAME=FOLDER for each curve')
    parser.add_argument(
        '--checkpoint', default='best', help='best (validation loss), latest, or a step'
    )
    parser.add_argument(
        '--data', type=Path, help='store (default: the one that the first run was trained on)'
    )
    parser.add_argument('--pairs', type=command.positive, default=1024)
    parser.add_argument(
        '--alphas',
        type=command.positive,
        default=11,
        help='points of every path, both ends included',
    )
    parser.add_argument('--temperature', type=float, default=0.0, help='0: the most likely tokens')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, default=Path('runs/interpolation_study'))
    sys.exit(command.run(main, parser))
