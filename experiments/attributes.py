"""Attribute vectors (paper section 5.3): directions of the latent space along which a piece gets
denser, more syncopated, more of what you define.

    python experiments/attributes.py fit --run runs/mel2 [--data STORE] [--limit 20000] [--attribute mine.py:function ...]
    python experiments/attributes.py apply --run runs/mel2 --attribute note_density --amount -1 1 [--input A.mid | --n 4] [--temperature 0]
    python experiments/attributes.py measure --run runs/mel2 [--n 256] [--amount 1]

fit writes attributes.json into the run folder. apply writes MIDI files, a piano roll, and a JSON
with z and values. measure says how much adding and
subtracting every vector changes every attribute: tables, a JSON with intervals, heat maps. A
function of your own is (notes, steps) -> float, with notes in sixteenth steps (see
mvae/latent/attributes.py); apply and measure are given it again where fit was.
"""

import argparse
import math
import sys
from pathlib import Path

import command

from mvae.errors import InputError

FILE = 'attributes.json'


def fit(options: argparse.Namespace) -> None:
    import numpy as np

    from mvae.dataset.loader import Loader
    from mvae.dataset.store import Store
    from mvae.latent import attribute_vectors
    from mvae.training.compact import home

    folder, model = _model(options)
    attributes = _attributes(model.kind, options.attribute)
    store = Store.open(options.data or model.saved.config.data.path)
    store.require(model.vocabulary)
    loader = Loader(store, model.kind, model.bars, 1, options.seed)
    tokens = np.concatenate(
        [part[mask > 0] for part, mask in loader.evaluation_batches('train', 256, options.limit)]
    )
    songs = loader.evaluation_songs('train', options.limit)
    fitted = attribute_vectors.fit(
        model, tokens, attributes, lambda n: f'training window {n} ({store.titles[songs[n]]})'
    )
    file = home(folder) / FILE
    settings = {'limit': options.limit, 'seed': options.seed, 'own': options.attribute}
    attribute_vectors.save(
        file,
        fitted,
        _checkpoint(model) | {'data': str(store.path), 'corpus': store.corpus} | settings,
    )
    print(f'{"":24}{"bottom: up to":>16}{"pieces":>8}{"top: from":>16}{"pieces":>8}{"length":>10}')
    for name, (vector, low, high, bottom, top) in fitted.vectors.items():
        print(
            f'{name:24}{low:>16.3f}{bottom:>8}{high:>16.3f}{top:>8}{np.linalg.norm(vector):>10.2f}'
        )
    for reason in fitted.skipped.values():
        print(f'no vector: {reason}')
    print(
        f'{file} ({fitted.pieces:,} training windows of {store.path}, checkpoint of step {model.saved.step})'
    )


def apply(options: argparse.Namespace) -> None:
    import json

    from mvae.files import write_json
    from mvae.latent import attribute_vectors
    from mvae.latent.attributes import values_of
    from mvae.render.gallery import write_gallery
    from mvae.render.pianoroll import draw
    from mvae.render.pieces import write_piece
    from mvae.trained import check_qpm
    from mvae.training.compact import home

    if options.input and options.n:
        raise InputError('give --input or --n, not both')
    check_qpm(options.qpm)
    folder, model = _model(options)
    fitted, _ = attribute_vectors.load(home(folder) / FILE, _checkpoint(model))
    own = [options.attribute] if ':' in options.attribute else []
    attributes, name = _attributes(model.kind, own), options.attribute.rpartition(':')[2]
    if name in fitted.skipped:
        raise InputError(f'there is no vector of {name}: {fitted.skipped[name]}')
    vector = fitted.vectors[command.choose('attribute', name, tuple(fitted.vectors))].vector
    rows = []
    if options.input:
        tokens, note = model.read(options.input)
        print(f'{options.input}: {note}')
        rows.append((options.input.name, tokens))
        z, names = model.encode_tokens(tokens[None]).mu, ['reconstruction']
    else:
        n = options.n or 4
        z, names = (
            model.sample_tokens(n, options.temperature, options.seed)[1],
            [f'sample {i + 1}' for i in range(n)],
        )
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
    out, made = options.out or home(folder) / 'attributes' / name, []
    for i, piece in enumerate(names):
        for amount in amounts:
            title = f'{piece}, {amount:+} {name}' if amount else piece
            file = out / (piece.replace(' ', '_') + (f'_{amount:+}' if amount else '') + '.mid')
            write_piece(
                file,
                pieces[amount][i],
                model.kind,
                model.vocabulary,
                options.qpm,
                title,
                wav=options.wav,
                png=options.png,
            )
            rows.append((title, pieces[amount][i]))
            numbers = dict(zip(attributes, values[amount][i].tolist(), strict=True))
            made.append(
                {
                    'file': file.name,
                    'piece': piece,
                    'amount': amount,
                    'values': numbers,
                    'z': moved[amount][i].tolist(),
                }
            )
    draw(out / 'attribute.png', rows, model.kind, model.vocabulary)
    settings = {
        'attribute': name,
        'input': str(options.input or ''),
        'temperature': options.temperature,
        'seed': options.seed,
        'qpm': options.qpm,
    }
    config = json.loads(model.saved.config.to_json_best_effort())
    write_json(
        out / 'attribute.json',
        {
            'run': str(folder),
            'step': model.saved.step,
            **settings,
            'config': config,
            'pieces': made,
        },
    )
    write_gallery(options.out or home(folder))
    print(
        f'{"mean of the pieces":24}'
        + ''.join(f'{amount:>+12}' for amount in amounts)
        + f'  times {name}'
    )
    for k, attribute in enumerate(attributes):
        print(
            f'{attribute:24}'
            + ''.join(f'{values[amount][:, k].mean():>12.3f}' for amount in amounts)
        )
    print(f'{len(made)} pieces, attribute.png and attribute.json in {out}')


