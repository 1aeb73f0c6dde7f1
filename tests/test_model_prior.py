"""The learned prior: rows that depend on the seed alone, codes that stay, codes' mean and scale."""

import dataclasses

import numpy as np
import pytest
from run_maker import random_denoiser

from mvae.model import prior
from mvae.model.denoiser import DenoiserConfig, Outline
from mvae.model.prior import Learned

CFG = DenoiserConfig(bars=2, parts=1, size=4, width=16, layers=2, heads=2)
MEAN = np.array([[3.0, -1.0, 0.0, 1.0]], np.float32)
SCALE = np.array([[0.25, 2.0, 1.0, 0.5]], np.float32)
PLANS = np.array([[[0], [1]]], np.uint16)  # by which no code comes back
KNOWN = np.array([[True], [False]])


@pytest.fixture(scope='module')
def learned():
    return Learned(random_denoiser(CFG), CFG, MEAN, SCALE, _outlines(PLANS))


def _outlines(plans):
    """Of music without pitches, as it is."""
    return Outline(plans, np.zeros((len(plans), 0), np.float32), np.zeros(len(plans), bool))


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
    as_they_are = dataclasses.replace(learned, mean=0 * MEAN, scale=1 + 0 * SCALE)
    drawn = as_they_are.draw(4, 5).reshape(4, 2, 4)
    np.testing.assert_allclose(
        learned.draw(4, 5).reshape(4, 2, 4), drawn * SCALE + MEAN, rtol=1e-5, atol=1e-5
    )


def test_known_codes_stay_and_the_others_are_drawn_to_go_with_them(learned):
    z = np.concatenate([_codes(2), _codes(2, 1)])
    filled = learned.fill(z, KNOWN, 5).reshape(4, 2, 4)
    np.testing.assert_allclose(filled[:, 0], z[:, :4], rtol=1e-5, atol=1e-5)
    assert (np.abs(filled[:, 1] - z.reshape(4, 2, 4)[:, 1]) > 1e-3).all()
    alone = learned.draw(4, 5).reshape(4, 2, 4)
    assert (np.abs(filled[:, 1] - alone[:, 1]).max(-1) > 1e-3).all(), 'they hear what is known'


def test_new_pieces_are_in_the_keys_of_music_and_what_goes_with_known_codes_in_theirs(learned):
    deaf = learned.params | {'transposed': 0 * learned.params['transposed']}
    other = dataclasses.replace(learned, params=deaf)
    np.testing.assert_array_equal(other.draw(3, 5), learned.draw(3, 5))
    apart = other.fill(_codes(3), KNOWN, 5) - learned.fill(_codes(3), KNOWN, 5)
    assert (np.abs(apart[:, 4:]).max(1) > 1e-3).all()


def test_a_filled_row_depends_on_its_codes_and_the_seed_alone(learned):
    z = _codes(40)
    filled = learned.fill(z, KNOWN, 5)
    np.testing.assert_array_equal(learned.fill(z[:3], KNOWN, 5), filled[:3])
    assert not np.array_equal(learned.fill(z[:3], KNOWN, 6), filled[:3])


def test_with_nothing_known_all_is_drawn_and_with_all_known_nothing(learned):
    z = _codes(3)
    np.testing.assert_array_equal(learned.fill(0 * z, ~KNOWN & KNOWN, 5), learned.draw(3, 5))
    np.testing.assert_allclose(learned.fill(z, KNOWN | ~KNOWN, 5), z, rtol=1e-5, atol=1e-5)


def test_a_network_that_answers_0_draws_the_gaussian_of_the_codes(learned):
    out = {'kernel': np.zeros((16, 4), np.float32), 'bias': np.zeros(4, np.float32)}
    plain = dataclasses.replace(learned, params={**learned.params, 'out': out})
    drawn = plain.draw(400, 0).reshape(-1, 4)
    np.testing.assert_allclose(drawn.mean(0), MEAN[0], atol=0.2)
    np.testing.assert_allclose(drawn.std(0), SCALE[0], rtol=0.1)


