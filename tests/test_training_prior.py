"""Learning a prior: of codes made by hand, whose bars agree; of how many; stopped by a signal."""

import dataclasses
import signal
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from ml_collections import ConfigDict

from mvae.errors import Interrupted
from mvae.model import denoiser
from mvae.training import prior

WINDOWS, BATCH, MOVED = 32, 8, 1000
SETTINGS = {'steps': 200, 'windows': WINDOWS, 'batch_size': 32, 'learning_rate': 1e-2}
P = ConfigDict(SETTINGS | {'width': 16, 'layers': 2, 'heads': 2})
MEAN, SCALE = np.array([3.0, 0.0, -1.0, 0.5]), np.array([0.5, 1.0, 2.0, 4.0])
# Of two bars, the second the mirror of the first, and so high or low in all numbers at once.
CODES = np.random.default_rng(0).standard_normal((WINDOWS, 1, 1)) * [[1], [-1]] * SCALE + MEAN


class _Model:
    """Its pieces are numbers of CODES."""

    architecture, latent_size = SimpleNamespace(codes=2, parts=1), 8

    def __init__(self, stops=False):
        self.stops, self.read = stops, []

    def posterior(self, tokens):
        if self.stops:
            signal.raise_signal(signal.SIGTERM)
        self.read += tokens.tolist()
        mu = CODES[tokens % WINDOWS].reshape(-1, 8).astype(np.float32)
        return mu, np.full_like(mu, 0.01)


def _loader(count=WINDOWS, transpose=(0, 0)):
    """Batch n has the windows from BATCH n on, and where they are varied those MOVED further on."""
    return SimpleNamespace(
        transpose=transpose, batch_size=BATCH,
        store=SimpleNamespace(count=lambda form, split: count),
        form=SimpleNamespace(join=lambda parts: parts, streams=(), split=lambda pieces: ()),
        batch=lambda n, varied: SimpleNamespace(
            parts=np.arange(BATCH * n, BATCH * (n + 1)) + MOVED * varied
        ),
    )  # fmt: skip


@pytest.fixture(scope='module', autouse=True)
def quick_start():
    """New weights by one program: by one for each they take longer than all updates."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(denoiser, 'init', jax.jit(denoiser.init, static_argnums=1))
        yield


@pytest.fixture(scope='module')
def learned():
    return prior.learn(_Model(), _loader(), P, 0)


def _apart(x, y):
    """How far bars are apart, to how far they are from those of another piece."""
    x, y = x / SCALE, y / SCALE
    return np.abs(x - y).mean() / np.abs(x - np.roll(y, 1, 0)).mean()


def test_bars_that_mirror_each_other_in_all_music_do_so_in_what_is_drawn(learned):
    drawn = learned.draw(64, 0).reshape(64, 2, 4)
    assert len(np.unique(drawn[:, 0, 0])) == 64, 'pieces differ'
    np.testing.assert_allclose(drawn.mean((0, 1)), MEAN, atol=1)
    assert _apart(drawn[:, 0], 2 * MEAN - drawn[:, 1]) < 0.4


def test_a_known_bar_is_continued_by_its_mirror(learned):
    z = CODES.reshape(-1, 8).astype(np.float32)
    z[:, 4:] = 0
    drawn = learned.fill(z, np.array([[True], [False]]), 0).reshape(-1, 2, 4)
    assert _apart(drawn[:, 1], CODES[:, 1]) < 0.7


def test_plans_are_those_of_the_music(learned):
    assert learned.outlines.plan[:, :, 0].tolist() == [[0, 1]] * WINDOWS


def test_it_draws_with_the_mean_and_scale_of_the_codes(learned):
    np.testing.assert_allclose(learned.mean[0], CODES.mean((0, 1)), rtol=1e-4)
    np.testing.assert_allclose(learned.scale[0], CODES.std((0, 1)), rtol=1e-4)
    assert dataclasses.astuple(learned.config) == (2, 1, 4, 16, 2, 2, 0)


def test_the_same_seed_gives_the_same_bytes(learned):
    again = prior.learn(_Model(), _loader(), P, 0)
    jax.tree.map(np.testing.assert_array_equal, learned.params, again.params)
    jax.tree.map(np.testing.assert_array_equal, learned.outlines, again.outlines)


@pytest.mark.parametrize('windows', [32, 320], ids=['learning', 'reading'])
def test_a_signal_stops_it(windows):
    model, many = _Model(stops=True), P.copy_and_resolve_references()
    many.windows = windows
    with pytest.raises(Interrupted, match='the same command begins that anew') as stop:
        prior.learn(model, _loader(count=windows), many, 0)
    assert stop.value.number == signal.SIGTERM and 32 <= len(model.read) < 320


@pytest.mark.parametrize(
    'loader, plain, transposed',
    [
        ({}, 32, 0),
        ({'count': 20}, 16, 0),  # whole batches
        ({'count': 3}, 8, 0),
        ({'count': 500}, 32, 0),
        ({'count': 500, 'transpose': (-5, 6)}, 16, 16),
        ({'count': 8, 'transpose': (-5, 6)}, 8, 24),  # each is another when it comes again
    ],
)
def test_as_many_windows_are_read_as_tell_something_new(loader, plain, transposed):
    model, read = _Model(), plain + transposed
    codes = prior._codes(model, _loader(**loader), WINDOWS, SimpleNamespace(seen=0))
    assert model.read == [n + MOVED * (n >= plain) for n in range(read)]
    assert codes.outline.transposed.tolist() == [False] * plain + [True] * transposed
    np.testing.assert_allclose(codes.mu[:, :, 0], CODES[np.array(model.read) % WINDOWS], rtol=1e-6)