def measure(options: argparse.Namespace) -> None:
    import numpy as np

    from mvae.files import write_json
    from mvae.latent import attribute_vectors
    from mvae.render.gallery import write_gallery
    from mvae.render.heatmap import draw_heat_maps
    from mvae.training.compact import home

    if not 0 < options.amount < math.inf:
        raise InputError(
            f'the amount that is added and subtracted is above 0, such as 1, not {options.amount}'
        )
    folder, model = _model(options)
    fitted, about = attribute_vectors.load(home(folder) / FILE, _checkpoint(model))
    attributes = _attributes(model.kind, options.attribute)
    if lacking := [name for name in fitted.vectors if name not in attributes]:
        raise InputError(
            f'{", ".join(lacking)} is an attribute of your own: give it again, --attribute {" ".join(about["own"])}'
        )
    settings = {
        'n': options.n,
        'amount': options.amount,
        'temperature': options.temperature,
        'seed': options.seed,
    }
    effects = attribute_vectors.measure(model, fitted, attributes, **settings)
    print(attribute_vectors.format_effects(effects))
    out = options.out or home(folder) / 'attributes'
    write_json(
        out / 'effects.json',
        {
            'run': str(folder),
            'step': model.saved.step,
            'data': about['data'],
            **settings,
            **effects,
        },
    )
    panels = []
    for word in attribute_vectors.SIGNS:
        cells = [
            [np.nan if x is None else x for x in row.values()]
            for row in effects[word]['change'].values()
        ]
        panels.append((f'{word} the vector', np.array(cells)))
    how = f'temperature {options.temperature:g}' if options.temperature else 'greedy'
    note = f'change of the mean in per cent; {options.n} samples of N(0, I), {how}, amount {options.amount:g}; vectors of {fitted.pieces:,} windows'
    draw_heat_maps(
        out / 'effects.png',
        panels,
        list(fitted.vectors),
        list(attributes),
        ('vector of', 'attribute measured'),
        note,
    )
    write_gallery(options.out or home(folder))
    print(f'\neffects.png and effects.json in {out}')


def _model(options: argparse.Namespace):
    from mvae.trained import load

    folder = command.run_folder(options)
    return folder, load(folder, options.checkpoint)


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
    """What says that two checkpoints are the same one; the loss tells runs apart that were trained
    to the same step.
    """
    saved = model.saved
    return {
        'step': saved.step,
        'latent_size': model.latent_size,
        'kind': model.kind,
        'bars': model.bars,
        'loss': saved.metrics.get('loss'),
    }


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Attribute vectors: find, apply, measure.')
    programs = parser.add_subparsers(required=True, metavar='fit | apply | measure')
    for program, what in (
        (fit, 'find the vectors'),
        (apply, 'move pieces along one'),
        (measure, 'how much each moves every attribute'),
    ):
        sub = programs.add_parser(program.__name__, help=what)
        sub.set_defaults(program=program)
        command.add_run_options(sub)
        if program is fit:
            sub.add_argument(
                '--data', type=Path, help='store (default: the one that the run was trained on)'
            )
            sub.add_argument(
                '--limit',
                type=command.positive,
                default=20_000,
                help='at most so many training windows, drawn by the seed',
            )
        else:
            sub.add_argument(
                '--temperature', type=float, default=0.0, help='0: the most likely tokens'
            )
        if program is apply:
            sub.add_argument(
                '--attribute',
                required=True,
                help='whose vector; of your own: file.py:function, or its name alone',
            )
            sub.add_argument(
                '--amount',
                type=float,
                nargs='+',
                default=[-1.0, 1.0],
                help='how many times the vector, such as -1 0.5 1',
            )
            sub.add_argument('--input', type=Path, help='MIDI file (default: new pieces)')
            sub.add_argument('--n', type=command.positive, help='new pieces (default: 4)')
            command.add_output_options(sub, 'attributes')
        else:
            sub.add_argument(
                '--attribute',
                nargs='+',
                default=[],
                metavar='FILE.py:FUNCTION',
                help='of your own, besides ours',
            )
        if program is measure:
            sub.add_argument('--n', type=command.positive, default=256, help='samples of N(0, I)')
            sub.add_argument(
                '--amount',
                type=float,
                default=1.0,
                help='how many times the vector is added and subtracted',
            )
            sub.add_argument('--out', type=Path, help='default: attributes in the run folder')
    sys.exit(command.run(lambda options: options.program(options), parser))
