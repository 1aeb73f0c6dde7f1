"""Attribute vectors: directions along which a piece gets denser, more syncopated, more of what you
define (paper, section 5.3).

    mvae attributes fit mel2
    mvae attributes apply mel2 --attribute note_density --amount -1 1 --input A.mid
    mvae attributes measure mel2

fit finds the vectors and writes attributes.json into the run folder. apply moves pieces along one
of them and writes MIDI files, a piano roll, and a JSON with latent codes z and values. measure says
how much adding and subtracting every vector changes every attribute: tables, a JSON with intervals,
heat maps. A function of your own is (notes, steps) -> float, with notes in sixteenth steps (see
mvae/latent/attributes.py); apply and measure are given it again where fit was.
"""

import argparse
import math
from pathlib import Path

from mvae.commands.models import add_model_options, load_model
from mvae.commands.options import add_output_options, add_programs, choose, positive
from mvae.errors import InputError

FILE = 'attributes.json'


def add_options(parser: argparse.ArgumentParser) -> None:
    parsers = add_programs(
        parser,
        {
            'fit': (fit, 'find the vectors'),
            'apply': (apply, 'move pieces along one'),
            'measure': (measure, 'how much each moves every attribute'),
        },
    )
    _add_fit_options(parsers['fit'])
    _add_apply_options(parsers['apply'])
    _add_measure_options(parsers['measure'])


def _add_fit_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, data='dataset (default: the one that the model was trained on)')
    parser.add_argument(
        '--limit',
        type=positive,
        default=20_000,
        help='at most so many training windows, drawn by the seed',
    )
    _add_own_attributes(parser)


def _add_apply_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser)
    parser.add_argument('--temperature', type=float, default=0.0, help='0: the most likely tokens')
    parser.add_argument(
        '--attribute',
        required=True,
        help='whose vector; of your own: file.py:function, or its name alone',
    )
    parser.add_argument(
        '--amount',
        type=float,
        nargs='+',
        default=[-1.0, 1.0],
        help='how many times the vector, such as -1 0.5 1',
    )
    parser.add_argument('--input', type=Path, help='MIDI file (default: new pieces)')
    parser.add_argument('--n', type=positive, help='new pieces (default: 4)')
    add_output_options(parser, 'attributes')


def _add_measure_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser)
    parser.add_argument('--temperature', type=float, default=0.0, help='0: the most likely tokens')
    parser.add_argument('--n', type=positive, default=256, help='samples of N(0, I)')
    parser.add_argument(
        '--amount',
        type=float,
        default=1.0,
        help='how many times the vector is added and subtracted',
    )
    _add_own_attributes(parser)
    parser.add_argument('--out', type=Path, help='default: attributes in the run folder')


def _add_own_attributes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--attribute',
        nargs='+',
        default=[],
        metavar='FILE.py:FUNCTION',
        help='of your own, besides ours',
    )


def run(options: argparse.Namespace) -> None:
    options.program(options)


def fit(options: argparse.Namespace) -> None:
    path, model = load_model(options)
    import numpy as np

    from mvae.dataset.loader import Loader
    from mvae.dataset.store import Store
    from mvae.latent import attribute_vectors
    from mvae.training.compact import home

    attributes = _attributes(model.kind, options.attribute)
    store = Store.open(options.data or model.saved.config.data.path)
    store.require(model.vocabulary)
    loader = Loader(store, model.kind, model.bars, 1, options.seed)
    batches = loader.evaluation_batches('train', 256, options.limit)
    tokens = np.concatenate([part[mask > 0] for part, mask in batches])
    songs = loader.evaluation_songs('train', options.limit)
    fitted = attribute_vectors.fit(
        model, tokens, attributes, lambda n: f'training window {n} ({store.titles[songs[n]]})'
    )
    about = {
        'data': str(store.path),
        'corpus': store.corpus,
        'limit': options.limit,
        'seed': options.seed,
        'own': options.attribute,
    }
    file = home(path) / FILE
    attribute_vectors.save(file, fitted, _checkpoint(model) | about)
    _say_vectors(fitted)
    made = f'{fitted.pieces:,} training windows of {store.path}'
    print(f'{file} ({made}, checkpoint of step {model.saved.step})')


