"""What a page knows of a model, and which models it refuses."""

import dataclasses
import json
from typing import ClassVar

import numpy as np
import pytest
from run_maker import tiny_model, tiny_prior

from mvae.errors import InputError
from mvae.music.drums import DrumCodec
from mvae.music.forms import make_form
from mvae.studio.contents import STARTERS, about_form, contents


@pytest.fixture(scope='module')
def band():
    model = tiny_model('trio', 2, 'hier', bar_codes=True)
    return dataclasses.replace(model, learned=tiny_prior(model))


def test_a_header_is_json_and_has_the_pieces_to_begin_with(band):
    made = contents('band', band)
    header = json.loads(json.dumps(made.header))
    assert header['name'] == 'band' and header['title'] == 'Trio, 2 bars'
    assert [one['name'] for one in header['form']['streams']] == ['melody', 'bass', 'drums']
    tokens, z = band.sample_tokens(STARTERS)
    np.testing.assert_array_equal(made.tensors['starters'], z)
    rows = np.array([np.concatenate(piece, -1) for piece in header['starters']])
    np.testing.assert_array_equal(rows, tokens)
    assert header['prior']['kind'] == 'learned' and 'prior/plans' in made.tensors


def test_without_a_learned_prior_there_is_a_root_of_the_covariance():
    model = tiny_model('melody', 2, 'flat')
    made = contents('one', model)
    root = made.tensors['prior/root'].astype(np.float64)
    np.testing.assert_allclose(root @ root.T, model.prior.covariance, atol=1e-5)
    assert made.header['prior'] == {'kind': 'gaussian'} and not made.header['keys']


def test_what_only_training_needs_stays_out(band):
    names = contents('band', band).tensors
    assert not any('sigma' in name for name in names)
    assert 'model/decoders/2/output/kernel' in names


def test_a_decoder_alone_is_refused():
    model = tiny_model('melody', 2, 'flat')
    alone = {name: own for name, own in model.params.items() if name != 'encoder'}
    with pytest.raises(InputError, match='one is a decoder alone.*reads music too'):
        contents('one', dataclasses.replace(model, params=alone))


def test_music_that_the_page_cannot_read_is_refused(band):
    @dataclasses.dataclass(frozen=True)
    class Bells(DrumCodec):
        head: ClassVar[str] = 'drum_roll'

    streams = [dataclasses.replace(one, codec=Bells()) for one in band.form.streams]
    form = dataclasses.replace(band.form, streams=tuple(streams))
    with pytest.raises(InputError, match='the studio cannot read notes of the kind Bells yet'):
        about_form(form)
    for name in ('groove', 'percussion'):
        with pytest.raises(InputError, match='the studio cannot read notes of the kind'):
            about_form(make_form(name, 2))
    with pytest.raises(InputError, match='the studio cannot read values of the kind Nade yet'):
        contents('one', tiny_model('drums', 2, 'flat', drums='nade'))
