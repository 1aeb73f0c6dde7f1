"""`mvae attributes apply`: moves pieces along a vector."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mvae.commands import music, vectors
from mvae.commands.models import load_model
from mvae.commands.options import choose
from mvae.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from mvae.latent.attributes import Attribute
    from mvae.musicvae import MusicVAE, Told


class _Moved(NamedTuple):
    """Pieces moved by one amount: codes float32 [n, Z], tokens int32 [n, T, K], values [n, A]."""

    z: 'np.ndarray'
    tokens: 'np.ndarray'
    values: 'np.ndarray'


def apply(options: argparse.Namespace) -> None:
    if options.input and options.n:
        raise InputError('give --input or --n, not both')
    path, model = load_model(options)
    from mvae.render.collection import collection

    own = [options.attribute] if ':' in options.attribute else []
    attributes, name = vectors.attributes(model.form, own), options.attribute.rpartition(':')[2]
    vector = _vector(model, path, name, bool(own))
    draws = options.input is None or options.temperature != 0
    music.settle(options, options.input, draws)
    z, names, given = _begin(model, path, options)
    told = model.told_of(given[0][1]) if given else None
    moved = _move(model, z, vector, attributes, told, options)
    of = music.stem(options.input) if options.input else f'seed-{options.seed}'
    out = music.folder_of(options, path, f'attributes/{name}', of)
    rows, made = [(file.name, tokens) for file, tokens in given], []
    with collection(out) as folder:
        music.write_given(options, model, folder, given)
        for i, piece in enumerate(names):
            for amount, one in moved.items():
                title = f'{piece}, {amount:+} {name}' if amount else piece
                file = piece.replace(' ', '_') + (f'_{amount:+}' if amount else '') + '.mid'
                music.write(options, model, folder / file, one.tokens[i], title)
                rows.append((title, one.tokens[i]))
                values = dict(zip(attributes, one.values[i].tolist(), strict=True))
                about = {'file': file, 'piece': piece, 'amount': amount, 'values': values}
                made.append(about | {'z': one.z[i].tolist()})
        _write_about(model, path, name, rows, made, options, folder)
    for original, tokens in given:
        music.say_kept(model, 'the reconstruction', moved[0.0].tokens[0], original.name, tokens)
    _say_means(attributes, moved, name)
    said = f'{len(made)} pieces, attribute.png and attribute.json'
    music.conclude(options, path, said, out, draws)


def _vector(model: 'MusicVAE', path: Path, name: str, is_own: bool) -> 'np.ndarray':
    """The vector of an attribute, float32 [Z]: of those that the user fitted, else the model's.

    is_own: whether the attribute is the user's. Raises InputError where there is no such vector.
    """
    if model.attributes and not is_own and not vectors.are_fitted(path):
        return model.attributes[choose('attribute', name, model.attributes)]
    fitted, _ = vectors.fitted(path, model)
    if name in fitted.skipped:
        raise InputError(f'there is no vector of {name}: {fitted.skipped[name]}')
    return fitted.vectors[choose('attribute', name, fitted.vectors)].vector


def _move(
    model: 'MusicVAE',
    z: 'np.ndarray',
    vector: 'np.ndarray',
    attributes: 'dict[str, Attribute]',
    told: 'Told | None',
    options: argparse.Namespace,
) -> dict[float, _Moved]:
    """Amount -> the pieces moved by it; 0 is among the amounts."""
    from mvae.latent import attribute_vectors
    from mvae.latent.attributes import values_of

    moved = {}
    for amount in sorted({0.0, *options.amount}):
        codes = attribute_vectors.apply(z, vector, amount)
        tokens = model.decode_tokens(codes, options.temperature, options.seed, told)
        values = values_of(tokens, model.form, attributes)
        moved[amount] = _Moved(codes, tokens, values)
    return moved


def _begin(
    model: 'MusicVAE', path: Path, options: argparse.Namespace
) -> tuple['np.ndarray', list[str], list[tuple[Path, 'np.ndarray']]]:
    """Codes to start from, float32 [n, Z], what they are called, and what was given, if it was."""
    if options.input:
        tokens, note = model.read(options.input)
        music.say_read(options, options.input, note)
        music.say_silent(model, path, options.input, tokens)
        mu = model.encode_tokens(tokens[None]).mu
        return mu, ['reconstruction'], [(options.input, tokens)]
    n = options.n or 4
    z = model.sample_tokens(n, options.temperature, options.seed)[1]
    return z, [f'sample {i + 1}' for i in range(n)], []


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
