"""The network that takes noise off codes, and drawing with it: by hand-made velocities too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from run_maker import random_denoiser

from mvae.model import denoiser, diffusion
from mvae.model.denoiser import DenoiserConfig

pytestmark = pytest.mark.usefixtures('quick_compilation')
CFG, ROWS = DenoiserConfig(tokens=2, size=4, width=16, layers=2, heads=2), 32
UNKNOWN = np.zeros((ROWS, 2), bool)


@pytest.fixture(scope='module')
def params():
    return random_denoiser(CFG)


@pytest.fixture(scope='module')
def new():
    return jax.jit(denoiser.init, static_argnums=1)(jax.random.key(0), CFG)


def _normal(seed, rows=ROWS):
    shape = rows, CFG.tokens, CFG.size
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


_apply = jax.jit(denoiser.apply, static_argnums=1)


@pytest.fixture(scope='module')
def answer(params):
    """What the network says of x, where some of it may be another."""
    x, level = _normal(1), np.linspace(0.1, 0.9, ROWS, dtype=np.float32)
    return lambda x=x, level=level, known=UNKNOWN: np.asarray(_apply(params, CFG, x, level, known))


def test_a_new_network_answers_0(new):
    level = np.linspace(0.1, 0.9, ROWS, dtype=np.float32)
    assert not np.asarray(_apply(new, CFG, _normal(1), level, UNKNOWN)).any()


def test_an_answer_depends_on_the_noise_level_and_on_which_tokens_have_none(answer):
    plain = answer()
    for other in (
        answer(level=np.full(ROWS, 0.5, np.float32)),
        answer(known=UNKNOWN | [True, False]),
    ):
        assert (np.abs(plain - other).max(-1) > 1e-3).all(), 'at every token'


def test_every_token_hears_every_other_and_no_other_piece(answer):
    plain, x = answer(), _normal(1)
    for token in range(CFG.tokens):
        other = x.copy()
        other[2, token] += 1
        moved = np.abs(plain - answer(other)).max(-1) > 1e-4
        assert moved[2].all() and not np.delete(moved, 2, 0).any()


def test_places_are_told_apart(answer):
    same = np.tile(_normal(1)[:, :1], (1, CFG.tokens, 1))
    said = answer(same)
    assert (np.abs(said - said[:, ::-1]).max(-1) > 1e-3).all()


def _exact(point):
    """The network of codes that are all one point. It knows nothing of known tokens."""

    def apply(params, cfg, x, level, known):
        signal, noisy = (y[:, None, None] for y in diffusion._mixture(level))
        return signal * (x - signal * point) / noisy - noisy * point

    return apply


POINT = np.array([[0.5, -1.0, 2.0, 0.0], [-0.25, 1.5, 1.0, -3.0]], np.float32)


def _draw(noise, given, known):
    """By the network that stands there now: programs are compiled anew."""
    draw = jax.jit(lambda *arguments: diffusion.draw.__wrapped__({}, CFG, *arguments))
    return np.asarray(draw(noise, given, known))


def test_the_exact_velocity_of_a_point_leads_there_from_any_noise(monkeypatch):
    monkeypatch.setattr(denoiser, 'apply', _exact(POINT))
    drawn = _draw(_normal(2), _normal(3), UNKNOWN)
    np.testing.assert_allclose(drawn, np.tile(POINT, (ROWS, 1, 1)), atol=1e-4)


def test_a_new_network_leaves_the_noise_as_it_is(new):
    """0 is the exact velocity of codes that are normal themselves."""
    noise = _normal(2)
    lost = np.cos(np.pi / 2 / diffusion.STEPS) ** diffusion.STEPS  # by steps that are finite
    drawn = diffusion.draw(new, CFG, noise, _normal(3), UNKNOWN)
    np.testing.assert_allclose(drawn, lost * noise, atol=1e-5)


KNOWN = np.tile(np.array([[1, 0], [0, 1], [0, 0], [1, 1]], bool), (ROWS // 4, 1))


def test_known_tokens_come_back_bit_for_bit_and_the_others_go_with_them(params):
    noise, given = _normal(2), _normal(3)
    drawn = np.asarray(diffusion.draw(params, CFG, noise, given, KNOWN))
    np.testing.assert_array_equal(drawn[KNOWN], given[KNOWN])
    assert np.isfinite(drawn).all() and (drawn[~KNOWN] != given[~KNOWN]).all()
    nowhere = np.where(KNOWN[..., None], given, np.float32(7))
    np.testing.assert_array_equal(drawn, diffusion.draw(params, CFG, noise, nowhere, KNOWN))
    moved = diffusion.draw(params, CFG, noise, given + 1, KNOWN) - drawn
    partly = KNOWN.any(1) & ~KNOWN.all(1)
    assert (np.abs(moved[partly]) > 1e-4).all() and not moved[~KNOWN.any(1)].any()


def test_known_tokens_are_clean_at_every_step(monkeypatch):
    given = _normal(3)

    def apply(params, cfg, x, level, known):
        wrong = jnp.where(known[..., None], jnp.abs(x - given), 0.0).sum()
        return jnp.zeros_like(x) + 1e6 * wrong

    monkeypatch.setattr(denoiser, 'apply', apply)
    assert np.abs(_draw(_normal(2), given, KNOWN)).max() < 10


@pytest.fixture(scope='module')
def asked():
    """The loss of codes that are all one point by its exact velocity, and what that was asked."""
    seen, codes = [], np.tile(POINT, (8000, 1, 1))

    def apply(params, cfg, x, level, known):
        seen.append((x, level, known))
        return _exact(POINT)(params, cfg, x, level, known)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(denoiser, 'apply', apply)
        loss = jax.jit(lambda key: (diffusion.loss({}, CFG, codes, key), *seen.pop()))
        return jax.device_get(loss(jax.random.key(1)))


def test_the_loss_of_the_exact_velocity_is_0_and_counts_no_known_token(asked):
    """What it says of known tokens is wrong."""
    loss, x, _, known = asked
    assert loss < 1e-5 and known.any() and not known.all()
    codes = np.tile(POINT, (8000, 1, 1))
    np.testing.assert_array_equal(x[known], codes[known])
    assert (x != codes).any(-1)[~known].all()


def test_noise_levels_are_spread_evenly(asked):
    level = asked[2]
    assert (np.floor(8000 * level) == np.arange(8000)).mean() > 0.99 and level.max() <= 1


def test_in_half_of_the_examples_any_number_of_tokens_is_known(asked):
    shares = np.bincount(asked[3].sum(1)) / 8000
    np.testing.assert_allclose(shares, [1 / 2 + 1 / 6, 1 / 6, 1 / 6], atol=0.02)


def test_0_is_as_wrong_as_the_velocity_is_large(monkeypatch):
    """That of normal codes is normal. Where all tokens happen to be known, nothing is wrong."""
    monkeypatch.setattr(denoiser, 'apply', lambda params, cfg, x, level, known: jnp.zeros_like(x))
    loss = jax.jit(lambda codes, key: diffusion.loss({}, CFG, codes, key))
    losses = np.array([loss(_normal(n, 1), jax.random.key(n)) for n in range(60)])
    assert np.isfinite(losses).all() and (losses == 0).any() and 0.6 < losses.mean() < 1.3
