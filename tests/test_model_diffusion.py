"""The network that takes noise off codes, and drawing with it: by hand-made velocities too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from run_maker import random_denoiser

from mvae.model import denoiser, diffusion
from mvae.model.denoiser import DenoiserConfig, Outline

CFG, ROWS = DenoiserConfig(bars=2, parts=1, size=4, width=16, layers=2, heads=2, traits=3), 32
UNKNOWN = np.zeros((ROWS, 2, 1), bool)
APART = np.tile(np.arange(2)[:, None], (ROWS, 1, 1))  # a plan by which no code comes back
ALIKE = 0 * APART
AS_IT_IS = np.zeros(ROWS, bool)  # not transposed
TRAITS = np.sign(np.random.default_rng(9).standard_normal((ROWS, 3))).astype(np.float32)
OUTLINE = Outline(APART, TRAITS, AS_IT_IS)


@pytest.fixture(scope='module')
def params():
    return random_denoiser(CFG)


@pytest.fixture(scope='module')
def new():
    return jax.jit(denoiser.init, static_argnums=1)(jax.random.key(0), CFG)


def _normal(seed, rows=ROWS):
    shape = rows, CFG.bars, CFG.parts, CFG.size
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


_apply = jax.jit(denoiser.apply, static_argnums=1)


@pytest.fixture(scope='module')
def answer(params):
    """What the network says of x, where some of it may be another."""
    x, level = _normal(1), np.linspace(0.1, 0.9, ROWS, dtype=np.float32)
    return lambda x=x, level=level, known=UNKNOWN, **said: np.asarray(
        _apply(params, CFG, x, level, known, OUTLINE._replace(**said))
    )


def test_a_new_network_answers_0(new):
    level = np.linspace(0.1, 0.9, ROWS, dtype=np.float32)
    assert not np.asarray(_apply(new, CFG, _normal(1), level, UNKNOWN, OUTLINE)).any()


def test_an_answer_depends_on_the_noise_level_which_tokens_have_none_and_all_that_is_said(answer):
    plain = answer()
    for other in (
        answer(level=np.full(ROWS, 0.5, np.float32)),
        answer(known=UNKNOWN | [[True], [False]]),
        answer(transposed=~AS_IT_IS),
        answer(traits=-TRAITS),
        answer(traits=0 * TRAITS),
    ):
        assert (np.abs(plain - other).max(-1) > 1e-3).all(), 'at every token'


def test_every_token_hears_every_other_and_no_other_piece(answer):
    plain, x = answer(), _normal(1)
    for token in range(CFG.bars):
        other = x.copy()
        other[2, token] += 1
        moved = np.abs(plain - answer(other)).max(-1) > 1e-4
        assert moved[2].all() and not np.delete(moved, 2, 0).any()


def test_places_are_told_apart(answer):
    same = np.tile(_normal(1)[:, :1], (1, CFG.bars, 1, 1))
    said = answer(same)
    assert (np.abs(said - said[:, ::-1]).max(-1) > 1e-3).all()


def test_codes_that_are_the_same_are_told_so_and_answered_alike(answer):
    said = answer(plan=ALIKE)
    np.testing.assert_allclose(said[:, 0], said[:, 1], atol=1e-6)
    apart = answer(plan=APART)
    assert (np.abs(said - apart.mean(1, keepdims=True)).max(-1) > 1e-3).mean() > 0.5


def _exact(point):
    """The network of codes that are all one point. It knows nothing of known tokens."""

    def apply(params, cfg, x, level, known, outline):
        signal, noisy = (y[:, None, None, None] for y in diffusion._mixture(level))
        return signal * (x - signal * point) / noisy - noisy * point

    return apply


POINT = np.array([[[0.5, -1.0, 2.0, 0.0]], [[-0.25, 1.5, 1.0, -3.0]]], np.float32)


def _draw(noise, given, known):
    """By the network that stands there now: programs are compiled anew."""
    draw = jax.jit(lambda *arguments: diffusion.draw.__wrapped__({}, CFG, *arguments))
    return np.asarray(draw(noise, given, known, OUTLINE))


def test_the_exact_velocity_of_a_point_leads_there_from_any_noise(monkeypatch):
    monkeypatch.setattr(denoiser, 'apply', _exact(POINT))
    drawn = _draw(_normal(2), _normal(3), UNKNOWN)
    np.testing.assert_allclose(drawn, np.tile(POINT, (ROWS, 1, 1, 1)), atol=1e-4)


def test_a_new_network_leaves_the_noise_as_it_is(new):
    """0 is the exact velocity of codes that are normal themselves."""
    noise = _normal(2)
    lost = np.cos(np.pi / 2 / diffusion.STEPS) ** diffusion.STEPS  # by steps that are finite
    drawn = diffusion.draw(new, CFG, noise, _normal(3), UNKNOWN, OUTLINE)
    np.testing.assert_allclose(drawn, lost * noise, atol=1e-5)


KNOWN = np.tile(np.array([[1, 0], [0, 1], [0, 0], [1, 1]], bool), (ROWS // 4, 1))[..., None]


def test_known_tokens_come_back_bit_for_bit_and_the_others_go_with_them(params):
    noise, given, told = _normal(2), _normal(3), (KNOWN, OUTLINE)
    drawn = np.asarray(diffusion.draw(params, CFG, noise, given, *told))
    np.testing.assert_array_equal(drawn[KNOWN], given[KNOWN])
    assert np.isfinite(drawn).all() and (drawn[~KNOWN] != given[~KNOWN]).all()
    nowhere = np.where(KNOWN[..., None], given, np.float32(7))
    np.testing.assert_array_equal(drawn, diffusion.draw(params, CFG, noise, nowhere, *told))
    moved = diffusion.draw(params, CFG, noise, given + 1, *told) - drawn
    some, every = KNOWN.any((1, 2)), KNOWN.all((1, 2))
    assert (np.abs(moved[some & ~every]) > 1e-4).all() and not moved[~some].any()


def test_known_tokens_are_clean_at_every_step(monkeypatch):
    given = _normal(3)

    def apply(params, cfg, x, level, known, outline):
        clean = np.tile(given, (len(x) // len(given), 1, 1, 1))  # told traits, and not
        wrong = jnp.where(known[..., None], jnp.abs(x - clean), 0.0).sum()
        return jnp.zeros_like(x) + 1e6 * wrong

    monkeypatch.setattr(denoiser, 'apply', apply)
    assert np.abs(_draw(_normal(2), given, KNOWN)).max() < 10


@pytest.fixture(scope='module')
def asked():
    """The loss of codes that are all one point by its exact velocity, and what that was asked."""
    seen, codes = [], np.tile(POINT, (8000, 1, 1, 1))
    plans = np.tile(np.arange(2)[:, None], (8000, 1, 1))
    outline = Outline(plans, np.ones((8000, 3)), np.zeros(8000, bool))

    def apply(params, cfg, x, level, known, outline):
        seen.append((x, level, known, outline.traits))
        return _exact(POINT)(params, cfg, x, level, known, outline)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(denoiser, 'apply', apply)
        loss = jax.jit(lambda key: (diffusion.loss({}, CFG, codes, outline, key), *seen.pop()))
        return jax.device_get(loss(jax.random.key(1)))


def test_the_loss_of_the_exact_velocity_is_0_and_counts_no_known_token(asked):
    """What it says of known tokens is wrong."""
    loss, x, _, known, _ = asked
    assert loss < 1e-5 and known.any() and not known.all()
    codes = np.tile(POINT, (8000, 1, 1, 1))
    np.testing.assert_array_equal(x[known], codes[known])
    assert (x != codes).any(-1)[~known].all()


def test_noise_levels_are_spread_evenly(asked):
    level = asked[2]
    assert (np.floor(8000 * level) == np.arange(8000)).mean() > 0.99 and level.max() <= 1


def test_in_half_of_the_examples_any_number_of_tokens_is_known(asked):
    shares = np.bincount(asked[3].sum((1, 2))) / 8000
    np.testing.assert_allclose(shares, [1 / 2 + 1 / 6, 1 / 6, 1 / 6], atol=0.02)


def test_traits_are_told_of_most_examples_and_not_of_all(asked):
    told = asked[4]
    assert (told == told[:, :1]).all() and 0.8 < told.mean() < 0.9


def test_drawing_goes_further_where_traits_lead(monkeypatch):
    """The network draws to the mean of its traits, told none to 0: to 1.5 times the traits then."""

    def apply(params, cfg, x, level, known, outline):
        point = outline.traits.mean(1)[:, None, None, None]
        return _exact(point)(params, cfg, x, level, known, outline)

    monkeypatch.setattr(denoiser, 'apply', apply)
    drawn = _draw(_normal(2), _normal(3), UNKNOWN)
    expected = diffusion.GUIDANCE * TRAITS.mean(1)[:, None, None, None]
    np.testing.assert_allclose(drawn, np.broadcast_to(expected, drawn.shape), atol=1e-3)


def test_codes_that_are_the_same_are_known_together_and_under_the_same_noise(monkeypatch):
    seen = []

    def apply(params, cfg, x, level, known, outline):
        seen.append((x, known))
        return jnp.zeros_like(x)

    monkeypatch.setattr(denoiser, 'apply', apply)
    codes = np.tile(_normal(4)[:, :1], (1, 2, 1, 1))
    diffusion.loss({}, CFG, codes, OUTLINE._replace(plan=ALIKE), jax.random.key(0))
    x, known = jax.device_get(seen.pop())
    np.testing.assert_array_equal(x[:, 0], x[:, 1])
    np.testing.assert_array_equal(known[:, 0], known[:, 1])
    assert known.any() and not known.all()


def test_of_several_parts_single_codes_whole_bars_or_whole_parts_are_known():
    cfg = DenoiserConfig(bars=4, parts=3, size=1, width=4, layers=1, heads=1)
    known = np.asarray(diffusion._given(jax.random.key(0), cfg, 6000))
    assert not known[1::2].any(), 'of every second example none'
    codes, bars, parts = known[::6], known[2::6], known[4::6]
    assert (bars == bars[..., :1]).all() and (parts == parts[:, :1]).all()
    assert (codes != codes[..., :1]).any() and (codes != codes[:, :1]).any()
    for kind in (codes, bars, parts):
        np.testing.assert_allclose(kind.mean((1, 2)).mean(), 0.5, atol=0.05)


def test_0_is_as_wrong_as_the_velocity_is_large(monkeypatch):
    """That of normal codes is normal. Where all tokens happen to be known, nothing is wrong."""
    monkeypatch.setattr(denoiser, 'apply', lambda params, cfg, x, *_: jnp.zeros_like(x))
    loss = jax.jit(lambda codes, key: diffusion.loss({}, CFG, codes, OUTLINE.take([0]), key))
    losses = np.array([loss(_normal(n, 1), jax.random.key(n)) for n in range(60)])
    assert np.isfinite(losses).all() and (losses == 0).any() and 0.6 < losses.mean() < 1.3
