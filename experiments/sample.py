"""New pieces: python experiments/sample.py --run runs/trio16 [--n 8] [--temperature 1.0] [--seed 0]
[--qpm 120] [--wav] [--out DIR].

Writes one MIDI file each (--wav: sound, --png: a piano roll each), a piano roll of all, and
samples.json with what made them (seed, checkpoint, config, z), and lists them in the run folder's
index.html. Same command, same bytes.
"""

import argparse
import json
import sys

import command


def main(options: argparse.Namespace) -> None:
    from mvae.files import write_json
    from mvae.render.gallery import write_gallery
    from mvae.render.pianoroll import draw
    from mvae.render.pieces import write_piece
    from mvae.trained import check_qpm, load
    from mvae.training.compact import home

    check_qpm(options.qpm)
    folder = command.run_folder(options)
    model = load(folder, options.checkpoint)
    tokens, z = model.sample_tokens(options.n, options.temperature, options.seed, options.prior)
    out = options.out or home(folder) / 'samples'
    for n, piece in enumerate(tokens):
        name, looks = f'sample_{n + 1}.mid', {'wav': options.wav, 'png': options.png}
        write_piece(
            out / name, piece, model.kind, model.vocabulary, options.qpm, f'sample {n + 1}', **looks
        )
    titles = [(f'sample {n + 1}', piece) for n, piece in enumerate(tokens)]
    draw(out / 'samples.png', titles, model.kind, model.vocabulary)
    about = {
        'run': str(folder),
        'step': model.saved.step,
        'prior': options.prior or model.usual_prior,
    }
    about |= {'temperature': options.temperature, 'seed': options.seed, 'qpm': options.qpm}
    config = json.loads(model.saved.config.to_json_best_effort())
    write_json(out / 'samples.json', {**about, 'config': config, 'z': z.tolist()})
    write_gallery(options.out or home(folder))
    print(f'{len(tokens)} pieces, samples.png and samples.json in {out}')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='New pieces.')
    command.add_run_options(parser)
    parser.add_argument('--n', type=command.positive, default=8)
    parser.add_argument('--temperature', type=float, default=1.0)
    parser.add_argument(
        '--prior',
        help='fitted to codes of music (the default, where the run has it) or standard: N(0, I), as in the paper',
    )
    command.add_output_options(parser, 'samples')
    sys.exit(command.run(main, parser))