BAND = DenoiserConfig(bars=4, parts=2, size=3, width=16, layers=1, heads=2)
BAND_PLANS = np.array(
    [
        [[0, 0], [1, 0], [0, 0], [1, 0]],  # ABAB, and a second part that stays as it is
        [[0, 0], [0, 1], [2, 0], [3, 3]],
        [[0, 0], [1, 1], [2, 2], [3, 3]],
    ],
    np.uint16,
)


@pytest.fixture(scope='module')
def band():
    scale = np.array([[1.0, 2.0, 0.5], [3.0, 1.0, 1.0]], np.float32)
    return Learned(random_denoiser(BAND), BAND, 0 * scale, scale, _outlines(BAND_PLANS))


def test_what_is_drawn_comes_back_as_one_of_the_plans_says(band):
    drawn = band.draw(40, 5).reshape(40, 4, 2, 3) / band.scale
    found = [plan.tolist() for plan in prior.plans_of(drawn)]
    assert [found.count(plan) > 3 for plan in BAND_PLANS.tolist()] == [True] * 3
    assert all(plan in BAND_PLANS.tolist() for plan in found)
    held = (drawn[:, 0] == drawn[:, 2]).all(-1)  # bit for bit
    assert held[:, 0].any() and held[:, 1].any()


@pytest.mark.parametrize('plan', range(3))
def test_plans_go_with_what_is_known(band, plan, monkeypatch):
    monkeypatch.setattr(prior, '_NEAREST', 1)
    own = np.random.default_rng(plan).standard_normal((1, 4, 2, 3))
    own = np.take_along_axis(own, BAND_PLANS[plan][None, ..., None].astype(int), 1) * band.scale
    known = np.array([[1, 1], [1, 1], [1, 0], [0, 0]], bool)
    drawn = band.fill(own.reshape(1, -1), known, 5).reshape(own.shape)
    np.testing.assert_allclose(drawn[:, known], own[:, known], rtol=1e-5, atol=1e-5)
    assert prior.plans_of(drawn / band.scale)[0].tolist() == BAND_PLANS[plan].tolist()


def test_what_is_known_stays_where_no_plan_goes_with_it(band):
    """Of two known codes that a plan takes for one, a drawn one becomes as the first."""
    only = dataclasses.replace(band, outlines=_outlines(BAND_PLANS[:1]))
    z = np.random.default_rng(0).standard_normal((2, 24)).astype(np.float32)
    known = np.array([[1, 1], [0, 0], [1, 1], [0, 0]], bool)
    drawn = only.fill(z, known, 5).reshape(2, 4, 2, 3)
    np.testing.assert_allclose(drawn[:, ::2], z.reshape(2, 4, 2, 3)[:, ::2], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(drawn[:, 1, 1], drawn[:, 0, 1])
    np.testing.assert_array_equal(drawn[:, 1, 0], drawn[:, 3, 0])


def test_a_plan_says_of_each_code_the_first_that_is_the_same():
    codes = np.array([[0.0, 5.0], [0.0, 4.0], [1.0, 5.0], [1e-6, 5.0]])[None, ..., None]
    plans = prior.plans_of(codes)
    assert plans.dtype == np.uint16 and plans[0].tolist() == [[0, 0], [0, 1], [2, 0], [0, 0]]


def test_sections_come_back_where_they_are_asked_to(band):
    """ABAC of single bars, in both parts, whatever the plan; the second part of no two is alike."""
    drawn = band.draw(40, 5, np.array([[0, 0], [1, 0], [0, 0], [3, 0]])).reshape(40, 4, 2, 3)
    plans = prior.plans_of(drawn / band.scale)
    assert (plans == np.array([0, 1, 0, 3])[:, None]).all()


@pytest.mark.parametrize(
    'plan, found',
    [
        ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 0, 1]),
        ([0, 0, 0, 0, 0, 0], [0, 0, 2, 2, 0, 0]),
        ([0, 1, 1, 0, 4, 1], [0, 1, 2, 3, 0, 1]),
        ([0, 1, 0, 0, 4, 4], [0, 1, 2, 2, 0, 1]),
    ],
)
def test_plans_keep_to_sections(plan, found):
    """ABA of two bars each: within a section and its like a plan is as it was."""
    sections = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0, 0], [0, 1]])
    assert prior._sectioned(np.array(plan)[None, :, None], sections)[0, :, 0].tolist() == found
