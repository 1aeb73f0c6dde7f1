"""Keep some bars or parts of a piece and draw the others anew.

    mvae infill trio16 song.mid --keep 1-8 --n 4
    mvae infill runs/mel16 song.mid --keep 1-4,9-12,16
    mvae infill trio16 tune.mid --keep-parts melody

The last gives a tune a bass and drums. Bars are counted from 1 in what the model reads of the file,
which is said. What is kept stays note for note; the others are drawn by the learned prior so that
they go with it. The tempo is that of the file. Each call draws other music and says its seed;
--seed draws the same again. It writes a MIDI file and sound for what was read and for each piece, a
piano roll of all, and infill.json with what made them, into a new folder such as
infill/song-seed-123.
"""

import argparse
import re
from pathlib import Path

from mvae.commands import music
from mvae.commands.models import add_model_options, load_model
from mvae.commands.options import add_output_options, positive
from mvae.errors import InputError

_MOST_BARS = 10_000


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, seed=None)
    parser.add_argument('file', nargs='?', type=Path, metavar='FILE', help='MIDI file')
    parser.add_argument(
        '--keep', type=bars, default=[], help='bars that stay, such as 1-8 or 1-4,9-12,16'
    )
    parser.add_argument(
        '--keep-parts', type=names, default=[], help='parts that stay, such as melody,drums'
    )
    parser.add_argument('--n', type=positive, default=4, help='how many pieces (default: 4)')
    parser.add_argument('--temperature', type=float, default=0.0, help='0: the most likely tokens')
    add_output_options(parser, 'infill')


def bars(text: str) -> list[int]:
    """'1-4,9' as bars from 0: [0, 1, 2, 3, 8]. For argparse."""
    found: list[int] = []
    for part in text.split(','):
        ends = re.fullmatch(r'\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?', part, re.ASCII)
        first, last = (int(end) for end in (ends[1], ends[2] or ends[1])) if ends else (0, 0)
        if not 1 <= first <= last <= _MOST_BARS:
            raise argparse.ArgumentTypeError(f'{text!r} are no bars such as 1-4,9-12,16')
        found += range(first - 1, last)
    return found


def names(text: str) -> list[str]:
    """'melody, bass' as names. For argparse."""
    return [name.strip() for name in text.split(',')]


def run(options: argparse.Namespace) -> None:
    if options.exp and options.model and not options.file:  # the one word is the file
        options.model, options.file = None, Path(options.model)
    if options.file is None:
        raise InputError('say which MIDI file: mvae infill trio16 song.mid --keep 1-8')
    if not options.keep and not options.keep_parts:
        raise InputError(
            'say what stays, bars or parts: --keep 1-8 or --keep-parts melody (mvae sample draws '
            'pieces of which all is new)'
        )
    path, model = load_model(options)
    from mvae.files import write_json
    from mvae.latent.infill import infill
    from mvae.render.collection import collection
    from mvae.render.pianoroll import draw

    source, note = model.read(options.file)
    music.settle(options, options.file)
    music.say_read(options, options.file, note)
    if options.keep:
        music.say_silent(model, path, options.file, source)
    drawn = options.n, options.temperature, options.seed, options.keep_parts
    tokens, z = infill(model, source, options.keep, *drawn)
    name = f'{music.stem(options.file)}-seed-{options.seed}'
    out = music.folder_of(options, path, 'infill', name)
    titles = [(f'infill {n + 1}', piece) for n, piece in enumerate(tokens)]
    about = {
        'run': str(path),
        'step': model.step,
        'file': str(options.file),
        'kept_bars': sorted({bar + 1 for bar in options.keep}),
        'kept_parts': options.keep_parts,
        'temperature': options.temperature,
        'seed': options.seed,
        'qpm': options.qpm,
    }
    with collection(out) as folder:
        music.write_given(options, model, folder, [(options.file, source)])
        for title, piece in titles:
            music.write(options, model, folder / f'{title.replace(" ", "_")}.mid', piece, title)
        draw(folder / 'infill.png', [(options.file.name, source), *titles], model.form)
        write_json(folder / 'infill.json', about | {'z': z.tolist()})
    music.conclude(options, path, f'{len(tokens)} pieces, infill.png and infill.json', out)
