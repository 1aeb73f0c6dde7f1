"""A model for other programs.

    mvae export --to magenta runs/mel2-flat mel2.npz
    mvae export --to musicvaejs runs/drum2-flat web/drum2
    mvae export --to onnx trio16 onnx/trio16
    mvae export --to stablehlo trio16 xla/trio16

magenta, the default, writes an .npz with the weights under Magenta's names and shapes. The others
write a folder: for MusicVAE of magenta-js, which plays in a browser; an encoder and a greedy
decoder for any runtime of ONNX; what jax.export reads. docs/export.md says how each is used, and of
which models it can be made.
"""

import argparse
import importlib
from pathlib import Path
from typing import NamedTuple

from mvae.commands import compute
from mvae.commands.models import add_model_options, path_of
from mvae.commands.options import need
from mvae.errors import InputError


class Target(NamedTuple):
    """What a model is written for.

    module: in mvae.interop, with `write(model, path)`, which returns what was written, in a line.
    extra: of mvae, with packages that the module imports and mvae does not need.
    """

    module: str
    extra: str = ''
    packages: tuple[str, ...] = ()


TARGETS = {
    'magenta': Target('npz'),
    'musicvaejs': Target('musicvaejs'),
    'onnx': Target('onnx_model', 'onnx', ('onnx',)),
    'stablehlo': Target('stablehlo', 'stablehlo', ('flatbuffers',)),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser)
    parser.add_argument(
        'file', nargs='?', type=Path, metavar='OUTPUT', help='the file or folder to write'
    )
    parser.add_argument('--output', type=Path, help='OUTPUT, said otherwise')
    parser.add_argument('--to', choices=TARGETS, default='magenta', help='default: magenta')


def run(options: argparse.Namespace) -> None:
    if options.exp and options.model and not options.file:  # the one word is OUTPUT
        options.model, options.file = None, Path(options.model)
    output = options.output or options.file
    if output is None:
        raise InputError('say where to write: mvae export --to onnx mel2 onnx/mel2')
    path, target = path_of(options), TARGETS[options.to]
    need(target.extra, *target.packages)
    from mvae.runs.load import load

    compute.prepare()
    model = load(path, options.checkpoint)
    said = importlib.import_module(f'mvae.interop.{target.module}').write(model, output)
    print(f'{output}: {said}, of step {model.step} of {path}')
