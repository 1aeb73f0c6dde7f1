"""`mvae attributes apply`: moves pieces along a vector."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mvae.commands import vectors
from mvae.commands.models import load_model
from mvae.commands.options import choose
from mvae.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from mvae.latent.attributes import Attribute
    from mvae.musicvae import MusicVAE


class _Moved(NamedTuple):
    """Pieces moved by one amount: codes float32 [n, Z], tokens int32 [n, T, K], values [n, A]."""

    z: 'np.ndarray'
    tokens: 'np.ndarray'
    values: 'np.ndarray'


def apply(options: argparse.Namespace) -> None:
    if options.input and options.n:
        raise InputError('give --input or --n, not both')
    path, model = load_model(options)
    from mvae.checks import check_qpm
    from mvae.render.collection import collection
    from mvae.render.gallery import write_gallery
    from mvae.runs.released import home

    check_qpm(options.qpm)
    own = [options.attribute] if ':' in options.attribute else []
    attributes, name = vectors.attributes(model.form, own), options.attribute.rpartition(':')[2]
    vector = _vector(model, path, name)
    z, names, source = _begin(model, options)
    moved = _move(model, z, vector, attributes, options)
    out = options.out or home(path) / 'attributes' / name
    rows, made = source, []
    with collection(out) as folder:
        for i, piece in enumerate(names):
            for amount, one in moved.items():
                title = f'{piece}, {amount:+} {name}' if amount else piece
                file = piece.replace(' ', '_') + (f'_{amount:+}' if amount else '') + '.mid'
                _write(model, one.tokens[i], folder / file, title, options)
                rows.append((title, one.tokens[i]))
                values = dict(zip(attributes, one.values[i].tolist(), strict=True))
                about = {'file': file, 'piece': piece, 'amount': amount, 'values': values}
                made.append(about | {'z': one.z[i].tolist()})
        _write_about(model, path, name, rows, made, options, folder)
    page = write_gallery(options.out or home(path))
    _say_means(attributes, moved, name)
    print(f'{len(made)} pieces, attribute.png and attribute.json in {out}')
    print(f'Listen and look: {page}')


def _vector(model: 'MusicVAE', path: Path, name: str) -> 'np.ndarray':
    """The vector of an attribute, float32 [Z]. Raises InputError where there is none."""
    fitted, _ = vectors.fitted(path, model)
    if name in fitted.skipped:
        raise InputError(f'there is no vector of {name}: {fitted.skipped[name]}')
    return fitted.vectors[choose('attribute', name, fitted.vectors)].vector


def _move(
    model: 'MusicVAE',
    z: 'np.ndarray',
    vector: 'np.ndarray',
    attributes: 'dict[str, Attribute]',
    options: argparse.Namespace,
) -> dict[float, _Moved]:
    """Amount -> the pieces moved by it; 0 is among the amounts."""
    from mvae.latent import attribute_vectors
    from mvae.latent.attributes import values_of

    moved = {}
    for amount in sorted({0.0, *options.amount}):
        codes = attribute_vectors.apply(z, vector, amount)
        tokens = model.decode_tokens(codes, options.temperature, options.seed)
        values = values_of(tokens, model.form, attributes)
        moved[amount] = _Moved(codes, tokens, values)
    return moved


def _begin(
    model: 'MusicVAE', options: argparse.Namespace
) -> tuple['np.ndarray', list[str], list[tuple[str, 'np.ndarray']]]:
    """Codes to start from, float32 [n, Z], what they are called, and rows for the picture."""
    if options.input:
        tokens, note = model.read(options.input)
        print(f'{options.input}: {note}')
        row = options.input.name, tokens
        return model.encode_tokens(tokens[None]).mu, ['reconstruction'], [row]
    n = options.n or 4
    z = model.sample_tokens(n, options.temperature, options.seed)[1]
    return z, [f'sample {i + 1}' for i in range(n)], []


def _write(
    model: 'MusicVAE', piece: 'np.ndarray', file: Path, title: str, options: argparse.Namespace
) -> None:
    from mvae.render.pieces import write_piece

    about = model.form, options.qpm, title
    write_piece(file, piece, *about, wav=options.wav, png=options.png)


def _write_about(
    model: 'MusicVAE',
    path: str | Path,
    name: str,
    rows: list[tuple[str, 'np.ndarray']],
    made: list[dict[str, Any]],
    options: argparse.Namespace,
    out: Path,
) -> None:
    import json

    from mvae.files import write_json
    from mvae.render.pianoroll import draw

    draw(out / 'attribute.png', rows, model.form)
    about = {
        'run': str(path),
        'step': model.step,
        'attribute': name,
        'input': str(options.input or ''),
        'temperature': options.temperature,
        'seed': options.seed,
        'qpm': options.qpm,
        'config': json.loads(model.config.to_json_best_effort()),
        'pieces': made,
    }
    write_json(out / 'attribute.json', about)


def _say_means(attributes: 'dict[str, Attribute]', moved: dict[float, _Moved], name: str) -> None:
    print(f'{"mean of the pieces":24}{"".join(f"{a:>+12}" for a in moved)}  times {name}')
    for k, attribute in enumerate(attributes):
        means = ''.join(f'{one.values[:, k].mean():>12.3f}' for one in moved.values())
        print(f'{attribute:24}{means}')
