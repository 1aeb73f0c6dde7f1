"""A survey, which is one listening test: its settings, its pieces as sounds, what each one hears.

It is made once; a server that starts again goes on with the same sounds.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mvae.errors import InputError
from mvae.listening.answers import Answers
from mvae.listening.design import PieceNumber, Trial, design
from mvae.music.form import Form
from mvae.progress import progress
from mvae.render.audio import soundfont, write_wav

Pieces = Mapping[str, np.ndarray]  # of each source int32 [P, T, K]

_LOUDNESS = 0.04  # root mean square of every sound: what is louder is easily taken for better


class Survey(NamedTuple):
    """A listening test that has begun.

    settings: seed, trials, pieces, form, bars, qpm and what else made it.
    sounds: {source: a name that says nothing of each piece's sound}.
    folder: where the sounds are.
    """

    settings: dict[str, Any]
    sounds: dict[str, list[str]]
    folder: Path

    @property
    def sources(self) -> list[str]:
        """Names of the sources, in the order of their numbers."""
        return list(self.sounds)

    @property
    def seconds(self) -> float:
        """How long one piece lasts."""
        return self.settings['bars'] * 240 / self.settings['qpm']

    def trials(self, listener: int) -> list[Trial]:
        """What a listener hears, in their order."""
        s = self.settings
        return design(s['seed'], listener, s['trials'], len(self.sounds), s['pieces'])

    def name(self, number: PieceNumber) -> str:
        """The name of a piece's sound."""
        return self.sounds[self.sources[number.source]][number.piece]

    def sound(self, name: str) -> Path:
        """The file of a sound."""
        return self.folder / f'{name}.wav'

    def missing(self) -> list[PieceNumber]:
        """Pieces whose sounds are not in the folder.

        They come in the order of their names, which is chance: the times of files then do not
        tell the sources.
        """
        numbers = [
            PieceNumber(source, piece)
            for source, names in enumerate(self.sounds.values())
            for piece in range(len(names))
        ]
        silent = [number for number in numbers if not self.sound(self.name(number)).is_file()]
        return sorted(silent, key=self.name)


def open_survey(
    answers: Answers, form: Form, settings: dict[str, Any], make: Callable[[], Pieces]
) -> Survey:
    """The survey of an answers file: begun with these settings, or gone on with.

    Renders the sounds that are missing beside the answers file.

    form: of the pieces. make: gives them; called only where sounds are missing.

    Raises InputError where the file is of another listening test, and where sounds are missing and
    can no longer be made as they were.
    """
    kept, made = answers.survey(), None
    if kept is None:
        made = make()
        kept = answers.begin_survey({'settings': settings, **_describe(made)})
    _require_equal(answers, kept['settings'], settings)
    # With the dot of a suffix it cannot be the folder of another answers file.
    folder = answers.path.with_name(answers.path.name + '.sounds')
    survey = Survey(kept['settings'], kept['sounds'], folder)
    if missing := survey.missing():
        if made is None:
            made = make()
        _require_same_looks(answers, survey, kept, _looks(made))
        _render(survey, form, missing, made)
    return survey


def _describe(made: Pieces) -> dict[str, Any]:
    """What an answers file keeps of the pieces: names of their sounds, drawn here, and looks."""
    sounds = {name: [secrets.token_hex(8) for _ in tokens] for name, tokens in made.items()}
    return {'sounds': sounds, **_looks(made)}


def _looks(made: Pieces) -> dict[str, Any]:
    """What must not have changed where some sounds are made anew."""
    digests = {
        name: hashlib.sha256(np.ascontiguousarray(tokens, '<i4').tobytes()).hexdigest()
        for name, tokens in made.items()
    }
    font = soundfont()
    return {'pieces': digests, 'instruments': 'mvae' if font is None else font.name}


def _render(survey: Survey, form: Form, numbers: Sequence[PieceNumber], made: Pieces) -> None:
    qpm = survey.settings['qpm']
    for number in progress(numbers, 'sounds', unit='piece', leave=False):
        notes = form.write(made[survey.sources[number.source]][number.piece], qpm)
        write_wav(survey.sound(survey.name(number)), notes, _LOUDNESS)


def _require_equal(answers: Answers, kept: dict[str, Any], settings: dict[str, Any]) -> None:
    differing = [name for name in {**kept, **settings} if kept.get(name) != settings.get(name)]
    if differing:
        what = ', '.join(
            f'{name} {kept.get(name)} instead of {settings.get(name)}' for name in differing
        )
        raise InputError(
            f'{answers.path} belongs to another listening test ({what}); give its settings, '
            'or begin another one with --answers'
        )


def _require_same_looks(
    answers: Answers, survey: Survey, kept: dict[str, Any], looks: dict[str, Any]
) -> None:
    for what, value in looks.items():
        if value != kept.get(what):
            raise InputError(
                f'{len(survey.missing())} sounds of {answers.path} are missing, and {what} would '
                f'differ from those that were heard; bring them back to {survey.folder}, '
                'or begin another listening test with --answers'
            )
