"""Drums as a drummer would play them, by a model of grooves.

    mvae humanize runs/groove2 pattern.mid played.mid
    mvae tap runs/taps rhythm.mid drums.mid
    mvae drumify runs/taps song.mid drums.mid --track 2
    mvae add-hats runs/hats drums.mid more.mid
    mvae humanize runs/hits2 pattern.mid played.mid --like drummer.mid

humanize keeps every hit of a rigid pattern, and gives it velocity and timing. tap makes a whole
drum set of a rhythm that is tapped on any drums; drumify takes the rhythm of a track of any
instrument, the one with the most notes or --track. add-hats adds a closed hi-hat. The whole file is
played at its own tempo, and written as MIDI with sound beside it.

A model serves what it has learned: mvae train --exp groove2 learns humanize, with
--config.model.reads=taps --run runs/taps tap and drumify, and with no_hat in place of taps
add-hats. A model of mvae train --exp hits2 is told the hits: it plays those of a pattern as drums
of another file are played (--like), or in a way that it draws (--seed).
"""

import argparse
import os
from pathlib import Path

from mvae.commands import music
from mvae.commands.models import add_model_options, load_model
from mvae.commands.options import add_sound_options, positive
from mvae.errors import InputError


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, seed=None)
    parser.add_argument('file', nargs='?', type=Path, metavar='FILE', help='MIDI file')
    parser.add_argument('out', nargs='?', type=Path, metavar='OUT', help='the MIDI file to write')
    parser.add_argument('--track', type=positive, help='drumify: whose rhythm, from 1')
    parser.add_argument('--like', type=Path, metavar='FILE', help='humanize: whose way of playing')
    parser.add_argument('--temperature', type=float, default=0.0, help='0: the most likely hits')
    add_sound_options(parser, 'that of the file')


def run(options: argparse.Namespace) -> None:
    if options.exp and options.out is None:  # the two words are the files
        options.model, options.file, options.out = None, options.model, options.file
        options.file = Path(options.file) if options.file else None
    if options.file is None or options.out is None:
        raise InputError(f'say which files: mvae {options.command} MODEL in.mid out.mid')
    if options.out.suffix.lower() not in ('.mid', '.midi'):
        raise InputError(f'{options.out} is no name of a MIDI file, such as played.mid')
    if os.path.realpath(options.file) == os.path.realpath(options.out):
        raise InputError(f'{options.out} is the file that is read; name another')
    path, model = load_model(options)
    from mvae.latent.grooves import perform

    draws = options.temperature > 0 or (bool(model.form.conditions) and options.like is None)
    music.settle(options, options.file, draws)
    chosen = options.temperature, options.seed, options.track, options.like
    piece, note = perform(model, options.command, options.file, *chosen)
    music.say_read(options, options.file, note)
    music.write(options, model, options.out, piece, f'{options.command} {options.file.name}')
    if draws:
        print(f'Seed {options.seed}: --seed {options.seed} draws the same again')
    bars = len(piece) // model.form.steps_per_bar
    print(f'{options.out}: {bars} bars by {path}')
