"""What heads read, score and draw, against products with one-hot vectors and plain softmaxes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from draws import draw
from ml_collections import ConfigDict
from run_maker import tiny_config

from mvae.model import heads
from mvae.model.config import model_config
from mvae.model.heads import NOTHING, Categorical, Columns, DrumRoll
from mvae.musicvae import form_of


def test_drum_roll_input_is_the_product_with_the_roll_of_the_bits():
    kernel = jax.random.normal(jax.random.key(0), (10, 6))
    values = jnp.array([[0], [1], [160], [511], [NOTHING]])
    roll = np.zeros((5, 10), np.float32)
    roll[0, 9] = roll[1, 0] = roll[2, 5] = roll[2, 7] = 1
    roll[3, :9] = 1
    np.testing.assert_allclose(
        DrumRoll(512).read(kernel, values), roll @ kernel, rtol=1e-5, atol=1e-5
    )


def test_drum_rolls_of_a_conformance_case_of_magenta():
    roll = DrumRoll(512).features()[[0, 2, 0, 0, 160, 0, 0, 256]]
    classes = [np.flatnonzero(row).tolist() for row in roll]
    assert classes == [[9], [1], [9], [9], [5, 7], [9], [9], [8]]


def test_the_decoder_reads_drums_as_tokens():
    head, kernel = DrumRoll(8), jax.random.normal(jax.random.key(0), (8, 3))
    assert (head.in_width, head.out_width) == (4, 8)
    np.testing.assert_array_equal(head.feed(kernel, jnp.array([[5]])), kernel[5:6])


def test_the_gradient_of_reading_is_the_scatter_of_rows():
    kernel, values = jax.random.normal(jax.random.key(0), (5, 3)), jnp.array([[0], [4], [4], [-1]])
    weights = jnp.arange(12.0).reshape(4, 3)
    gradient = jax.grad(lambda k: jnp.sum(weights * Categorical(5).read(k, values)))(kernel)
    expected = np.zeros((5, 3))
    expected[0], expected[4] = weights[0], weights[1] + weights[2]
    np.testing.assert_allclose(gradient, expected, atol=1e-6)


def test_loss_is_the_negative_log_softmax():
    logits = jax.random.normal(jax.random.key(0), (6, 5))
    values = jnp.array([[0], [1], [2], [3], [4], [0]])
    expected = -np.log(np.asarray(jax.nn.softmax(logits)))[np.arange(6), values[:, 0]]
    np.testing.assert_allclose(Categorical(5).loss(logits, values), expected, rtol=1e-5)


def test_draws_follow_the_softmax_at_a_temperature_and_greedy_ones_the_largest():
    head, logits = Categorical(3), jnp.log(jnp.array([0.1, 0.3, 0.6]))
    for temperature in (1.0, 0.5):
        drawn = draw(head, jax.random.key(1), jnp.tile(logits, (40_000, 1)), temperature)
        shares = np.bincount(np.asarray(drawn)[:, 0], minlength=3) / 40_000
        expected = np.asarray(jax.nn.softmax(logits / temperature))
        np.testing.assert_allclose(shares, expected, atol=0.01)
    assert draw(head, jax.random.key(1), logits, 0.0).tolist() == [2]
    assert head.likeliest(logits).tolist() == [2]


def test_streams_are_read_side_by_side_and_split_again():
    two = Categorical(4), DrumRoll(8)
    kernel = jax.random.normal(jax.random.key(0), (heads.in_width(two), 3))
    streams = jnp.array([[1]]), jnp.array([[6]])
    expected = kernel[1] + kernel[4:][np.array([1, 2])].sum(0)  # 6 has the bits 1 and 2
    np.testing.assert_allclose(heads.read(two, kernel, streams)[0], expected, rtol=1e-5)
    blocks = heads.split_logits(two, jnp.arange(12.0))
    assert [block.tolist() for block in blocks] == [list(range(4)), list(range(4, 12))]


def test_of_equal_values_the_first_is_the_likeliest_and_no_number_is_a_value_too():
    logits = jnp.array([[1.0, 3, 3, 2], [0, 0, 0, 0], [-jnp.inf, -jnp.inf, 5, 5], [jnp.nan] * 4])
    first = Categorical(4).likeliest(logits)[:, 0].tolist()
    assert first[:3] == [1, 0, 2] and 0 <= first[3] < 4


def test_columns_are_softmaxes_side_by_side():
    """Read as the sum of their rows, scored as the sum of their losses, drawn each on its own."""
    head, values = Columns.make((4, 3), ConfigDict()), jnp.array([[1, 2], [3, NOTHING]])
    assert (head.columns, head.in_width, head.out_width) == (2, 7, 7)
    kernel = jax.random.normal(jax.random.key(0), (7, 5))
    expected = np.stack([kernel[1] + kernel[4 + 2], kernel[3]])
    np.testing.assert_allclose(head.read(kernel, values), expected, rtol=1e-5)
    np.testing.assert_allclose(head.feed(kernel, values), expected, rtol=1e-5)
    logits, true = jax.random.normal(jax.random.key(1), (2, 7)), jnp.array([[1, 2], [3, 0]])
    loss = Categorical(4).loss(logits[:, :4], true[:, :1])
    loss += Categorical(3).loss(logits[:, 4:], true[:, 1:])
    np.testing.assert_allclose(head.loss(logits, true), loss, rtol=1e-5)
    likeliest = np.stack([logits[:, :4].argmax(-1), logits[:, 4:].argmax(-1)], -1)
    np.testing.assert_array_equal(head.likeliest(logits), likeliest)
    np.testing.assert_array_equal(draw(head, jax.random.key(2), logits, 0.0), likeliest)
    many = np.asarray(draw(head, jax.random.key(2), jnp.zeros((20_000, 7)), 1.0))
    pairs = np.bincount(many[:, 0] * 3 + many[:, 1], minlength=12) / 20_000
    np.testing.assert_allclose(pairs, 1 / 12, atol=0.01)
    assert head.right(likeliest, jnp.asarray(likeliest).at[0, 1].add(1)).tolist() == [False, True]


@pytest.mark.parametrize('roll, head', [(True, DrumRoll(512)), (False, Categorical(512))])
def test_a_setting_says_whether_drums_are_read_as_a_roll(roll, head):
    c = tiny_config('trio', 2, 'flat')
    c.model.drum_roll_input = roll
    assert model_config(c, form_of(c)).heads == (Categorical(130), Categorical(130), head)