def _say_vectors(fitted) -> None:
    import numpy as np

    print(f'{"":24}{"bottom: up to":>16}{"pieces":>8}{"top: from":>16}{"pieces":>8}{"length":>10}')
    for name, (vector, low, high, bottom, top) in fitted.vectors.items():
        length = np.linalg.norm(vector)
        print(f'{name:24}{low:>16.3f}{bottom:>8}{high:>16.3f}{top:>8}{length:>10.2f}')
    for reason in fitted.skipped.values():
        print(f'no vector: {reason}')


def apply(options: argparse.Namespace) -> None:
    if options.input and options.n:
        raise InputError('give --input or --n, not both')
    path, model = load_model(options)
    from mvae.latent import attribute_vectors
    from mvae.latent.attributes import values_of
    from mvae.render.gallery import write_gallery
    from mvae.trained import check_qpm
    from mvae.training.compact import home

    check_qpm(options.qpm)
    fitted, _ = attribute_vectors.load(home(path) / FILE, _checkpoint(model))
    own = [options.attribute] if ':' in options.attribute else []
    attributes, name = _attributes(model.kind, own), options.attribute.rpartition(':')[2]
    if name in fitted.skipped:
        raise InputError(f'there is no vector of {name}: {fitted.skipped[name]}')
    vector = fitted.vectors[choose('attribute', name, fitted.vectors)].vector
    z, names, source = _begin(model, options)
    amounts = sorted({0.0, *options.amount})
    moved = {amount: attribute_vectors.apply(z, vector, amount) for amount in amounts}
    pieces = {
        amount: model.decode_tokens(moved[amount], options.temperature, options.seed)
        for amount in amounts
    }
    values = {
        amount: values_of(pieces[amount], model.kind, model.vocabulary, attributes)
        for amount in amounts
    }
    out, made, rows = options.out or home(path) / 'attributes' / name, [], source
    for i, piece in enumerate(names):
        for amount in amounts:
            title = f'{piece}, {amount:+} {name}' if amount else piece
            file = piece.replace(' ', '_') + (f'_{amount:+}' if amount else '') + '.mid'
            _write(model, pieces[amount][i], out / file, title, options)
            rows.append((title, pieces[amount][i]))
            numbers = dict(zip(attributes, values[amount][i].tolist(), strict=True))
            made.append(
                {
                    'file': file,
                    'piece': piece,
                    'amount': amount,
                    'values': numbers,
                    'z': moved[amount][i].tolist(),
                }
            )
    _write_about(model, path, name, rows, made, options, out)
    page = write_gallery(options.out or home(path))
    _say_means(attributes, amounts, values, name)
    print(f'{len(made)} pieces, attribute.png and attribute.json in {out}')
    print(f'Listen and look: {page}')


def _begin(model, options: argparse.Namespace) -> tuple:
    """Codes to start from, float32 [n, Z], what they are called, and rows for the picture."""
    if options.input:
        tokens, note = model.read(options.input)
        print(f'{options.input}: {note}')
        row = options.input.name, tokens
        return model.encode_tokens(tokens[None]).mu, ['reconstruction'], [row]
    n = options.n or 4
    z = model.sample_tokens(n, options.temperature, options.seed)[1]
    return z, [f'sample {i + 1}' for i in range(n)], []


def _write(model, piece, file: Path, title: str, options: argparse.Namespace) -> None:
    from mvae.render.pieces import write_piece

    about = model.kind, model.vocabulary, options.qpm, title
    write_piece(file, piece, *about, wav=options.wav, png=options.png)


