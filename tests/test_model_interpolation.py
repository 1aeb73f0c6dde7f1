"""Spherical paths: ends, norms, the cases without an angle; what is drawn does not depend on how
much is asked for.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvae.model import prior
from mvae.model.interpolation import path, slerp

vectors = st.lists(st.floats(-3, 3, width=32), min_size=4, max_size=4).map(
    lambda x: np.array(x, np.float32)
)


@given(vectors, vectors, st.integers(2, 9))
def test_paths_begin_and_end_exactly_and_are_finite(a, b, n):
    points = path(a, b, n)
    assert points.shape == (n, 4) and points.dtype == np.float32 and np.isfinite(points).all()
    np.testing.assert_array_equal(points[0], a)
    np.testing.assert_array_equal(points[-1], b)


def test_a_quarter_circle_by_hand():
    np.testing.assert_allclose(
        slerp(np.array([2.0, 0]), np.array([0, 2.0]), 1 / 3),
        [2 * np.cos(np.pi / 6), 2 * np.sin(np.pi / 6)],
        rtol=1e-6,
    )


@given(vectors, vectors, st.floats(0, 1))
def test_unit_vectors_stay_on_the_sphere(a, b, t):
    if min(np.linalg.norm(a), np.linalg.norm(b)) > 0.1:
        a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
        if abs(a @ b) < 0.999:
            assert abs(np.linalg.norm(slerp(a, b, t)) - 1) < 1e-5


def test_where_there_is_no_angle_the_path_is_straight():
    a = np.array([1.0, 2.0, -1.0])
    for b in (a, 3 * a, -a, 0 * a):
        np.testing.assert_allclose(slerp(a, b, 0.25), 0.75 * a + 0.25 * b, atol=1e-6)


def test_rows_of_a_draw_do_not_depend_on_their_number():
    gaussian = prior.Gaussian(np.arange(5, dtype=np.float32), np.eye(5, dtype=np.float32) + 0.5)
    np.testing.assert_array_equal(gaussian.draw(2, 3), gaussian.draw(7, 3)[:2])
    assert not np.array_equal(gaussian.draw(2, 3), gaussian.draw(2, 4))
    np.testing.assert_array_equal(prior.standard(5).draw(2, 3), prior.noise(2, 5, 3))


def test_draws_of_a_fitted_prior_have_its_mean_and_covariance():
    rng = np.random.default_rng(0)
    mu, sigma = (
        2.0 + rng.standard_normal((4000, 3)) @ rng.standard_normal((3, 3)),
        np.array([0.1, 0.2, 0.3]),
    )
    found = prior.fitted(len(mu), mu.sum(0), mu.T @ mu + len(mu) * np.diag(sigma**2))
    np.testing.assert_allclose(
        found.covariance, np.cov(mu.T, bias=True) + np.diag(sigma**2), rtol=1e-4, atol=1e-5
    )
    drawn = found.draw(4000, 1)
    np.testing.assert_allclose(drawn.mean(0), found.mean, atol=0.15)
    np.testing.assert_allclose(
        np.cov(drawn.T), found.covariance, atol=0.1 * np.abs(found.covariance).max()
    )


def test_codes_of_a_single_piece_have_a_prior_too():
    mu = np.float32(3) + np.arange(6, dtype=np.float32)
    found = prior.fitted(
        2.0, 2 * mu, 2 * np.outer(mu, mu).astype(np.float32) + np.float32(2e-12) * np.eye(6)
    )
    np.testing.assert_allclose(found.draw(3, 0), np.tile(mu, (3, 1)), atol=0.2)
    assert np.isfinite(prior.marginal_kl(found))


def test_the_gap_is_the_divergence_from_the_standard_normal():
    assert prior.marginal_kl(prior.standard(4)) == 0
    one = prior.Gaussian(np.array([2.0], np.float32), np.array([[0.25]], np.float32))
    assert prior.marginal_kl(one) == pytest.approx(0.5 * (0.25 + 4 - 1 - np.log(0.25)) / np.log(2))
