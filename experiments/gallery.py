"""A run folder as a page: python experiments/gallery.py --run runs/trio16 [--all].

Writes index.html in the run folder, with every picture and a play button for every piece:
double-click it, no network is needed. Sound is rendered where it is missing, of the evaluations in
training only for the last (--all: for each).
"""

import argparse
import sys

import command

from mvae.errors import InputError


def main(options: argparse.Namespace) -> None:
    from mvae.render.gallery import render_missing, write_gallery
    from mvae.training.compact import home

    folder = home(command.run_folder(options))
    places = {path.parent for path in folder.rglob('*.mid')}
    if not places:
        raise InputError(
            f'{folder} holds no MIDI files; make some with sample.py, interpolate.py or train.py'
        )
    steps = sorted(place for place in places if place.name.startswith('step_'))
    if not options.all:
        places -= set(steps[:-1])
    count = sum(render_missing(place) for place in sorted(places))
    print(f'{write_gallery(folder)}: {len(places)} folders of music, {count} pieces rendered')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='A run folder as a page.')
    command.add_run_options(parser)
    parser.add_argument('--all', action='store_true', help='sound for every evaluation in training')
    sys.exit(command.run(main, parser))
