"""From one piece to another, in steps.

    mvae interpolate mel2 --start A.mid --end B.mid --steps 8
    mvae interpolate trio16

Without --start and --end the ends are two new pieces, other ones at each call; their seed is said,
and --seed draws the same again. Files longer than the model's window are taken window by window, as
far as both go (--windows 1: the window with the most notes alone). The tempo is that of the first
file. It writes a MIDI file and sound for what was read, for each step and for all steps joined, a
piano roll, and a JSON with latent codes z, into a new folder such as interpolation/A-to-B.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mvae.commands import music
from mvae.commands.models import add_model_options, load_model
from mvae.commands.options import add_chords, add_output_options, positive
from mvae.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from mvae.musicvae import MusicVAE, Told


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, seed=None)
    parser.add_argument('--start', type=Path, help='MIDI file to start from')
    parser.add_argument('--end', type=Path, help='MIDI file to end with')
    parser.add_argument('--steps', type=positive, default=8, help='pieces, both ends included')
    parser.add_argument(
        '--windows',
        type=positive,
        help='at most so many windows of each file; 1: the one with the most notes',
    )
    parser.add_argument('--temperature', type=float, default=0.0, help='0: the most likely tokens')
    add_chords(parser, 'those of the nearer file')
    add_output_options(parser, 'interpolation', 'that of the first file, else 120')


def run(options: argparse.Namespace) -> None:
    if (options.start is None) != (options.end is None):
        raise InputError('give both --start and --end, or neither')
    if options.steps < 2:
        raise InputError('an interpolation has at least 2 steps')
    path, model = load_model(options)
    from mvae.render.collection import collection

    draws = options.start is None or options.temperature != 0
    music.settle(options, options.start, draws)
    ends = _read_ends(model, path, options) if options.start else None
    z = _path(model, ends, options)
    told: Told | None = music.told(options)
    if told is None and ends is not None:
        nearer = ends[[n * 2 // options.steps for n in range(options.steps)]]
        told = model.told_of(nearer.reshape(-1, *nearer.shape[2:]))
    codes = z.reshape(-1, z.shape[-1])
    decoded = model.decode_tokens(codes, options.temperature, options.seed, told)
    pieces = _whole(decoded.reshape(options.steps, -1, *decoded.shape[1:]))
    name = f'seed-{options.seed}'
    if options.start:
        name = f'{music.stem(options.start)}-to-{music.stem(options.end)}'
    out = music.folder_of(options, path, 'interpolation', name)
    with collection(out) as folder:
        _write_music(model, ends, pieces, options, folder)
        _write_about(model, path, z, options, folder)
    made = f'{len(pieces)} steps, joined.mid, interpolation.png and interpolation.json'
    music.conclude(options, path, made, out, draws)


def _read_ends(model: 'MusicVAE', path: Path, options: argparse.Namespace) -> 'np.ndarray':
    """Both files as windows, int32 [2, W, T, K], W the same for both; says what was taken."""
    import numpy as np

    files = options.start, options.end
    if options.windows == 1:
        read = [model.read(file) for file in files]
        ends, notes = [tokens[None] for tokens, _ in read], [note for _, note in read]
    else:
        ends = [model.read_all(file) for file in files]
        bars = f'of {model.form.bars} bars'
        notes = [f'{len(own)} window{"s" * (len(own) > 1)} {bars}' for own in ends]
    count = min(len(ends[0]), len(ends[1]), options.windows or sys.maxsize)
    for file, windows, note in zip(files, ends, notes, strict=True):
        taken = f', the first {count} taken' if len(windows) > count else ''
        music.say_read(options, file, note + taken)
        music.say_silent(model, path, file, windows[:count])
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
    from mvae.render.names import of_step
    from mvae.render.pianoroll import draw
    from mvae.render.pieces import write_joined

    titles = [of_step(n + 1, len(pieces)) for n in range(len(pieces))]
    rows = list(zip(titles, pieces, strict=True))
    for n, (title, piece) in enumerate(rows, 1):
        music.write(options, model, out / f'step_{n:02d}.mid', piece, title)
    about = model.form, options.qpm, 'interpolation'
    write_joined(out / 'joined.mid', list(pieces), *about, wav=options.wav)
    if ends is not None:
        given = list(zip((options.start, options.end), _whole(ends), strict=True))
        music.write_given(options, model, out, given)
        for what, piece, (file, tokens) in zip(
            titles[:: len(titles) - 1], pieces[[0, -1]], given, strict=True
        ):
            music.say_kept(model, what, piece, file.name, tokens)
        first, last = ((file.name, tokens) for file, tokens in given)
        rows = [first, *rows, last]
    draw(out / 'interpolation.png', rows, model.form)


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
        'chords': options.chords,
    }
    config = json.loads(model.config.to_json_best_effort())
    write_json(out / 'interpolation.json', {**about, 'config': config, 'z': z.tolist()})
