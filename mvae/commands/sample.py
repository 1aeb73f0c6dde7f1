"""New pieces by a model.

    mvae sample trio16 --n 4
    mvae sample runs/mel16 --temperature 0.8 --seed 1
    mvae sample trio16 --form AABA
    mvae sample mel2 --key 'A minor'
    mvae sample runs/lead2 --chords 'C G | Am F'

Each call draws other pieces and says their seed; --seed draws the same again. It writes a MIDI file
and sound for each piece (--no-wav: no sound, --png: a piano roll each), a piano roll of all, and
samples.json with what made them (seed, checkpoint, config, latent codes z), into a new folder such
as samples/seed-123. index.html in the run folder is a page with play buttons. --form says in
letters which sections come back: of 16 bars AABA has four of four bars, and the first, second and
last are the same music.
"""

import argparse

from mvae.commands import music
from mvae.commands.models import add_model_options, load_model
from mvae.commands.options import add_chords, add_output_options, positive


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, seed=None)
    parser.add_argument('--n', type=positive, default=8, help='how many pieces (default: 8)')
    parser.add_argument(
        '--temperature',
        type=float,
        help='below 1 more usual, above 1 wilder (default: 0 where pieces come from the learned '
        'prior, which says all notes, else 1)',
    )
    parser.add_argument(
        '--prior',
        help='where z comes from: learned from music, with form (the default, where the model has '
        'it), fitted, a Gaussian of codes, or standard, N(0, I) as in the paper',
    )
    parser.add_argument('--form', metavar='LETTERS', help='sections that come back, such as AABA')
    key = 'key of the pieces, such as C or "A minor" (default: keys of the music it learned from)'
    parser.add_argument('--key', help=key)
    add_chords(parser, 'none: the model plays what it likes')
    add_output_options(parser, 'samples', '120')


def run(options: argparse.Namespace) -> None:
    path, model = load_model(options)
    import json

    from mvae.files import write_json
    from mvae.render.collection import collection
    from mvae.render.pianoroll import draw

    music.settle(options)
    drawn = options.temperature, options.seed, options.prior, options.form, music.told(options)
    tokens, z = model.sample_tokens(options.n, *drawn, options.key)
    prior = options.prior or model.usual_prior
    usual = model.priors[prior].temperature
    heat = usual if options.temperature is None else options.temperature
    out = music.folder_of(options, path, 'samples', f'seed-{options.seed}')
    titles = [(f'sample {n + 1}', piece) for n, piece in enumerate(tokens)]
    about = {
        'run': str(path),
        'step': model.step,
        'prior': prior,
        'form': options.form,
        'key': options.key,
        'chords': options.chords,
        'temperature': heat,
        'seed': options.seed,
        'qpm': options.qpm,
    }
    config = json.loads(model.config.to_json_best_effort())
    with collection(out) as folder:
        for title, piece in titles:
            music.write(options, model, folder / f'{title.replace(" ", "_")}.mid', piece, title)
        draw(folder / 'samples.png', titles, model.form)
        write_json(folder / 'samples.json', {**about, 'config': config, 'z': z.tolist()})
    music.conclude(options, path, f'{len(tokens)} pieces, samples.png and samples.json', out)
