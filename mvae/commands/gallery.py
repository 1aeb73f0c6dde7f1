"""All that a model made, as a page with pictures and play buttons.

    mvae gallery runs/trio16

Writes index.html in the run folder: double-click it, no network is needed. Sound is rendered where
it is missing, of the evaluations in training only for the last (--all: for each).
"""

import argparse

from mvae.commands.models import add_model_options, path_of, program
from mvae.errors import InputError


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser)
    parser.add_argument('--all', action='store_true', help='sound for every evaluation in training')


def run(options: argparse.Namespace) -> None:
    path = path_of(options)
    from mvae.progress import progress
    from mvae.render.gallery import render_missing, write_gallery
    from mvae.runs.released import home

    folder = home(path)
    places = {midi.parent for midi in folder.rglob('*.mid')}
    if not places:
        raise InputError(f'{folder} holds no MIDI files; {program()} sample {path} makes some')
    steps = sorted(place for place in places if place.name.startswith('step_'))
    if not options.all:
        places -= set(steps[:-1])
    rendering = progress(sorted(places), 'sound', unit='folder', leave=False)
    count = sum(render_missing(place) for place in rendering)
    print(f'{write_gallery(folder)}: {len(places)} folders of music, {count} pieces rendered')
