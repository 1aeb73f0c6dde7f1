"""One update, pure, and its mapping over devices: the only place that names `pmap` and its axis."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from ml_collections import FrozenConfigDict

from mvae.config import ModelConfig
from mvae.model import vae
from mvae.training import schedules
from mvae.training.loss import elbo

AXIS = 'batch'


@struct.dataclass
class TrainState:
    """step: int32 scalar, updates done. params and opt_state: float32 trees.

    No random key: keys are folded from the seed and the step.
    """

    step: jax.Array
    params: dict
    opt_state: optax.OptState


def make_optimizer(t: FrozenConfigDict) -> optax.GradientTransformation:
    """Adam after clipping by the global norm, with the additive-floor decay of
    `schedules.learning_rate`; slower over bars.
    """
    rate = functools.partial(schedules.learning_rate, t)
    parts = [optax.clip_by_global_norm(t.clip_norm), optax.adam(rate, b1=0.9, b2=0.999, eps=1e-8)]
    if t.bars_rate != 1 or t.bars_recurrence_rate != 1:
        parts.append(
            optax.stateless(
                lambda updates, _: jax.tree_util.tree_map_with_path(
                    functools.partial(_slow_over_bars, t), updates
                )
            )
        )
    return optax.chain(*parts)


def _slow_over_bars(t: FrozenConfigDict, path: tuple, update: jax.Array) -> jax.Array:
    """The update of a weight at its place in the tree, slowed down where it belongs to LSTMs over
    bars, what is recurrent there even more.
    """
    names = [getattr(key, 'key', None) for key in path]
    if names[0] != 'conductor' and names[:2] != ['encoder', 'bar_layers']:
        return update
    update = t.bars_rate * update
    if 'initial_state' in names:
        return update
    first = (
        0 if names[-1] == 'bias' else update.shape[0] - update.shape[1] // 4
    )  # kernels [I + H, 4H]: input rows, then recurrent ones
    return update.at[first:].multiply(t.bars_recurrence_rate)


def init_state(key: jax.Array, cfg: ModelConfig, t: FrozenConfigDict) -> TrainState:
    params = vae.init(key, cfg)
    return TrainState(jnp.zeros((), jnp.int32), params, make_optimizer(t).init(params))


def train_step(
    state: TrainState,
    tokens: jax.Array,
    key: jax.Array,
    *,
    cfg: ModelConfig,
    t: FrozenConfigDict,
    axis: str | None = None,
) -> tuple[TrainState, dict[str, jax.Array]]:
    """One update from tokens int [B, T, K] of this device.

    Noise comes from key, folded with the step, the device and the micro-batch. With axis, gradients
    are averaged and metrics added over the devices. Returns the new state and sums as in
    `loss.elbo`, besides 'gradient_norm', 'parameter_norm', 'update_norm' and 'replicas', which stay
    as they are.
    """
    key = jax.random.fold_in(key, state.step)
    if axis:
        key = jax.random.fold_in(key, lax.axis_index(axis))
    always_teacher = t.sampling_schedule == 'constant' and t.sampling_rate == 0
    loss = functools.partial(
        elbo,
        cfg=cfg,
        beta=schedules.beta(t, state.step),
        free_bits=t.free_bits,
        sampling_probability=None
        if always_teacher
        else schedules.sampling_probability(t, state.step),
        token_dropout=t.token_dropout,
    )
    gradient_of = jax.grad(
        lambda params, tokens, key: loss(params, tokens=tokens, key=key), has_aux=True
    )

    def micro_batch(total, xs):
        n, tokens_n = xs
        return jax.tree.map(
            jnp.add, total, gradient_of(state.params, tokens_n, jax.random.fold_in(key, n))
        ), None

    if t.accumulation == 1:
        gradients, metrics = gradient_of(state.params, tokens, jax.random.fold_in(key, 0))
    else:
        parts = tokens.reshape(t.accumulation, -1, *tokens.shape[1:])
        zeros = jax.tree.map(
            lambda x: jnp.zeros(x.shape, x.dtype),
            jax.eval_shape(gradient_of, state.params, parts[0], key),
        )
        (gradients, metrics), _ = lax.scan(micro_batch, zeros, (jnp.arange(t.accumulation), parts))
        gradients = jax.tree.map(lambda g: g / t.accumulation, gradients)
    if axis and lax.axis_size(axis) > 1:  # alone, XLA would still copy every gradient
        gradients, metrics = lax.pmean(gradients, axis), lax.psum(metrics, axis)
    updates, opt_state = make_optimizer(t).update(gradients, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    norms = {'gradient_norm': gradients, 'parameter_norm': params, 'update_norm': updates}
    metrics |= {name: optax.global_norm(tree) for name, tree in norms.items()}
    return TrainState(state.step + 1, params, opt_state), metrics


def replicate(state: TrainState) -> TrainState:
    """The state as `make_train_step` returns it, on all devices: given any other way, the second
    update would compile everything once more.
    """
    everywhere = NamedSharding(Mesh(np.array(jax.devices()), (AXIS,)), PartitionSpec())
    return jax.device_put(state, everywhere)


def make_train_step(cfg: ModelConfig, t: FrozenConfigDict):
    """`train_step` over all devices: (state, tokens [devices, B / devices, T, K], key) -> (state,
    metrics); the state has no device axis.
    """
    step = functools.partial(train_step, cfg=cfg, t=t, axis=AXIS)
    return jax.pmap(
        step, axis_name=AXIS, in_axes=(None, 0, None), out_axes=(None, None), donate_argnums=0
    )