def _write_about(model, path, name, rows, made, options: argparse.Namespace, out: Path) -> None:
    import json

    from mvae.files import write_json
    from mvae.render.pianoroll import draw

    draw(out / 'attribute.png', rows, model.kind, model.vocabulary)
    about = {
        'run': str(path),
        'step': model.saved.step,
        'attribute': name,
        'input': str(options.input or ''),
        'temperature': options.temperature,
        'seed': options.seed,
        'qpm': options.qpm,
        'config': json.loads(model.saved.config.to_json_best_effort()),
        'pieces': made,
    }
    write_json(out / 'attribute.json', about)


def _say_means(attributes: dict, amounts: list[float], values: dict, name: str) -> None:
    print(f'{"mean of the pieces":24}{"".join(f"{a:>+12}" for a in amounts)}  times {name}')
    for k, attribute in enumerate(attributes):
        means = ''.join(f'{values[amount][:, k].mean():>12.3f}' for amount in amounts)
        print(f'{attribute:24}{means}')


def measure(options: argparse.Namespace) -> None:
    if not 0 < options.amount < math.inf:
        raise InputError(
            f'the amount that is added and subtracted is above 0, such as 1, not {options.amount}'
        )
    path, model = load_model(options)
    from mvae.files import write_json
    from mvae.latent import attribute_vectors
    from mvae.render.gallery import write_gallery
    from mvae.training.compact import home

    fitted, about = attribute_vectors.load(home(path) / FILE, _checkpoint(model))
    attributes = _attributes(model.kind, options.attribute)
    if lacking := [name for name in fitted.vectors if name not in attributes]:
        raise InputError(
            f'{", ".join(lacking)} is an attribute of your own: give it again, '
            f'--attribute {" ".join(about["own"])}'
        )
    settings = {
        'n': options.n,
        'amount': options.amount,
        'temperature': options.temperature,
        'seed': options.seed,
    }
    effects = attribute_vectors.measure(model, fitted, attributes, **settings)
    print(attribute_vectors.format_effects(effects))
    out = options.out or home(path) / 'attributes'
    made = {'run': str(path), 'step': model.saved.step, 'data': about['data']}
    write_json(out / 'effects.json', {**made, **settings, **effects})
    _draw_effects(effects, fitted, attributes, options, out / 'effects.png')
    write_gallery(options.out or home(path))
    print(f'\neffects.png and effects.json in {out}')


def _draw_effects(effects, fitted, attributes, options: argparse.Namespace, file: Path) -> None:
    import numpy as np

    from mvae.latent import attribute_vectors
    from mvae.render.heatmap import draw_heat_maps

    panels = []
    for word in attribute_vectors.SIGNS:
        rows = effects[word]['change'].values()
        cells = [[np.nan if x is None else x for x in row.values()] for row in rows]
        panels.append((f'{word} the vector', np.array(cells)))
    how = f'temperature {options.temperature:g}' if options.temperature else 'greedy'
    note = (
        f'change of the mean in per cent; {options.n} samples of N(0, I), {how}, '
        f'amount {options.amount:g}; vectors of {fitted.pieces:,} windows'
    )
    axes = 'vector of', 'attribute measured'
    draw_heat_maps(file, panels, list(fitted.vectors), list(attributes), axes, note)


def _attributes(kind: str, own: list[str]) -> dict:
    from mvae.latent.attributes import attributes_of, read_attribute

    attributes = attributes_of(kind)
    for place in own:
        name, function = read_attribute(place)
        if name in attributes:
            raise InputError(
                f'there is an attribute {name} already; rename the function of {place}'
            )
        attributes[name] = function
    return attributes


def _checkpoint(model) -> dict:
    """What says that two checkpoints are the same one.

    The loss tells runs apart that were trained to the same step.
    """
    saved = model.saved
    return {
        'step': saved.step,
        'latent_size': model.latent_size,
        'kind': model.kind,
        'bars': model.bars,
        'loss': saved.metrics.get('loss'),
    }
