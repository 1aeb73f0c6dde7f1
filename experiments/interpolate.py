"""From one piece to another: python experiments/interpolate.py --run runs/trio16 [--start A.mid --end B.mid] [--steps 8] [--seed 0] [--out DIR].

Without --start and --end the ends are two samples of the prior. Writes one MIDI file per step, all of them joined, a piano roll, and a JSON with z.
"""

import argparse
import json
import sys
from pathlib import Path

import command

from mvae.errors import InputError


def main(options: argparse.Namespace) -> None:
    from mvae.latent import interpolation
    from mvae.render.files import write_joined, write_json, write_piece
    from mvae.render.pianoroll import draw
    from mvae.trained import check_qpm, load

    if (options.start is None) != (options.end is None):
        raise InputError('give both --start and --end, or neither')
    if options.steps < 2:
        raise InputError('an interpolation has at least 2 steps')
    check_qpm(options.qpm)
    folder = command.run_folder(options)
    model = load(folder, options.checkpoint)
    ends = []
    if options.start:
        for path in (options.start, options.end):
            tokens, note = model.read(path)
            ends.append((path.name, tokens))
            print(f'{path}: {note}')
        a, b = model.encode_tokens([tokens for _, tokens in ends]).mu
    else:
        a, b = model.sample_tokens(2, seed=options.seed)[1]
    z = interpolation.path(a, b, options.steps)
    pieces = model.decode_tokens(z, options.temperature, options.seed)
    for (name, tokens), piece in zip(ends, (pieces[0], pieces[-1]), strict=False):
        shares = (tokens == piece).mean(0), (tokens == 0).mean(0)
        print(f'{name}: tokens reconstructed {shares[0].round(3).tolist()}, always hold {shares[1].round(3).tolist()}')
    out = options.out or folder / 'interpolation'
    titled = [(f'step {n + 1} of {len(pieces)}', piece) for n, piece in enumerate(pieces)]
    for n, (title, piece) in enumerate(titled):
        write_piece(out / f'step_{n + 1:02d}.mid', piece, model.kind, model.vocabulary, options.qpm, title)
    write_joined(out / 'joined.mid', pieces, model.kind, model.vocabulary, options.qpm, 'interpolation')
    rows = [*ends[:1], *titled, *ends[1:]]
    draw(out / 'interpolation.png', rows, model.kind, model.vocabulary)
    about = {'run': str(folder), 'step': model.saved.step, 'start': str(options.start or ''), 'end': str(options.end or '')}
    settings = {'temperature': options.temperature, 'seed': options.seed, 'qpm': options.qpm}
    config = json.loads(model.saved.config.to_json_best_effort())
    write_json(out / 'interpolation.json', {**about, **settings, 'config': config, 'z': z.tolist()})
    print(f'{len(pieces)} steps, joined.mid, interpolation.png and interpolation.json in {out}')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='From one piece to another.')
    command.add_run_options(parser)
    parser.add_argument('--start', type=Path, help='MIDI file to start from')
    parser.add_argument('--end', type=Path, help='MIDI file to end with')
    parser.add_argument('--steps', type=command.positive, default=8, help='pieces, both ends included')
    parser.add_argument('--temperature', type=float, default=0.0, help='0: the most likely tokens')
    parser.add_argument('--qpm', type=float, default=120.0)
    parser.add_argument('--out', type=Path, help='default: interpolation in the run folder')
    sys.exit(command.run(main, parser))
