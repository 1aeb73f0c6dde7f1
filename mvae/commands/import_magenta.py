"""A checkpoint of Google's Magenta as a run folder, ready to play and to train on from.

    mvae import --checkpoint cat-mel_2bar_big.tar --output runs/mel_2bar_big

The checkpoint is a .tar as Google released it, the prefix of .index and .data files, a folder with
a `checkpoint` file or a weights_manifest.json (TensorFlow.js), or an .npz with Magenta's names.
TensorFlow is not needed.
"""

import argparse
import os
from pathlib import Path

from mvae.commands import compute
from mvae.commands.models import program
from mvae.errors import InputError


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--checkpoint', type=Path, required=True, help='.tar, prefix, folder or .npz'
    )
    parser.add_argument('--output', type=Path, required=True, help='the new run folder')
    parser.add_argument(
        '--config',
        help="Magenta's config, where neither the file's name nor its shapes say it, such as "
        'cat-mel_2bar_big',
    )
    parser.add_argument(
        '--drum-map',
        choices=('old', 'current', 'roland'),
        help='drum classes (default: old, and of GrooVAE current, as Magenta plays them; roland: '
        'as GrooVAE learned)',
    )
    parser.add_argument(
        '--decoder-only',
        action='store_true',
        help='leave the encoder out, where a checkpoint lacks parts of it',
    )


def run(options: argparse.Namespace) -> None:
    out = options.output
    if os.path.exists(out) and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f'{out} exists and is not empty; name another folder')
    from mvae.interop import magenta
    from mvae.runs.checkpoint import Checkpoints

    compute.prepare()
    imported = magenta.load(
        options.checkpoint, options.config, options.drum_map, options.decoder_only
    )
    model = imported.model
    Checkpoints(out, model.config, corpus='').save_params(model.params, model.step)
    what = f'{model.form}, {model.config.variant}, {model.parameters:,} parameters'
    print(f'{out}: {what} of step {model.step}; {imported.skipped} other tensors skipped')
    print(f'Next: {program()} sample {out}')
