"""Spherical paths: ends, norms, the cases without an angle; the prior does not depend on how much is asked of it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mvae.latent.interpolation import path, slerp
from mvae.latent.sampling import prior

vectors = st.lists(st.floats(-3, 3, width=32), min_size=4, max_size=4).map(lambda x: np.array(x, np.float32))


@given(vectors, vectors, st.integers(2, 9))
def test_paths_begin_and_end_exactly_and_are_finite(a, b, n):
    points = path(a, b, n)
    assert points.shape == (n, 4) and points.dtype == np.float32 and np.isfinite(points).all()
    np.testing.assert_array_equal(points[0], a)
    np.testing.assert_array_equal(points[-1], b)


def test_a_quarter_circle_by_hand():
    np.testing.assert_allclose(slerp(np.array([2.0, 0]), np.array([0, 2.0]), 1 / 3), [2 * np.cos(np.pi / 6), 2 * np.sin(np.pi / 6)], rtol=1e-6)


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


def test_rows_of_the_prior_do_not_depend_on_their_number():
    np.testing.assert_array_equal(prior(2, 5, 3), prior(7, 5, 3)[:2])
    assert not np.array_equal(prior(2, 5, 3), prior(2, 5, 4))
