"""Schedules at five steps, free bits, accumulation, several devices against one, replicas, and
learning eight windows by heart.
"""

import dataclasses
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import compiled
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import FrozenConfigDict
from run_maker import tiny_config

from mvae.batch import Batch
from mvae.errors import InputError
from mvae.model.config import model_config
from mvae.model.objective import kl_cost
from mvae.music.forms import make_form
from mvae.musicvae import form_of
from mvae.training import processes, schedules, signals
from mvae.training.evaluate import evaluate
from mvae.training.loss import negative_elbo
from mvae.training.signals import StopSignals
from mvae.training.step import by_device, init_state, make_train_step, train_step


def _setting(bars=2, variant='flat', **training):
    c = tiny_config('melody', bars, variant)
    c.training.update(training)
    return model_config(c, form_of(c)), FrozenConfigDict(c.training)


def _batch(seed, shape):
    return Batch.of((jax.random.randint(jax.random.key(seed), (*shape, 1), 0, 130),))


def test_learning_rate_decays_to_a_floor_by_addition():
    _, t = _setting(learning_rate=1e-3, decay_rate=0.9999)
    rates = [float(schedules.learning_rate(t, n)) for n in (0, 1_000, 10_000, 50_000, 200_000)]
    np.testing.assert_allclose(rates, [1.0e-3, 9.058e-4, 3.741e-4, 1.666e-5, 1.0e-5], rtol=1e-3)


def test_beta_rises_to_its_maximum():
    _, slow = _setting(beta_rate=0.99999, max_beta=0.5)
    np.testing.assert_allclose(schedules.beta(slow, 100_000), 0.316311, rtol=1e-3)
    _, sudden = _setting(beta_rate=0.0, max_beta=0.2)
    np.testing.assert_allclose(
        [schedules.beta(sudden, n) for n in (0, 1, 2, 10, 1000)], [0, 0.2, 0.2, 0.2, 0.2], rtol=1e-6
    )


def test_sampling_probabilities():
    _, t = _setting(sampling_schedule='inverse_sigmoid', sampling_rate=1000.0)
    probabilities = [
        float(schedules.sampling_probability(t, n)) for n in (0, 1_000, 5_000, 6_908, 10_000, 10**6)
    ]
    np.testing.assert_allclose(
        probabilities, [0.000999, 0.00271, 0.1292, 0.5, 0.9566, 1.0], rtol=2e-3
    )
    _, t = _setting(sampling_schedule='exponential', sampling_rate=0.5)
    np.testing.assert_allclose(
        [schedules.sampling_probability(t, n) for n in (0, 1, 2, 3, 10)],
        1 - 0.5 ** np.array([0, 1, 2, 3, 10]),
    )


@pytest.mark.parametrize(
    'kind, rate',
    [('linear', 0.5), ('constant', 2.0), ('inverse_sigmoid', 0.5), ('exponential', 1.0)],
)
def test_impossible_schedules_are_refused(kind, rate):
    with pytest.raises(InputError):
        schedules.check(_setting(sampling_schedule=kind, sampling_rate=rate)[1])


def test_free_bits_are_free_up_to_the_threshold():
    kl = jnp.log(2.0) * jnp.array([0.0, 47.9, 48.0, 49.0])
    np.testing.assert_allclose(kl_cost(kl, 48.0), np.log(2) * np.array([0, 0, 0, 1]), atol=1e-4)
    slope = jax.vmap(jax.grad(lambda k: kl_cost(k, 48.0)))(jnp.log(2.0) * jnp.array([47.9, 48.1]))
    assert slope.tolist() == [0.0, 1.0]


def test_accumulation_is_the_mean_over_micro_batches():
    """With all the noise there is: it is of the example, so that only the order of sums differs."""
    cfg, t = _setting(token_dropout=0.25)
    batch, results, step = _batch(1, (4, 32)), [], jax.jit(train_step, static_argnames=('cfg', 't'))
    for accumulation in (1, 2):
        ta = FrozenConfigDict({**t, 'accumulation': accumulation})
        state = init_state(jax.random.key(0), cfg, ta)
        results.append(step(state, batch, jax.random.key(2), cfg=cfg, t=ta)[1])
    for name in ('loss', 'examples', 'gradient_norm'):
        np.testing.assert_allclose(results[0][name], results[1][name], rtol=1e-5)


def test_eight_windows_are_learnt_by_heart():
    """Greedy reconstruction from mu, free-running, above 0.99."""
    cfg, t = _setting(
        free_bits=1000.0,
        sampling_schedule='constant',
        sampling_rate=0.0,
        learning_rate=2e-2,
        decay_rate=0.997,
    )
    cfg = dataclasses.replace(cfg, encoder_sizes=(48,), decoder_sizes=(64,), latent_size=16)
    rng = np.random.default_rng(0)
    tokens = jnp.asarray(
        np.where(rng.random((8, 32, 1)) < 0.5, 0, rng.integers(50, 80, (8, 32, 1)))
    )
    state = init_state(jax.random.key(0), cfg, t)
    step = jax.jit(train_step, static_argnames=('cfg', 't'))
    for _ in range(500):
        state, _ = step(state, Batch.of((tokens,)), jax.random.key(1), cfg=cfg, t=t)
    mu = compiled.encode(state.params, cfg, (tokens,)).mu
    (drawn,) = compiled.generate(state.params, cfg, mu, jax.random.key(0), 0.0)
    assert float((drawn == tokens).mean()) > 0.99


