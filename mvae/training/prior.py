"""Fits the learned prior: a network that draws codes as a trained model gives them to music."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from ml_collections import ConfigDict

from mvae.dataset.loader import Loader
from mvae.errors import Interrupted
from mvae.model import denoiser, diffusion
from mvae.model.denoiser import DenoiserConfig, Outline
from mvae.model.prior import Learned, plans_of
from mvae.model.types import Params
from mvae.music.traits import traits
from mvae.musicvae import MusicVAE
from mvae.progress import progress
from mvae.training.signals import StopSignals

_WARM_UP = 100  # updates in which the learning rate rises
_AVERAGE = 0.999  # of the weights that are kept, over updates
_TOGETHER = 64  # windows encoded at once, at least
_OUTLINES = 2048  # of music that are kept
_SHOWN = 50  # updates between looks at the loss


class _Codes(NamedTuple):
    """Of N windows of training music: mu [N, U, K, D], and what is said of them."""

    mu: np.ndarray
    outline: Outline[np.ndarray]


class _State(NamedTuple):
    params: Params
    opt_state: optax.OptState
    average: Params


def learn(model: MusicVAE, loader: Loader, p: ConfigDict, seed: int) -> Learned:
    """The prior of a model's codes of training music, of `prior` of its config.

    loader: of training batches, transposed as they were in training. The same seed gives the same
    bytes. Raises Interrupted after SIGTERM or SIGINT: nothing is kept of it.
    """
    with StopSignals() as stop:
        mu, outline = _codes(model, loader, p.windows, stop)
        bars, parts, size, told = *mu.shape[1:], outline.traits.shape[1]
        cfg = DenoiserConfig(bars, parts, size, p.width, p.layers, p.heads, told)
        as_it_is = mu[~outline.transposed]
        mean = as_it_is.mean((0, 1))
        scale = as_it_is.std((0, 1)) + 1e-6
        plans = outline.plan.astype(np.int32)
        codes = _Codes((mu - mean) / scale, outline._replace(plan=plans))
        params = _fit(cfg, jax.device_put(codes), p, seed, stop)
        return Learned(params, cfg, mean, scale, outline.take(slice(_OUTLINES)))


def _codes(model: MusicVAE, loader: Loader, windows: int, stop: StopSignals) -> _Codes:
    """Those of so many training windows.

    They are as they are. Where training transposes, half of them are, and further ones transposed,
    which come again as each is another then.
    """
    size, moves = loader.batch_size, loader.transpose != (0, 0)
    plain = min(windows // 2 if moves else windows, loader.store.count(loader.form, 'train'))
    first_moved = max(1, plain // size)
    batches = max(first_moved, windows // size) if moves else first_moved
    together, found, said = -(-_TOGETHER // size), [], []
    for first in progress(range(0, batches, together), desc='codes of training music'):
        _check(stop)
        numbers = range(first, min(first + together, batches))
        those = [loader.batch(n, varied=n >= first_moved) for n in numbers]
        tokens = np.concatenate([loader.form.join(batch.parts) for batch in those])
        found.append(model.posterior(tokens)[0])
        said.append(traits(tokens, loader.form))
    codes, parts = model.architecture.codes, model.architecture.parts
    mu = np.concatenate(found).reshape(-1, codes // parts, parts, model.latent_size // codes)
    transposed = np.arange(len(mu)) >= first_moved * size
    return _Codes(mu, Outline(plans_of(mu), np.concatenate(said), transposed))


def _fit(cfg: DenoiserConfig, codes: _Codes, p: ConfigDict, seed: int, stop: StopSignals) -> Params:
    init_key, key = jax.random.split(jax.random.key(seed))
    rate = optax.warmup_cosine_decay_schedule(0.0, p.learning_rate, _WARM_UP, p.steps + _WARM_UP)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))
    params = jax.jit(denoiser.init, static_argnums=1)(init_key, cfg)
    state = _State(params, optimizer.init(params), params)
    update = jax.jit(functools.partial(_update, cfg, optimizer, p.batch_size))
    bar = progress(range(p.steps), desc='learned prior', unit='step')
    for n in bar:
        _check(stop)
        state, loss = update(state, codes, jax.random.fold_in(key, n), n)
        if n % _SHOWN == _SHOWN - 1:
            bar.set_postfix_str(f'loss={float(loss):.3f}')
    return jax.device_get(state.average)


def _update(
    cfg: DenoiserConfig,
    optimizer: optax.GradientTransformation,
    batch_size: int,
    state: _State,
    codes: _Codes,
    key: jax.Array,
    step: jax.Array | int,
) -> tuple[_State, jax.Array]:
    """One update from codes drawn at random."""
    row_key, loss_key = jax.random.split(key)
    rows = jax.random.randint(row_key, (batch_size,), 0, len(codes.mu))
    batch = jax.tree.map(lambda values: values[rows], codes)
    loss, gradients = jax.value_and_grad(diffusion.loss)(state.params, cfg, *batch, loss_key)
    updates, opt_state = optimizer.update(gradients, state.opt_state)
    params = optax.apply_updates(state.params, updates)
    share = 1 - jnp.minimum(_AVERAGE, (1.0 + step) / (10.0 + step))
    average = optax.incremental_update(params, state.average, share)
    return _State(params, opt_state, average), loss


def _check(stop: StopSignals) -> None:
    if stop.seen:
        said = 'stopped while learning the prior; the same command begins that anew'
        raise Interrupted(said, stop.seen)
