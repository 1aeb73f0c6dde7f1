"""The n-gram model: by hand, as a distribution, and on what it has not seen."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from mvae.evaluation.ngram import NGram, apart, heard_once
from mvae.music.forms import make_form


def test_a_bigram_by_hand():
    """Counts of 'a b a a': a follows the start, b follows a, a follows b, a follows a."""
    model = NGram(np.array([[0, 1, 0, 0]]), 2, order=2)
    # Unigrams: c(a) = 3, c(b) = 1, two kinds: p(a) = (3 + 2 * 1/2) / (4 + 2) = 2/3, p(b) = 1/3.
    # After a (seen twice: b, a; two kinds): p(b | a) = (1 + 2 * 1/3) / 4 = 5/12. After b (once, one
    # kind): p(a | b) = (1 + 2/3) / 2 = 5/6. After the start (once, one kind): p(a | start) = (1 +
    # 2/3) / 2 = 5/6.
    np.testing.assert_allclose(model.probabilities(np.array([[0, 1, 0]])), [[5 / 6, 5 / 12, 5 / 6]])
    np.testing.assert_allclose(model.cost(np.array([[0, 1, 0]])), [-np.log(5 / 6 * 5 / 12 * 5 / 6)])


@pytest.mark.parametrize('order', [1, 2, 3, 5])
def test_probabilities_sum_to_one_after_any_context(order):
    rng = np.random.default_rng(0)
    model = NGram(rng.integers(0, 4, (20, 30)), 5, order)  # token 4 is never seen
    for context in itertools.islice(itertools.product(range(5), repeat=4), 0, 625, 7):
        rows = np.array([[*context, x] for x in range(5)])
        p = model.probabilities(rows)[:, -1]
        assert p.sum() == pytest.approx(1) and (p > 0).all()


def test_an_unseen_context_backs_off():
    model = NGram(np.array([[0, 1, 2, 0, 1, 2]]), 4, order=3)
    lower = NGram(np.array([[0, 1, 2, 0, 1, 2]]), 4, order=1)
    np.testing.assert_allclose(
        model.probabilities(np.array([[3, 3, 1]]))[0, -1],
        lower.probabilities(np.array([[1]]))[0, 0],
    )


def test_longer_contexts_tell_more_on_music_that_repeats():
    rng = np.random.default_rng(1)
    bars = rng.integers(0, 10, (6, 8))
    tunes = bars[rng.integers(0, 6, (60, 4))].reshape(60, 32)
    perplexity = [NGram(tunes[:50], 10, order).perplexity(tunes[50:]) for order in (1, 2, 5)]
    assert 10.5 > perplexity[0] > perplexity[1] + 1 > perplexity[2] + 2, (
        'a uniform distribution has 10'
    )


def test_perplexity_of_the_uniform_is_the_vocabulary():
    assert NGram(np.zeros((0, 4), int), 7, 3).perplexity(np.array([[1, 2, 3, 4]])) == pytest.approx(
        7
    )


def test_windows_that_overlap_are_taken_once():
    offsets = np.array([48, 0, 16, 32, 100, 116, 90])
    assert apart(offsets, 32).tolist() == [1, 3, 6], (
        'those at 0, 32 and 90; 16, 48, 100 and 116 overlap one of them'
    )


def test_a_bass_line_under_two_melodies_is_taken_once():
    # Offsets of melody, bass and drums; two bars are 32 steps.
    windows = np.array([[0, 64, 128], [32, 64, 128], [16, 96, 130]])

    def gather(offsets, form):  # tokens: their own places
        return (offsets[:, None] + np.arange(form.steps)[:, None]) % 7

    store = SimpleNamespace(windows=lambda form, split: windows, gather=gather)
    melody, bass, drums = heard_once(store, make_form('trio', 2), 'train')
    np.testing.assert_array_equal(melody, [np.arange(0, 32) % 7, np.arange(32, 64) % 7])
    np.testing.assert_array_equal(bass, [np.arange(64, 96) % 7, np.arange(96, 128) % 7])
    np.testing.assert_array_equal(drums, [np.arange(128, 160) % 7])


def test_keys_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match='64-bit'):
        NGram(np.zeros((1, 2), int), 10_000, 5)
