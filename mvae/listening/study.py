"""A study: its settings, its pieces as sounds, and what each listener hears.

Made once; a server that starts again goes on with the same sounds.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from mvae.errors import InputError
from mvae.listening.answers import Answers
from mvae.listening.design import Trial, design
from mvae.music.codec import decode
from mvae.music.vocabulary import Vocabulary
from mvae.render.audio import soundfont, write_wav

Pieces = Mapping[str, tuple[np.ndarray, Vocabulary]]  # of each source int32 [P, T, K]

_LOUDNESS = 0.04  # root mean square of every sound: what is louder is easily taken for better


class Study(NamedTuple):
    """settings: seed, trials, pieces, kind, bars, qpm and what else made it.

    sounds: {source: a name that says nothing of each piece's sound}.
    """

    settings: dict[str, Any]
    sounds: dict[str, list[str]]
    folder: Path

    @property
    def sources(self) -> list[str]:
        return list(self.sounds)

    @property
    def seconds(self) -> float:
        """Of one piece."""
        return self.settings['bars'] * 240 / self.settings['qpm']

    def trials(self, listener: int) -> list[Trial]:
        return design(
            self.settings['seed'],
            listener,
            self.settings['trials'],
            len(self.sounds),
            self.settings['pieces'],
        )

    def name(self, piece: tuple[int, int]) -> str:
        """Of the sound of a piece."""
        return self.sounds[self.sources[piece[0]]][piece[1]]

    def sound(self, name: str) -> Path:
        """The file of a sound."""
        return self.folder / f'{name}.wav'


def open_study(answers: Answers, settings: dict[str, Any], make: Callable[[], Pieces]) -> Study:
    """The study of an answers file: begun with these settings, or gone on with.

    Sounds that are missing are rendered beside the answers file.

    make: gives the pieces; called only where sounds are missing. Raises InputError where the file
    is of another study, and where sounds are missing and can no longer be made as they were.
    """
    kept, made = answers.study(), None
    if kept is None:
        made = make()
        sounds = {
            name: [secrets.token_hex(8) for _ in tokens] for name, (tokens, _) in made.items()
        }
        kept = answers.begin_study({'settings': settings, 'sounds': sounds, **_looks(made)})
    _require_equal(answers, kept['settings'], settings)
    # With the dot of a suffix it cannot be the folder of another answers file.
    study = Study(
        kept['settings'], kept['sounds'], answers.path.with_name(answers.path.name + '.sounds')
    )
    missing = [
        (source, n)
        for source, names in study.sounds.items()
        for n, name in enumerate(names)
        if not study.sound(name).is_file()
    ]
    if missing:
        made = made or make()
        for what, value in _looks(made).items():
            if value != kept[what]:
                reason = f'{len(missing)} sounds of {answers.path} are missing, and {what} would differ from those that were heard'
                raise InputError(
                    f'{reason}; bring them back to {study.folder}, or begin another study with --answers'
                )
        missing.sort(
            key=lambda place: study.sounds[place[0]][place[1]]
        )  # by chance, lest the times of the files tell the sources
        for source, n in tqdm(missing, 'sounds', unit='piece', dynamic_ncols=True, leave=False):
            tokens, vocabulary = made[source]
            notes = decode(tokens[n], settings['kind'], vocabulary, settings['qpm'])
            write_wav(study.sound(study.sounds[source][n]), notes, _LOUDNESS)
    return study


def _looks(made: Pieces) -> dict[str, Any]:
    """What must not have changed where some sounds are made anew."""
    digests = {
        name: hashlib.sha256(np.ascontiguousarray(tokens, '<i4').tobytes()).hexdigest()
        for name, (tokens, _) in made.items()
    }
    font = soundfont()
    return {'pieces': digests, 'instruments': 'mvae' if font is None else font.name}


def _require_equal(answers: Answers, kept: dict[str, Any], settings: dict[str, Any]) -> None:
    differing = [name for name in {**kept, **settings} if kept.get(name) != settings.get(name)]
    if differing:
        what = ', '.join(
            f'{name} {kept.get(name)} instead of {settings.get(name)}' for name in differing
        )
        raise InputError(
            f'{answers.path} belongs to another study ({what}); give its settings, or begin another one with --answers'
        )
