"""One update, pure, and its mapping over devices: the only place that names `pmap` and its axis."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from ml_collections import FrozenConfigDict

from mvae.batch import Batch
from mvae.model import vae
from mvae.model.config import ModelConfig
from mvae.model.types import Params
from mvae.training import schedules
from mvae.training.loss import keys_of, negative_elbo

AXIS = 'batch'
_init = functools.partial(jax.jit, static_argnums=1)(vae.init)


@struct.dataclass
class TrainState:
    """step: int32 scalar, updates done. params and opt_state: float32 trees.

    No random key: keys are folded from the seed and the step.
    """

    step: jax.Array
    params: Params
    opt_state: optax.OptState


def make_optimizer(t: FrozenConfigDict) -> optax.GradientTransformation:
    """Adam after clipping by the global norm, at `schedules.learning_rate`."""
    rate = functools.partial(schedules.learning_rate, t)
    adam = optax.adam(rate, b1=0.9, b2=0.999, eps=1e-8)
    return optax.chain(optax.clip_by_global_norm(t.clip_norm), adam)


def init_state(key: jax.Array, cfg: ModelConfig, t: FrozenConfigDict) -> TrainState:
    """The state before the first update."""
    params = _init(key, cfg)
    return TrainState(jnp.zeros((), jnp.int32), params, make_optimizer(t).init(params))


def train_step(
    state: TrainState,
    batch: Batch,
    key: jax.Array,
    *,
    cfg: ModelConfig,
    t: FrozenConfigDict,
    axis: str | None = None,
) -> tuple[TrainState, dict[str, jax.Array]]:
    """One update from this device's batch, which has no padding.

    Noise comes from key, folded with the step and the example's number, so that it is the same on
    any devices. With axis, gradients are averaged and metrics added over the devices. Returns the
    new state and sums as in `loss.negative_elbo`, besides 'gradient_norm', 'parameter_norm' and
    'update_norm'.
    """
    key = jax.random.fold_in(key, state.step)
    always_teacher = t.sampling_schedule == 'constant' and t.sampling_rate == 0
    probability = None if always_teacher else schedules.sampling_probability(t, state.step)
    loss = functools.partial(
        negative_elbo,
        cfg=cfg,
        beta=schedules.beta(t, state.step),
        free_bits=t.free_bits,
        sampling_probability=probability,
        token_dropout=t.token_dropout,
        told_dropout=t.told_dropout,
        input_dropout=t.input_dropout,
        note_dropout=t.note_dropout,
    )
    gradient_of = jax.grad(
        lambda params, batch: loss(params, batch=batch, keys=keys_of(key, batch.numbers)),
        has_aux=True,
    )
    gradients, metrics = _accumulate(gradient_of, state.params, batch, t.accumulation)
    if axis and lax.axis_size(axis) > 1:  # alone, XLA would still copy every gradient
        gradients, metrics = lax.pmean(gradients, axis), lax.psum(metrics, axis)
    updates, opt_state = make_optimizer(t).update(gradients, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    norms = {'gradient_norm': gradients, 'parameter_norm': params, 'update_norm': updates}
    metrics |= {name: optax.global_norm(tree) for name, tree in norms.items()}
    return TrainState(state.step + 1, params, opt_state), metrics


def _accumulate(
    gradient_of: Callable[[Params, Batch], tuple[Params, dict[str, jax.Array]]],
    params: Params,
    batch: Batch,
    parts: int,
) -> tuple[Params, dict[str, jax.Array]]:
    """Gradients averaged and metrics added over so many micro-batches, one after the other."""
    if parts == 1:
        return gradient_of(params, batch)

    def micro_batch(total, batch_n):
        return jax.tree.map(jnp.add, total, gradient_of(params, batch_n)), None

    split = jax.tree.map(lambda x: x.reshape(parts, -1, *x.shape[1:]), batch)
    shapes = jax.eval_shape(gradient_of, params, jax.tree.map(lambda x: x[0], split))
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    (gradients, metrics), _ = lax.scan(micro_batch, zeros, split)
    return jax.tree.map(lambda g: g / parts, gradients), metrics


def replicate(state: TrainState) -> TrainState:
    """The state on all devices, as `make_train_step` returns it.

    Given any other way, the second update would compile everything once more.
    """
    everywhere = NamedSharding(Mesh(np.array(jax.devices()), (AXIS,)), PartitionSpec())
    return jax.device_put(state, everywhere)


def by_device(batch: Batch) -> Batch:
    """The rows of a batch shared out over this process's devices: [devices, B / devices, ...]."""
    devices = jax.local_device_count()
    return jax.tree.map(lambda x: x.reshape(devices, -1, *x.shape[1:]), batch)


def make_train_step(cfg: ModelConfig, t: FrozenConfigDict) -> jax.stages.Wrapped:
    """`train_step` over all devices: (state, batch of `by_device`, key) -> (state, metrics).

    The state has no device axis.
    """
    step = functools.partial(train_step, cfg=cfg, t=t, axis=AXIS)
    return jax.pmap(step, AXIS, in_axes=(None, 0, None), out_axes=(None, None), donate_argnums=0)
