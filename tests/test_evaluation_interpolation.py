"""Pairs, paths and curves, on models whose answers are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from mvae.errors import InputError
from mvae.evaluation import interpolation
from mvae.evaluation.ngram import NGram

ALPHAS = np.linspace(0, 1, 11)


class Identity:
    """Codes are the tokens themselves, decoded by rounding: perfect reconstruction, a straight path
    between opposite halves.
    """

    def encode_tokens(self, tokens):
        return SimpleNamespace(mu=tokens.reshape(len(tokens), -1).astype(np.float32))

    def told_of(self, tokens):
        return {}

    def decode_tokens(self, z, temperature, seed, told):
        return np.round(z).astype(np.int32)[..., None]


@pytest.fixture
def pieces():
    rng = np.random.default_rng(0)
    return rng.integers(0, 4, (2, 40, 64, 1))


def test_pairs_are_of_different_songs_and_use_no_window_twice():
    songs = np.repeat(np.arange(10), [30, 5, 5, 5, 5, 5, 5, 1, 1, 38])
    pairs = interpolation.draw_pairs(songs, 1000, seed=1)
    assert (songs[pairs[:, 0]] != songs[pairs[:, 1]]).all() and len(np.unique(pairs)) == pairs.size
    assert len(pairs) == 50, (
        'every window found a partner, though two songs have two thirds of them'
    )
    assert np.array_equal(pairs[:20], interpolation.draw_pairs(songs, 20, seed=1))
    met = [
        {frozenset(pair) for pair in songs[interpolation.draw_pairs(songs, 1000, seed)].tolist()}
        for seed in (1, 2)
    ]
    assert met[0] != met[1], 'the seed decides which songs meet'


def test_one_song_has_no_pairs():
    with pytest.raises(InputError, match='one song at most'):
        interpolation.draw_pairs(np.zeros(9, int), 4, 0)


def test_the_ends_of_a_perfect_model_are_the_pieces(pieces):
    paths = interpolation.decoded_paths(Identity(), *pieces, ALPHAS, 0.0, 0)
    assert paths.shape == (40, 11, 64, 1)
    np.testing.assert_array_equal(paths[:, 0], pieces[0])
    np.testing.assert_array_equal(paths[:, -1], pieces[1])


def test_no_two_pairs_are_decoded_with_the_same_noise(pieces):
    class Noise(Identity):
        def decode_tokens(self, z, temperature, seed, told):
            return np.random.default_rng(seed).integers(0, 100, (*z.shape, 1))

    paths = interpolation.decoded_paths(
        Noise(), *np.tile(pieces, (1, 4, 1, 1)), ALPHAS, 1.0, 2**32 - 1
    )
    assert len(np.unique(paths.reshape(160, -1), axis=0)) == 160


def test_mixing_differs_from_the_beginning_in_alpha_of_what_differs(pieces):
    paths = interpolation.mixed_paths(*pieces, ALPHAS, seed=3)
    apart = (pieces[0] != pieces[1]).mean()
    curve = interpolation.curves(paths, *pieces, ALPHAS, [NGram(pieces[0][..., 0], 4)], seed=0)[
        'distance'
    ]
    np.testing.assert_allclose(curve['mean'], ALPHAS * apart, atol=0.03)
    assert curve['mean'][0] == 0 and curve['mean'][-1] == pytest.approx(apart)
    assert all(
        low <= mean <= high
        for low, mean, high in zip(curve['low'], curve['mean'], curve['high'], strict=True)
    )


def test_relative_cost_is_one_at_the_ends_and_above_where_two_pieces_are_mixed():
    """Two tunes of period 2 and 3: each is cheap for a 5-gram model that knows both, their mixture
    is not.
    """
    a, b = np.resize([0, 1], (30, 64)), np.resize([2, 3, 4], (30, 64))
    language = [NGram(np.concatenate([a, b]), 5)]
    a, b = a[..., None], b[..., None]
    curve = interpolation.curves(
        interpolation.mixed_paths(a, b, ALPHAS, 0), a, b, ALPHAS, language, 0
    )
    assert curve['cost']['mean'][0] == pytest.approx(1) and curve['cost']['mean'][
        -1
    ] == pytest.approx(1)
    assert curve['cost']['mean'][5] > 3
    np.testing.assert_allclose(
        curve['cost']['mean'],
        curve['cost_to_data']['mean'],
        err_msg='the ends of the baseline are the data',
    )


def test_costs_of_streams_add_up():
    tokens = np.random.default_rng(0).integers(0, 3, (5, 16, 2))
    language = [NGram(tokens[..., k], 3) for k in (0, 1)]
    np.testing.assert_allclose(
        interpolation.cost(language, tokens),
        language[0].cost(tokens[..., 0]) + language[1].cost(tokens[..., 1]),
    )


def test_distance_to_the_data_is_the_error_of_reconstruction(pieces):
    paths = interpolation.decoded_paths(Identity(), *pieces, ALPHAS, 0.0, 0).copy()
    paths[:, 0, :16] = 9  # a quarter of A comes back wrong
    curve = interpolation.curves(paths, *pieces, ALPHAS, [NGram(pieces[0][..., 0], 10)], 0)
    assert curve['distance']['mean'][0] == 0 and curve['distance_to_data']['mean'][0] == 0.25
