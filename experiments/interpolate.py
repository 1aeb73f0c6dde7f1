"""From one piece to another: python experiments/interpolate.py --run runs/trio16 [--start A.mid
--end B.mid] [--steps 8] [--seed 0] [--wav].

Without --start and --end the ends are two new pieces. Files longer than the model's window are
taken window by window, as far as both go (--windows 1: the window with the most notes alone).
Writes one MIDI file per step, all of them joined, a piano roll, and a JSON with z.
"""

import argparse
import json
import sys
from pathlib import Path

import command
import numpy as np

from mvae.errors import InputError


def read_ends(model, options: argparse.Namespace) -> np.ndarray:
    """Both files as windows, int32 [2, W, T, K], W the same for both; says what was taken."""
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
        print(
            f'{path}: {len(windows)} windows of {model.bars} bars'
            + (f', the first {count} taken' if len(windows) > count else '')
        )
    return np.stack([windows[:count] for windows in ends])


def main(options: argparse.Namespace) -> None:
    from mvae.files import write_json
    from mvae.latent import interpolation
    from mvae.render.gallery import write_gallery
    from mvae.render.pianoroll import draw
    from mvae.render.pieces import write_joined, write_piece
    from mvae.trained import check_qpm, load
    from mvae.training.compact import home

    if (options.start is None) != (options.end is None):
        raise InputError('give both --start and --end, or neither')
    if options.steps < 2:
        raise InputError('an interpolation has at least 2 steps')
    check_qpm(options.qpm)
    folder = command.run_folder(options)
    model = load(folder, options.checkpoint)
    ends = read_ends(model, options) if options.start else None
    if ends is None:
        a, b = model.sample_tokens(2, seed=options.seed)[1][:, None]
    else:
        a, b = model.encode_tokens(ends.reshape(-1, *ends.shape[2:])).mu.reshape(
            2, ends.shape[1], -1
        )
    z = np.stack(
        [interpolation.path(*pair, options.steps) for pair in zip(a, b, strict=True)], axis=1
    )  # [steps, W, Z]
    decoded = model.decode_tokens(z.reshape(-1, z.shape[-1]), options.temperature, options.seed)
    whole = lambda windows: windows.reshape(len(windows), -1, windows.shape[-1])  # noqa: E731  windows one after the other: [n, W * T, K]
    pieces = whole(decoded.reshape(options.steps, -1, *decoded.shape[1:]))
    rows = [(f'step {n + 1} of {len(pieces)}', piece) for n, piece in enumerate(pieces)]
    if ends is not None:
        named = list(zip((options.start.name, options.end.name), whole(ends), strict=True))
        for (name, tokens), piece in zip(named, (pieces[0], pieces[-1]), strict=True):
            shares = (tokens == piece).mean(0), (tokens == 0).mean(0)
            print(
                f'{name}: tokens reconstructed {shares[0].round(3).tolist()}, always hold {shares[1].round(3).tolist()}'
            )
        rows = [named[0], *rows, named[1]]
    out = options.out or home(folder) / 'interpolation'
    about = model.kind, model.vocabulary, options.qpm
    for n, piece in enumerate(pieces):
        write_piece(
            out / f'step_{n + 1:02d}.mid',
            piece,
            *about,
            f'step {n + 1} of {len(pieces)}',
            wav=options.wav,
            png=options.png,
        )
    write_joined(out / 'joined.mid', pieces, *about, 'interpolation', wav=options.wav)
    draw(out / 'interpolation.png', rows, model.kind, model.vocabulary)
    settings = {
        'temperature': options.temperature,
        'seed': options.seed,
        'qpm': options.qpm,
        'windows': z.shape[1],
    }
    made = {
        'run': str(folder),
        'step': model.saved.step,
        'start': str(options.start or ''),
        'end': str(options.end or ''),
    }
    config = json.loads(model.saved.config.to_json_best_effort())
    write_json(out / 'interpolation.json', {**made, **settings, 'config': config, 'z': z.tolist()})
    write_gallery(options.out or home(folder))
    print(f'{len(pieces)} steps, joined.mid, interpolation.png and interpolation.json in {out}')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='From one piece to another.')
    command.add_run_options(parser)
    parser.add_argument('--start', type=Path, help='MIDI file to start from')
    parser.add_argument('--end', type=Path, help='MIDI file to end with')
    parser.add_argument(
        '--steps', type=command.positive, default=8, help='pieces, both ends included'
    )
    parser.add_argument(
        '--windows',
        type=command.positive,
        help='at most so many windows of each file; 1: the one with the most notes',
    )
    parser.add_argument('--temperature', type=float, default=0.0, help='0: the most likely tokens')
    command.add_output_options(parser, 'interpolation')
    sys.exit(command.run(main, parser))
