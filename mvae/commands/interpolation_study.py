"""What lies between two pieces, measured.

    mvae interpolation-study --runs flat=runs/mel16-hierenc hierarchical=runs/mel16-hier

Takes pairs of test windows of different songs, goes the spherical path between their codes at
--alphas values, and decodes each. Upper panel: normalised Hamming distance to the beginning of the
path. Lower panel: cost under a 5-gram model of the training split, relative to that of the ends.
Beside the runs stands the baseline "data", which draws every token from one piece or the other.
Writes interpolation_study.png and .json (all curves with 95% bands, and perplexities).
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mvae.commands import compute, datasets
from mvae.commands.options import add_checkpoint, add_seed, positive
from mvae.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from mvae.dataset.store import Store
    from mvae.evaluation.ngram import NGram
    from mvae.musicvae import MusicVAE

ORDER = 5


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--runs', nargs='+', required=True, help='NAME=MODEL for each curve')
    add_checkpoint(parser)
    parser.add_argument(
        '--data', type=Path, help='dataset (default: the one that the first run was trained on)'
    )
    parser.add_argument('--pairs', type=positive, default=1024)
    parser.add_argument(
        '--alphas', type=positive, default=11, help='points of every path, both ends included'
    )
    parser.add_argument('--temperature', type=float, default=0.0, help='0: the most likely tokens')
    add_seed(parser)
    parser.add_argument('--out', type=Path, default=Path('runs/interpolation_study'))


class _Language(NamedTuple):
    """n-gram models of the training split, a list by stream each, and what is known of them."""

    models: 'list[NGram]'
    windows: dict[str, list[int]]
    perplexity: dict[str, list[float]]


def run(options: argparse.Namespace) -> None:
    if options.alphas < 3 or options.pairs < 2:
        raise InputError(
            'a curve has at least 3 points, and their bands are those of at least 2 pairs'
        )
    import numpy as np

    from mvae.evaluation import interpolation
    from mvae.files import write_json
    from mvae.progress import progress

    compute.prepare()
    models = _load_all([_named_run(text) for text in options.runs], options.checkpoint)
    model = next(iter(models.values()))
    store = datasets.open_for(model, options.data)
    a, b = _pairs(model, store, options)
    language = _language(model, store)
    alphas = np.linspace(0, 1, options.alphas)

    def measure(paths):
        return interpolation.curves(paths, a, b, alphas, language.models, options.seed)

    def bar(name):
        return lambda batches: progress(batches, name, unit='batch', leave=False)

    how = options.temperature, options.seed
    measured = {
        name: measure(interpolation.decoded_paths(one, a, b, alphas, *how, bar(name)))
        for name, one in models.items()
    }
    measured['data'] = measure(interpolation.mixed_paths(a, b, alphas, options.seed))
    about = _about(models, store, len(a), alphas, language, options)
    write_json(options.out / 'interpolation_study.json', about | {'curves': measured})
    title = f'{len(a):,} pairs of {model.form}, {store.path.name}; bands: 95% over pairs'
    _draw(measured, alphas, title, options.out / 'interpolation_study.png')
    _say(measured, alphas)
    print(f'interpolation_study.png and interpolation_study.json in {options.out}')


def _named_run(text: str) -> tuple[str, Path]:
    name, _, path = text.partition('=')
    return (name, Path(path)) if path else (Path(text).name, Path(text))


def _load_all(runs: list[tuple[str, Path]], checkpoint: str) -> 'dict[str, MusicVAE]':
    from mvae.music.form import differences
    from mvae.runs.load import load

    models: dict[str, MusicVAE] = {}
    for name, path in runs:
        if name in models or name == 'data':
            raise InputError(
                f'two curves are called {name}; name them: --runs flat=runs/a hierdec=runs/b'
            )
        models[name] = load(path, checkpoint)
    (first, model), *others = models.items()
    if len(model.form.sizes) > len(model.form.streams):
        raise InputError(
            f'the study counts tokens, one for each part at a step; {first} plays '
            f'{model.form.name}, which has {len(model.form.sizes)} numbers'
        )
    for name, other in others:
        if other.form != model.form:
            changed = differences(other.form.fingerprint(), model.form.fingerprint())
            raise InputError(
                f'{first} plays {model.form}, {name} {other.form}: they have no pairs in common'
                + f' ({changed})' * bool(changed)
            )
    return models


def _pairs(
    model: 'MusicVAE', store: 'Store', options: argparse.Namespace
) -> tuple['np.ndarray', 'np.ndarray']:
    """Both windows of each pair, int32 [N, T, K] twice."""
    from mvae.dataset.loader import Loader
    from mvae.evaluation import interpolation

    loader = Loader(store, model.form, None, options.seed)
    songs = loader.evaluation_songs('test')
    pairs = interpolation.draw_pairs(songs, options.pairs, options.seed)
    if len(pairs) < 2:
        raise InputError(
            f'{store.path} has {len(pairs)} pairs of test windows of different songs, and a mean '
            'needs 2; add music and rebuild it'
        )
    if len(pairs) < options.pairs:
        print(
            f'the test split has windows for {len(pairs):,} pairs of different songs, '
            f'not {options.pairs:,}'
        )
    windows = store.windows(model.form, 'test')
    first, second = (store.gather(windows[rows], model.form) for rows in pairs.T)
    return first, second


def _language(model: 'MusicVAE', store: 'Store') -> _Language:
    from mvae.evaluation.ngram import NGram, heard_once

    heard = {split: heard_once(store, model.form, split) for split in ('train', 'test')}
    sizes = model.form.sizes
    unigrams, language = (
        [NGram(tokens, size, order) for tokens, size in zip(heard['train'], sizes, strict=True)]
        for order in (1, ORDER)
    )
    perplexity = {'uniform': [float(size) for size in sizes]}
    for name, models in (('unigram', unigrams), (f'{ORDER}-gram', language)):
        perplexity[name] = [
            one.perplexity(tokens) for one, tokens in zip(models, heard['test'], strict=True)
        ]
    windows = {split: [len(x) for x in tokens] for split, tokens in heard.items()}
    said = '; '.join(
        f'{name} {", ".join(f"{value:.2f}" for value in values)}'
        for name, values in perplexity.items()
    )
    print(
        f'n-gram model of {windows["train"]} windows that do not overlap; perplexity of '
        f'{windows["test"]} test windows by stream: {said}'
    )
    return _Language(language, windows, perplexity)


def _about(
    models: 'dict[str, MusicVAE]',
    store: 'Store',
    pairs: int,
    alphas: 'np.ndarray',
    language: _Language,
    options: argparse.Namespace,
) -> dict[str, Any]:
    model = next(iter(models.values()))
    return {
        'form': model.form.name,
        'bars': model.form.bars,
        'data': str(store.path),
        'split': 'test',
        'pairs': pairs,
        'pairs_asked': options.pairs,
        'alphas': alphas.tolist(),
        'temperature': options.temperature,
        'seed': options.seed,
        'runs': {
            name: {'run': str(path), 'step': models[name].step}
            for name, path in map(_named_run, options.runs)
        },
        'language': {
            'order': ORDER,
            'smoothing': 'interpolated Witten-Bell',
            'windows': language.windows,
            'perplexity': language.perplexity,
        },
    }


def _draw(measured: dict[str, Any], alphas: 'np.ndarray', title: str, file: Path) -> None:
    from mvae.render.curves import draw_curves

    panels = [
        (label, {name: curve[what] for name, curve in measured.items()})
        for label, what in (
            ('Hamming distance to the beginning', 'distance'),
            (f'relative cost, {ORDER}-gram model', 'cost'),
        )
    ]
    draw_curves(file, alphas, panels, 'alpha', title)


def _say(measured: dict[str, Any], alphas: 'np.ndarray') -> None:
    """The middle of each curve.

    A decoder that ignores its code has a relative cost of 1 too: its distance and its ends tell it
    from a good one.
    """
    middle = len(alphas) // 2
    for name, curve in measured.items():
        mean = {what: values['mean'] for what, values in curve.items()}
        print(
            f'{name:>12} at alpha {alphas[middle]:.2f}: distance {mean["distance"][middle]:.3f}, '
            f'relative cost {mean["cost"][middle]:.3f}; at 1 {mean["distance"][-1]:.3f}; '
            f'at 0 {mean["distance_to_data"][0]:.3f} from the piece, '
            f'{mean["cost_to_data"][0]:.3f} of its cost'
        )
