"""Attribute vectors: directions along which a piece gets more of something (paper, section 5.3).

It may get denser, more syncopated, or more of what you define.

    mvae attributes apply mel2 --attribute note_density --amount -1 1 --input A.mid
    mvae attributes fit runs/mel2
    mvae attributes measure runs/mel2

fit finds the vectors and writes attributes.json into the run folder; released models bring theirs
along, which apply takes where you have fitted none. apply moves pieces along one
of them: those of --input, at its tempo, or new ones, other ones at each call. It writes MIDI files,
sound, a piano roll, and a JSON with latent codes z and values, into a new folder such as
attributes/note_density/A. measure says
how much adding and subtracting every vector changes every attribute: tables, a JSON with intervals,
heat maps. A function of your own is (notes, steps) -> float, with notes in sixteenth steps (see
mvae/latent/attributes.py); apply and measure are given it again where fit was.
"""

import argparse
from pathlib import Path

from mvae.commands import vectors
from mvae.commands.attributes_apply import apply
from mvae.commands.attributes_fit import fit
from mvae.commands.attributes_measure import measure
from mvae.commands.models import add_model_options
from mvae.commands.options import add_output_options, add_programs, positive


def add_options(parser: argparse.ArgumentParser) -> None:
    parsers = add_programs(
        parser,
        {
            'fit': (fit, 'find the vectors'),
            'apply': (apply, 'move pieces along one'),
            'measure': (measure, 'how much each moves every attribute'),
        },
    )
    _add_fit_options(parsers['fit'])
    _add_apply_options(parsers['apply'])
    _add_measure_options(parsers['measure'])


def _add_fit_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, data='dataset (default: the one that the model was trained on)')
    parser.add_argument(
        '--limit',
        type=positive,
        default=vectors.LIMIT,
        help='at most so many training windows, drawn by the seed',
    )
    _add_own_attributes(parser)


def _add_apply_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, seed=None)
    parser.add_argument('--temperature', type=float, default=0.0, help='0: the most likely tokens')
    parser.add_argument(
        '--attribute',
        required=True,
        help='whose vector; of your own: file.py:function, or its name alone',
    )
    parser.add_argument(
        '--amount',
        type=float,
        nargs='+',
        default=[-1.0, 1.0],
        help='how many times the vector, such as -1 0.5 1',
    )
    parser.add_argument('--input', type=Path, help='MIDI file (default: new pieces)')
    parser.add_argument('--n', type=positive, help='new pieces (default: 4)')
    add_output_options(parser, 'attributes')


def _add_measure_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser)
    parser.add_argument('--temperature', type=float, default=0.0, help='0: the most likely tokens')
    parser.add_argument('--n', type=positive, default=256, help='samples of N(0, I)')
    parser.add_argument(
        '--amount',
        type=float,
        default=1.0,
        help='how many times the vector is added and subtracted',
    )
    _add_own_attributes(parser)
    parser.add_argument('--out', type=Path, help='default: attributes in the run folder')


def _add_own_attributes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--attribute',
        nargs='+',
        default=[],
        metavar='FILE.py:FUNCTION',
        help='of your own, besides ours',
    )


def run(options: argparse.Namespace) -> None:
    options.program(options)
