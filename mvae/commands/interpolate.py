"""From one piece to another, in steps.

    mvae interpolate mel2 --start A.mid --end B.mid --steps 8 --wav
    mvae interpolate trio16

Without --start and --end the ends are two new pieces. Files longer than the model's window are
taken window by window, as far as both go (--windows 1: the window with the most notes alone).
Writes one MIDI file per step, all of them joined, a piano roll, and a JSON with latent codes z.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mvae.commands.models import add_model_options, load_model
from mvae.commands.options import add_output_options, positive
from mvae.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from mvae.musicvae import MusicVAE


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser)
    parser.add_argument('--start', type=Path, help='MIDI file to start from')
    parser.add_argument('--end', type=Path, help='MIDI file to end with')
    parser.add_argument('--steps', type=positive, default=8, help='pieces, both ends included')
    parser.add_argument(
        '--windows',
        type=positive,
        help='at most so many windows of each file; 1: the one with the most notes',
    )
    parser.add_argument('--temperature', type=float, default=0.0, help='0: the most likely tokens')
    add_output_options(parser, 'interpolation')


def run(options: argparse.Namespace) -> None:
    if (options.start is None) != (options.end is None):
        raise InputError('give both --start and --end, or neither')
    if options.steps < 2:
        raise InputError('an interpolation has at least 2 steps')
    path, model = load_model(options)
    from mvae.checks import check_qpm
    from mvae.render.collection import collection
    from mvae.render.gallery import write_gallery
    from mvae.runs.released import home

    check_qpm(options.qpm)
    ends = _read_ends(model, options) if options.start else None
    z = _path(model, ends, options)
    decoded = model.decode_tokens(z.reshape(-1, z.shape[-1]), options.temperature, options.seed)
    pieces = _whole(decoded.reshape(options.steps, -1, *decoded.shape[1:]))
    out = options.out or home(path) / 'interpolation'
    with collection(out) as folder:
        _write_music(model, ends, pieces, options, folder)
        _write_about(model, path, z, options, folder)
    page = write_gallery(options.out or home(path))
    print(f'{len(pieces)} steps, joined.mid, interpolation.png and interpolation.json in {out}')
    print(f'Listen and look: {page}')


def _read_ends(model: 'MusicVAE', options: argparse.Namespace) -> 'np.ndarray':
    """Both files as windows, int32 [2, W, T, K], W the same for both; says what was taken."""
    import numpy as np

    paths = options.start, options.end
    if options.windows == 1:
        ends = []
        for path in paths:
            tokens, note = model.read(path)
            print(f'{path}: {note}')
            ends.append(tokens[None])
        return np.stack(ends)
    ends = [model.read_all(path) for path in paths]
    count = min(len(ends[0]), len(ends[1]), options.windows or sys.maxsize)
    for path, windows in zip(paths, ends, strict=True):
        taken = f', the first {count} taken' if len(windows) > count else ''
        print(f'{path}: {len(windows)} windows of {model.form.bars} bars{taken}')
    return np.stack([windows[:count] for windows in ends])


def _path(
    model: 'MusicVAE', ends: 'np.ndarray | None', options: argparse.Namespace
) -> 'np.ndarray':
    """Codes of all steps, float32 [steps, W, Z]."""
    import numpy as np

    from mvae.model import interpolation

    if ends is None:
        a, b = model.sample_tokens(2, seed=options.seed)[1][:, None]
    else:
        codes = model.encode_tokens(ends.reshape(-1, *ends.shape[2:])).mu
        a, b = codes.reshape(2, ends.shape[1], -1)
    paths = [interpolation.path(*pair, options.steps) for pair in zip(a, b, strict=True)]
    return np.stack(paths, axis=1)


def _whole(windows: 'np.ndarray') -> 'np.ndarray':
    """Windows one after the other: [n, W, T, K] -> [n, W * T, K]."""
    return windows.reshape(len(windows), -1, windows.shape[-1])


def _write_music(
    model: 'MusicVAE',
    ends: 'np.ndarray | None',
    pieces: 'np.ndarray',
    options: argparse.Namespace,
    out: Path,
) -> None:
    from mvae.render.pianoroll import draw
    from mvae.render.pieces import write_joined, write_piece

    about = model.form, options.qpm
    titles = [f'step {n + 1} of {len(pieces)}' for n in range(len(pieces))]
    for n, (title, piece) in enumerate(zip(titles, pieces, strict=True)):
        file = out / f'step_{n + 1:02d}.mid'
        write_piece(file, piece, *about, title, wav=options.wav, png=options.png)
    write_joined(out / 'joined.mid', list(pieces), *about, 'interpolation', wav=options.wav)
    rows = list(zip(titles, pieces, strict=True))
    if ends is not None:
        names = options.start.name, options.end.name
        first, last = zip(names, _whole(ends), strict=True)
        _say_how_close(*first, pieces[0])
        _say_how_close(*last, pieces[-1])
        rows = [first, *rows, last]
    draw(out / 'interpolation.png', rows, model.form)


def _say_how_close(name: str, tokens: 'np.ndarray', piece: 'np.ndarray') -> None:
    right, nothing = (tokens == piece).mean(0), (tokens == 0).mean(0)
    print(
        f'{name}: tokens reconstructed {right.round(3).tolist()}, '
        f'a piece without events {nothing.round(3).tolist()}'
    )


def _write_about(
    model: 'MusicVAE', path: Path, z: 'np.ndarray', options: argparse.Namespace, out: Path
) -> None:
    import json

    from mvae.files import write_json

    about = {
        'run': str(path),
        'step': model.step,
        'start': str(options.start or ''),
        'end': str(options.end or ''),
        'temperature': options.temperature,
        'seed': options.seed,
        'qpm': options.qpm,
        'windows': z.shape[1],
    }
    config = json.loads(model.config.to_json_best_effort())
    write_json(out / 'interpolation.json', {**about, 'config': config, 'z': z.tolist()})
