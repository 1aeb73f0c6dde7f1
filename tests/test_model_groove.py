"""The head of grooves: what it reads, feeds, scores and draws, and what an encoder is told."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from draws import draw
from magenta_numbers import SHARED, needs_shared, numbers_of, tokens_of
from ml_collections import ConfigDict

from mvae.errors import InputError
from mvae.model.groove import VIEWS, Groove
from mvae.model.head import NOTHING
from mvae.music.forms import make_form

FORM = make_form('groove', 2)
HEAD = Groove(FORM.sizes)


def random_values(seed, *shape):
    """Values of which any may be drawn, with velocity and offset where nothing is hit too."""
    draws = [
        np.random.default_rng(seed + n).integers(0, size, shape)
        for n, size in enumerate(FORM.sizes)
    ]
    return np.stack(draws, -1)


def test_reading_and_feeding_are_products_with_the_numbers():
    kernel = jax.random.normal(jax.random.key(0), (27, 5))
    values = random_values(0, 3, 4)
    expected = numbers_of(values) @ np.asarray(kernel)
    assert (HEAD.columns, HEAD.in_width, HEAD.out_width) == (27, 27, 27)
    for product in (HEAD.read, HEAD.feed):
        np.testing.assert_allclose(product(kernel, jnp.asarray(values)), expected, atol=1e-5)
        nothing = product(kernel, jnp.full((2, 27), NOTHING))
        np.testing.assert_array_equal(nothing, np.zeros((2, 5)))


def test_a_loss_by_hand():
    """A snare at 64 half-way early, told as certain hits; then what it costs to say nothing."""
    values = np.zeros(27, int)
    values[[1, 10, 19]] = 1, 64 * 512, 30 * 512
    logits = np.zeros(27)
    logits[:9], logits[9:18] = -20, -40
    logits[[1, 10, 19]] = 20, np.log(64 / 63), np.arctanh(0.5)
    assert abs(float(HEAD.loss(jnp.asarray(logits), jnp.asarray(values)))) < 1e-5
    silent = HEAD.loss(jnp.zeros(27), jnp.asarray(values))
    velocity = 8 * 0.25 + (0.5 - 64 / 127) ** 2
    assert float(silent) == pytest.approx(9 * np.log(2) + velocity + 0.25, rel=1e-5)


def test_hits_are_a_distribution_and_draws_follow_it():
    head = Groove((2, 2, 1001, 1001, 2001, 2001))
    logits = jnp.array([0.7, -1.2, 0.4, -0.3, 0.2, -0.6])
    values = np.array([[a, b, 599, 426, 197, 2001 - 537] for a in (0, 1) for b in (0, 1)])
    squares = head.loss(jnp.array([40.0, 40, 0.4, -0.3, 0.2, -0.6]), jnp.asarray(values[3]))
    losses = head.loss(logits, jnp.asarray(values)) - squares
    assert np.exp(-losses).sum() == pytest.approx(1, abs=1e-5)
    for temperature in (1.0, 0.5):
        drawn = np.asarray(
            draw(head, jax.random.key(1), jnp.tile(logits, (40_000, 1)), jnp.float32(temperature))
        )
        shares = np.asarray(jax.nn.sigmoid(logits[:2] / temperature))
        np.testing.assert_allclose(drawn[:, :2].mean(0), shares, atol=0.01)
        np.testing.assert_array_equal(drawn[:, 2:], values[:1, 2:].repeat(40_000, 0))
    for greedy in (head.likeliest(logits), draw(head, jax.random.key(1), logits, jnp.float32(0))):
        assert greedy.tolist() == [1, 0, 599, 426, 197, 2001 - 537]


def test_right_is_who_has_all_hits_of_a_step():
    values = random_values(3, 2)
    other = values.copy()
    other[:, 9:] = 0
    other[1, 4] = 1 - other[1, 4]
    assert HEAD.right(jnp.asarray(other), jnp.asarray(values)).tolist() == [True, False]


def test_what_an_encoder_is_told():
    """A loud kick before the beat with a soft hat behind it."""
    values = np.zeros((1, 27), int)
    values[0, [0, 9, 18]] = 1, 100 * 512, 30 * 512
    values[0, [2, 11, 20]] = 1, 20 * 512, 61441 - 12 * 512
    told = {name: np.concatenate(view(HEAD.numbers(values)), -1)[0] for name, view in VIEWS.items()}
    assert np.flatnonzero(told['all']).tolist() == [0, 2, 9, 11, 18, 20]
    assert told['hits'].tolist() == [1, 0, 1] + [0] * 24
    assert np.flatnonzero(told['taps']).tolist() == [3, 21] and told['taps'][21] == 0.5
    assert np.flatnonzero(told['no_hat']).tolist() == [0, 9, 18]
    silent = [np.concatenate(view(HEAD.numbers(0 * values)), -1) for view in VIEWS.values()]
    assert not np.any(silent)


def test_velocity_and_timing_may_count_at_hits_alone():
    """One of two drums is hit. An unsure hit is then said as loud as hits there are."""
    head = Groove((2, 2, 1001, 1001, 2001, 2001), at_hits=True)
    values = jnp.array([1, 0, 600, 0, 200, 0])
    logits = jnp.array([40.0, -40, 0, 3, 0, 3])
    assert float(head.loss(logits, values)) == pytest.approx(0.1**2 + 0.2**2, abs=1e-5)
    assert float(head.loss(logits, 0 * values)) == pytest.approx(-np.log(1e-7), rel=1e-3)
    drawn = draw(head, jax.random.key(0), logits, jnp.float32(1))
    assert drawn.tolist() == head.likeliest(logits).tolist() == [1, 0, 500, 0, 0, 0]
    # Half of the steps are hit, at .6. The velocity whose gradient is 0:
    both = jnp.stack([values, 0 * values])
    for at_hits, best in ((True, 0.6), (False, 0.3)):
        own = Groove(head.sizes, at_hits=at_hits)
        tell = jnp.array([0.0, 0, np.log(best / (1 - best)), 0, 0, 0])
        gradient = jax.grad(lambda x, own=own: own.loss(jnp.stack([x, x]), both).sum())(tell)
        assert abs(float(gradient[2])) < 1e-6


def test_hits_are_left_out_of_what_an_encoder_hears():
    """Quiet ones rather, with all their numbers; where all of a step go there is no tap."""
    values = np.zeros((500, 27), int)
    values[:, [0, 1]] = 1
    values[:, [9, 10, 18, 19]] = 127 * 512, 32 * 512, 900, 61000
    keys = jax.random.split(jax.random.key(0), 200)
    thin = jax.jit(jax.vmap(HEAD.thin, (0, None, None)))
    thinned = np.asarray(thin(keys, jnp.asarray(values), 0.8))
    for n, share in ((0, 0.2), (1, 1 - 32 / 127)):
        gone = (thinned[..., n] == 0).mean(1)
        assert gone.mean() == pytest.approx(0.4 * share, abs=0.04)
        assert gone.max() == pytest.approx(0.8 * share, abs=0.05)  # of the example, up to the most
    for n in (0, 1):
        own = thinned[..., n::9].reshape(-1, 3)
        assert all(not row.any() or (row == values[0, n::9]).all() for row in own[:2000])
    told = np.concatenate(VIEWS['taps'](HEAD.numbers(jnp.asarray(thinned))), -1)
    np.testing.assert_array_equal(told[..., 3] > 0, thinned[..., :9].any(-1))
    np.testing.assert_array_equal(HEAD.thin(keys[0], jnp.asarray(values), 0.0), values)


def test_an_unknown_view_is_refused():
    with pytest.raises(InputError, match="'drums' is none of all, hits, taps, no_hat"):
        Groove.make(FORM.sizes, ConfigDict({'reads': 'drums', 'errors_at_hits': False}))


@needs_shared
@pytest.mark.parametrize('mode', ['eval', 'infer'])
@pytest.mark.parametrize(
    'name, reads',
    [
        ('groovae_4bar', 'all'),
        ('groovae_2bar_humanize', 'hits'),
        ('groovae_2bar_tap_fixed_velocity', 'taps'),
        ('groovae_2bar_add_closed_hh', 'no_hat'),
    ],
)
def test_encoders_are_told_what_magentas_converter_tells_them(name, reads, mode):
    fixtures = np.load(SHARED / 'converters' / f'{name}.npz')
    columns = tokens_of(fixtures[f'{mode}/outputs'], FORM)
    told = np.concatenate(VIEWS[reads](HEAD.numbers(columns)), -1)
    np.testing.assert_allclose(told, fixtures[f'{mode}/inputs'], atol=1e-6)
