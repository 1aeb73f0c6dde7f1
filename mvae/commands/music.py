"""What the commands that write music share: tempo and seed, where files go, and what is said."""

import argparse
import itertools
import os
import re
import secrets
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mvae.commands.folders import released
from mvae.commands.models import program

if TYPE_CHECKING:
    import numpy as np

    from mvae.musicvae import MusicVAE

_SEEDS = 10**6  # drawn ones are short, so that they are easily typed
_LONGEST = 60  # characters of a file's name in that of a folder


def settle(options: argparse.Namespace, file: Path | None = None, draws: bool = True) -> None:
    """Sets tempo and seed where none are given: the tempo of the file that is read, a new seed.

    draws: whether a seed makes a difference; where it does not it is 0, so that the same command
    gives the same files.
    """
    from mvae.checks import check_qpm
    from mvae.music.notes import USUAL_QPM
    from mvae.music.sources import read_qpm

    if options.qpm is None:
        options.qpm = read_qpm(file) if file else USUAL_QPM
    check_qpm(options.qpm)
    if options.seed is None:
        options.seed = secrets.randbelow(_SEEDS) if draws else 0


def told(options: argparse.Namespace) -> dict[str, str] | None:
    """What the options tell the model, as `MusicVAE.decode_tokens` takes it; None where nothing."""
    return {'chords': options.chords} if options.chords is not None else None


def folder_of(options: argparse.Namespace, path: Path, kind: str, name: str) -> Path:
    """--out, else a folder that is not there yet: runs/X/KIND/NAME, or NAME-2, NAME-3 ..."""
    from mvae.runs.released import home

    if options.out:
        return options.out
    folders = (home(path) / kind / (f'{name}-{n}' if n > 1 else name) for n in itertools.count(1))
    return next(folder for folder in folders if not os.path.lexists(folder))


def stem(file: Path) -> str:
    """The name of a file within that of a folder."""
    return re.sub(r'\s+', '_', file.stem.lstrip('.'))[:_LONGEST] or 'piece'


def write(
    options: argparse.Namespace, model: 'MusicVAE', file: Path, tokens: 'np.ndarray', title: str
) -> None:
    """A piece int [T, K] as MIDI, and beside it what else the options ask for."""
    from mvae.render.pieces import write_piece

    sounds = {'wav': options.wav, 'png': options.png}
    write_piece(file, tokens, model.form, options.qpm, title, **sounds)


def write_given(
    options: argparse.Namespace,
    model: 'MusicVAE',
    folder: Path,
    given: Sequence[tuple[Path, 'np.ndarray']],
) -> None:
    """What the model read of the files that it was given, so that it can be heard beside."""
    for n, (file, tokens) in enumerate(given, 1):
        write(options, model, folder / f'given_{n}_{stem(file)}.mid', tokens, file.name)


def say_read(options: argparse.Namespace, file: Path, note: str) -> None:
    print(f'{file}: {note}, played at {options.qpm:.4g} quarters per minute')


def say_silent(model: 'MusicVAE', path: Path, file: Path, tokens: 'np.ndarray') -> None:
    """Says which parts of the model a file lacks, and what serves it better.

    tokens: what the model read of it, int [..., K].
    """
    from mvae.runs.load import load_config

    form = model.form
    pairs = zip(form.streams, form.split(tokens), strict=True)
    sounds = {stream.name: bool(columns.any()) for stream, columns in pairs}
    silent = [name for name, has_notes in sounds.items() if not has_notes]
    if not silent or len(silent) == len(sounds):
        return
    there = ','.join(name for name in sounds if name not in silent)
    print(
        f'{file} has no {" and no ".join(silent)}: silent here, where the model has learned from '
        f'{" and ".join(sounds)} together.'
    )
    if model.learned and model.learned.config.tokens > 1:
        words = program(), 'infill', str(path), str(file), '--keep-parts', there
        print(f'To give it {" and ".join(silent)}: {shlex.join(words)}')
    for name in released():
        other = load_config(name)
        if (other.form, other.bars) == (there, form.bars):
            print(f'For its {there} alone there is the model {name}.')


def say_kept(
    model: 'MusicVAE', what: str, piece: 'np.ndarray', name: str, original: 'np.ndarray'
) -> None:
    """Says how much of what was given a piece keeps: 'step 1 is close to a.mid (9 of 10 notes)'."""
    from mvae.music.kept import count_kept, describe

    if counts := count_kept(original, piece, model.form):
        print(f'{what} is {describe(counts, name)}')


def conclude(
    options: argparse.Namespace, path: Path, made: str, out: Path, draws: bool = True
) -> None:
    """Writes the page, and says where all is, and which seed it is of."""
    from mvae.render.gallery import write_gallery
    from mvae.runs.released import home

    page = write_gallery(options.out or home(path))
    if draws:
        print(f'Seed {options.seed}: --seed {options.seed} draws the same again')
    print(f'{made} in {out}')
    print(f'Listen and look: {page}')
