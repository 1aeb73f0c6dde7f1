import pickle

import pytest
from mvae.music.vocabulary import Vocabulary

from mvae.errors import InputError
from mvae.music.reasons import Reason, Rejected


def test_sizes_are_the_papers_and_magentas():
    assert Vocabulary().sizes('trio') == (130, 130, 512)
    assert Vocabulary(21, 108).sizes('melody') == (90,)
    assert Vocabulary().sizes('drums') == (512,)


@pytest.mark.parametrize(
    'values',
    [
        {'min_pitch': 60, 'max_pitch': 59},
        {'max_pitch': 128},
        {'min_pitch': -1},
        {'drum_map': 'new'},
    ],
)
def test_impossible_vocabularies_are_refused(values):
    with pytest.raises(InputError):
        Vocabulary(**values)


def test_dictionary_round_trip():
    vocabulary = Vocabulary(21, 108, 'old')
    assert Vocabulary.from_dict(vocabulary.to_dict()) == vocabulary


def test_rejections_cross_process_borders():
    error = pickle.loads(pickle.dumps(Rejected(Reason.EMPTY, 'no notes')))
    assert error.reason is Reason.EMPTY and str(error) == 'no notes'
