"""What changes with the update number t.

Each schedule takes t, a Python or traced integer, and returns float32 (docs/magenta.md, Scheduled
sampling, Objective, Optimiser).
"""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from mvae.errors import InputError

SAMPLING_SCHEDULES = ('constant', 'inverse_sigmoid', 'exponential')


def check(t: ConfigDict) -> None:
    """Raises InputError where the training settings cannot make schedules."""
    kind, rate = t.sampling_schedule, t.sampling_rate
    if kind not in SAMPLING_SCHEDULES:
        raise InputError(
            f'unknown training.sampling_schedule {kind!r}; known: {", ".join(SAMPLING_SCHEDULES)}'
        )
    fits = {'constant': 0 <= rate <= 1, 'inverse_sigmoid': rate >= 1, 'exponential': 0 < rate < 1}
    if not fits[kind]:
        raise InputError(
            f'training.sampling_rate {rate} does not fit {kind}: constant 0..1, '
            'inverse_sigmoid >= 1, exponential between 0 and 1'
        )


def learning_rate(t: ConfigDict, step: jax.Array | int) -> jax.Array:
    """(lr_0 - lr_min) * decay^t + lr_min: decays to its floor by addition, not by clipping."""
    decayed = (t.learning_rate - t.min_learning_rate) * jnp.power(jnp.float32(t.decay_rate), step)
    return decayed + t.min_learning_rate


def beta(t: ConfigDict, step: jax.Array | int) -> jax.Array:
    """Weight of the KL term: (1 - beta_rate^t) * max_beta.

    As 0^0 is 1, a rate of 0 gives max_beta from t = 1 on.
    """
    return (1 - jnp.power(jnp.float32(t.beta_rate), step)) * t.max_beta


def sampling_probability(t: ConfigDict, step: jax.Array | int) -> jax.Array:
    """Probability that the decoder reads its own sample.

    By the schedule it is constant, 1 - k / (k + exp(t / k)), or 1 - k^t.
    """
    step, k = jnp.asarray(step, jnp.float32), jnp.float32(t.sampling_rate)
    if t.sampling_schedule == 'constant':
        return k
    if t.sampling_schedule == 'inverse_sigmoid':
        return jax.nn.sigmoid(step / k - jnp.log(k))  # the same, and exp(t/k) cannot overflow
    return 1 - jnp.power(k, step)
