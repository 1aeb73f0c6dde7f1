"""What tests of the listening test share: settings, answers, a store of many songs."""

import numpy as np
from midi_maker import song

from mvae.dataset.build import BuildSettings, build_store
from mvae.listening.answers import Answer
from mvae.music.extract import ExtractSettings
from mvae.music.forms import make_form

TUNE = np.array([[60], [0], [0], [1]] * 8, np.int32)
MELODY = make_form('melody', 2)
SETTINGS = {
    'seed': 3,
    'trials': 4,
    'pieces': 2,
    'form': 'melody',
    'bars': 2,
    'qpm': 480.0,
    'sources': {'folk': 'x', 'robot': 'y'},
}


def answer(listener, trial, score=1):
    """One answer, folk 0 against robot 1."""
    return Answer(listener, trial, '2020-01-01T00:00:00+00:00', 'folk', 0, 'robot', 1, score)


def begin(answers):
    """A new listener: token and listener."""
    token = answers.add_listener()
    return token, answers.listener(token)


def build_songs(folder):
    """A store of 60 songs in an empty folder."""
    (folder / 'midi').mkdir()
    for n in range(60):
        (folder / f'midi/song number {chr(97 + n % 26)}{chr(97 + n // 26)}.mid').write_bytes(
            song(seed=n)
        )
    build_store(folder / 'midi', folder / 'store', BuildSettings(ExtractSettings()), 1)
    return folder / 'store'
