"""The learned prior: rows that depend on the seed alone, codes that stay, codes' mean and scale."""

import dataclasses

import numpy as np
import pytest
from run_maker import random_denoiser

from mvae.model import prior
from mvae.model.denoiser import DenoiserConfig
from mvae.model.prior import Learned

pytestmark = pytest.mark.usefixtures('quick_compilation')
CFG = DenoiserConfig(tokens=2, size=4, width=16, layers=2, heads=2)
MEAN = np.array([3.0, -1.0, 0.0, 1.0], np.float32)
SCALE = np.array([0.25, 2.0, 1.0, 0.5], np.float32)
KNOWN = np.array([True, False])


@pytest.fixture(scope='module')
def learned():
    return Learned(random_denoiser(CFG), CFG, MEAN, SCALE)


def _codes(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, 8)).astype(np.float32)


def test_a_row_depends_on_the_seed_alone(learned):
    forty = learned.draw(40, 5)
    assert forty.shape == (40, learned.size) and forty.dtype == np.float32
    np.testing.assert_array_equal(learned.draw(3, 5), forty[:3])
    np.testing.assert_array_equal(learned.draw(33, 5), forty[:33])
    assert not np.isin(learned.draw(3, 6), forty).any()
    assert len(np.unique(forty, axis=0)) == 40


def test_codes_have_the_mean_and_scale_of_what_it_learned_from(learned):
    as_they_are = Learned(learned.params, CFG, np.zeros(4, np.float32), np.ones(4, np.float32))
    drawn = as_they_are.draw(4, 5).reshape(4, 2, 4)
    np.testing.assert_allclose(
        learned.draw(4, 5).reshape(4, 2, 4), drawn * SCALE + MEAN, rtol=1e-5, atol=1e-5
    )


def test_known_codes_stay_and_the_others_are_drawn_to_go_with_them(learned):
    z = np.concatenate([_codes(2), _codes(2, 1)])
    filled = learned.fill(z, KNOWN, 5).reshape(4, 2, 4)
    np.testing.assert_allclose(filled[:, KNOWN], z.reshape(4, 2, 4)[:, KNOWN], rtol=1e-5, atol=1e-5)
    assert (np.abs(filled[:, 1] - z.reshape(4, 2, 4)[:, 1]) > 1e-3).all()
    alone = learned.draw(4, 5).reshape(4, 2, 4)
    assert (np.abs(filled[:, 1] - alone[:, 1]).max(-1) > 1e-3).all(), 'they hear what is known'


def test_a_filled_row_depends_on_its_codes_and_the_seed_alone(learned):
    z = _codes(40)
    filled = learned.fill(z, KNOWN, 5)
    np.testing.assert_array_equal(learned.fill(z[:3], KNOWN, 5), filled[:3])
    assert not np.array_equal(learned.fill(z[:3], KNOWN, 6), filled[:3])


def test_with_nothing_known_all_is_drawn_and_with_all_known_nothing(learned):
    z = _codes(3)
    np.testing.assert_array_equal(learned.fill(0 * z, ~KNOWN & KNOWN, 5), learned.draw(3, 5))
    np.testing.assert_allclose(learned.fill(z, np.ones(2, bool), 5), z, rtol=1e-5, atol=1e-5)


def test_a_network_that_answers_0_draws_the_gaussian_of_the_codes(learned):
    out = {'kernel': np.zeros((16, 4), np.float32), 'bias': np.zeros(4, np.float32)}
    plain = Learned({**learned.params, 'out': out}, CFG, MEAN, SCALE)
    drawn = plain.draw(400, 0).reshape(-1, 4)
    np.testing.assert_allclose(drawn.mean(0), MEAN, atol=0.2)
    np.testing.assert_allclose(drawn.std(0), SCALE, rtol=0.1)


def test_codes_that_are_nearly_the_same_become_the_same():
    """Of three pieces of four codes of one number; what is known goes before what is not."""
    codes = np.array([[0.0, 0.3, 0.65, 5.0], [1.0, 2.0, 2.0, 1.3], [1.0, 1.3, 1.5, 0.0]])[..., None]

    def repeated(known, same):
        return prior._repeated(codes, np.array(known, bool), same)[..., 0].tolist()

    assert repeated([0, 0, 0, 0], 0.0) == codes[..., 0].tolist()
    assert repeated([0, 0, 0, 0], 0.4) == [[0, 0, 0.65, 5], [1, 2, 2, 1], [1, 1, 1.5, 0]]
    assert repeated([0, 1, 1, 0], 0.4) == [[0.3, 0.3, 0.65, 5], [1, 2, 2, 1], [1.3, 1.3, 1.5, 0]]
    assert repeated([1, 1, 1, 1], 9.0) == codes[..., 0].tolist()


def test_a_drawn_code_may_become_a_known_one_and_that_stays(learned):
    alike = dataclasses.replace(learned, same=100.0)
    z = _codes(4)
    filled = alike.fill(z, KNOWN, 5).reshape(4, 2, 4)
    np.testing.assert_array_equal(filled[:, 0], filled[:, 1])
    np.testing.assert_allclose(filled[:, 0], z[:, :4], rtol=1e-5, atol=1e-5)
    drawn = alike.draw(4, 5).reshape(4, 2, 4)
    np.testing.assert_array_equal(drawn[:, 1], drawn[:, 0])
    np.testing.assert_array_equal(drawn[:, 0], learned.draw(4, 5).reshape(4, 2, 4)[:, 0])