def test_metrics_of_the_loss_are_sums():
    cfg, _ = _setting()
    params = compiled.init(jax.random.key(0), cfg)
    batch = _batch(1, (4, 32))
    keys = jax.random.split(jax.random.key(2), 4)
    of = jax.jit(negative_elbo, static_argnums=1)
    loss, sums = of(params, cfg, batch, keys, beta=0.2, free_bits=0.0)
    np.testing.assert_allclose(loss, sums['loss'] / sums['examples'], rtol=1e-6)
    np.testing.assert_allclose(sums['loss'], sums['reconstruction'] + 0.2 * sums['kl'], rtol=1e-5)


SEVERAL_DEVICES = """
import jax, numpy as np, sys
sys.path.insert(0, 'tests')
from mvae.training import processes
from test_training import of_seven, three_steps
count = jax.local_device_count()
losses, state = three_steps()
for leaf in jax.tree.leaves(state.params):
    first, *others = (np.asarray(s.data) for s in leaf.addressable_shards)
    assert len(others) == count - 1
    for other in others:
        np.testing.assert_array_equal(first, other)
assert processes.replicas_differ(state.params) == []
weights = jax.tree.leaves(state.params['encoder'])[0]
shards = [np.asarray(s.data) + n for n, s in enumerate(weights.addressable_shards)]
placed = [jax.device_put(x, device) for x, device in zip(shards, jax.local_devices())]
torn = jax.make_array_from_single_device_arrays(weights.shape, weights.sharding, placed)
assert processes.replicas_differ({'whole': weights, 'torn': torn}) == ["['torn']"]
print(' '.join(map(str, losses)))
print(' '.join(map(str, of_seven(state.params).values())))
for x in processes.spread((np.arange(7), np.ones((7, 3)))):
    assert [s.data.shape[0] for s in x.addressable_shards] == [8 // count] * count
"""


def three_steps():
    """Losses of three updates on all devices, with all the noise there is, and the last state."""
    cfg, t = _setting(
        2, 'hier', token_dropout=0.25, sampling_schedule='constant', sampling_rate=0.5
    )
    state, step = init_state(jax.random.key(0), cfg, t), make_train_step(cfg, t)
    losses = []
    for n in range(3):
        batch = by_device(_batch(n, (8, 32)))
        state, metrics = step(state, batch, jax.random.key(9))
        losses.append(float(metrics['loss'] / metrics['examples']))
    return losses, state


def of_seven(params):
    """The evaluation of seven examples on all devices, which several cannot share evenly."""
    cfg, _ = _setting(2, 'hier')
    batch = _batch(5, (7, 32))
    form = make_form('melody', 2)
    batch = batch._replace(streams=tuple(map(np.asarray, batch.streams)))
    return evaluate(params, cfg, form, [batch], jax.random.key(3), 0.2, 0.0)[0]


def test_one_device_has_nothing_to_compare():
    assert processes.replicas_differ({'what nobody reads': object()}) == []


def test_several_devices_equal_one_and_replicas_stay_equal():
    """Noise is of the example, not of the device: posterior, hidden inputs and drawn ones agree."""
    one, state = three_steps()
    alone = list(of_seven(state.params).values())
    for count in (4,):
        devices = f'--xla_force_host_platform_device_count={count}'
        environment = {
            **os.environ,
            'XLA_FLAGS': f'{os.environ["XLA_FLAGS"]} {devices}',
            'JAX_PLATFORMS': 'cpu',
            'PYTHONPATH': '.',
        }
        done = subprocess.run(
            [sys.executable, '-c', SEVERAL_DEVICES],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        losses, evaluation = ([float(x) for x in line.split()] for line in done.stdout.splitlines())
        np.testing.assert_allclose(losses, one, rtol=1e-4)
        np.testing.assert_allclose(evaluation, alone, rtol=1e-3)


def test_stop_signals_are_noted_and_the_handlers_of_before_come_back(monkeypatch):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with StopSignals() as stop:
        assert stop.seen == 0
        signal.raise_signal(signal.SIGTERM)
        assert stop.seen == signal.SIGTERM
        signal.raise_signal(signal.SIGTERM)  # at once: the same one
        monkeypatch.setattr(signals, '_SAME', 0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_off_the_main_thread_no_signals_are_taken():
    def body():
        with StopSignals() as stop:
            return stop.seen

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(body).result() == 0
