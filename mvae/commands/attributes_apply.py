"""`mvae attributes apply`: moves pieces along a vector."""

import argparse
from pathlib import Path

from mvae.commands import vectors
from mvae.commands.models import load_model
from mvae.commands.options import choose
from mvae.errors import InputError


def apply(options: argparse.Namespace) -> None:
    if options.input and options.n:
        raise InputError('give --input or --n, not both')
    path, model = load_model(options)
    from mvae.latent import attribute_vectors
    from mvae.latent.attributes import values_of
    from mvae.musicvae import check_qpm
    from mvae.render.gallery import write_gallery
    from mvae.runs.released import home

    check_qpm(options.qpm)
    fitted, _ = attribute_vectors.load(home(path) / vectors.FILE, vectors.identity(model))
    own = [options.attribute] if ':' in options.attribute else []
    attributes, name = vectors.attributes(model.form, own), options.attribute.rpartition(':')[2]
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
    values = {amount: values_of(pieces[amount], model.form, attributes) for amount in amounts}
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

    about = model.form, options.qpm, title
    write_piece(file, piece, *about, wav=options.wav, png=options.png)


def _write_about(model, path, name, rows, made, options: argparse.Namespace, out: Path) -> None:
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


def _say_means(attributes: dict, amounts: list[float], values: dict, name: str) -> None:
    print(f'{"mean of the pieces":24}{"".join(f"{a:>+12}" for a in amounts)}  times {name}')
    for k, attribute in enumerate(attributes):
        means = ''.join(f'{values[amount][:, k].mean():>12.3f}' for amount in amounts)
        print(f'{attribute:24}{means}')
