"""New pieces from the prior: python experiments/sample.py --run runs/trio16 [--n 8] [--temperature 1.0] [--seed 0] [--qpm 120] [--out DIR].

Writes one MIDI file each, a piano roll of all, and samples.json with what made them (seed, checkpoint, config, z). Same command, same bytes.
"""

import argparse
import json
import sys
from pathlib import Path

import command


def main(options: argparse.Namespace) -> None:
    from mvae.render.files import write_json, write_piece
    from mvae.render.pianoroll import draw
    from mvae.trained import check_qpm, load

    check_qpm(options.qpm)
    folder = command.run_folder(options)
    model = load(folder, options.checkpoint)
    tokens, z = model.sample_tokens(options.n, options.temperature, options.seed)
    out = options.out or folder / 'samples'
    for n, piece in enumerate(tokens):
        write_piece(out / f'sample_{n + 1}.mid', piece, model.kind, model.vocabulary, options.qpm, f'sample {n + 1}')
    titles = [(f'sample {n + 1}', piece) for n, piece in enumerate(tokens)]
    draw(out / 'samples.png', titles, model.kind, model.vocabulary)
    about = {'run': str(folder), 'step': model.saved.step, 'temperature': options.temperature, 'seed': options.seed, 'qpm': options.qpm}
    config = json.loads(model.saved.config.to_json_best_effort())
    write_json(out / 'samples.json', {**about, 'config': config, 'z': z.tolist()})
    print(f'{len(tokens)} pieces, samples.png and samples.json in {out}')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='New pieces from the prior.')
    command.add_run_options(parser)
    parser.add_argument('--n', type=command.positive, default=8)
    parser.add_argument('--temperature', type=float, default=1.0)
    parser.add_argument('--qpm', type=float, default=120.0)
    parser.add_argument('--out', type=Path, help='default: samples in the run folder')
    sys.exit(command.run(main, parser))
