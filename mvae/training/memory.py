"""What a run will run on, and whether it will fit: said before the first update."""

from pathlib import Path
from typing import NamedTuple

import jax

from mvae.batch import Batch
from mvae.errors import InputError
from mvae.model.types import Params
from mvae.training.step import TrainState

_MIB = 2**20


def describe(params: Params, run: Path, start: int, steps: int) -> str:
    """Devices, size of the model, and where the run begins, in one line."""
    count = sum(x.size for x in jax.tree.leaves(params))
    processes = f' in {jax.process_count()} processes' if jax.process_count() > 1 else ''
    devices = f'{jax.device_count()} x {jax.devices()[0].device_kind}{processes}'
    return f'{devices}; {count:,} parameters; from step {start} to {steps} in {run}'


class Plan(NamedTuple):
    """Bytes on each device: held between updates, and besides while one is computed."""

    held: int
    temporary: int


def planned(
    step_function: jax.stages.Wrapped, state: TrainState, batch: Batch, key: jax.Array
) -> Plan | None:
    """Compiles the step and says what the compiler plans; None where a backend does not tell.

    Arguments may be shapes alone (`jax.ShapeDtypeStruct`): nothing is allocated.
    """
    stats = step_function.lower(state, batch, key).compile().memory_analysis()
    if stats is None:
        return None
    held = stats.argument_size_in_bytes + stats.output_size_in_bytes - stats.alias_size_in_bytes
    return Plan(held, stats.temp_size_in_bytes)


def check(
    step_function: jax.stages.Wrapped,
    state: TrainState,
    batch: Batch,
    key: jax.Array,
    accumulation: int,
) -> str:
    """Compiles the step and says how much memory a device needs, as the compiler plans it.

    Raises InputError, naming the next smaller setting, where a device says that it has less.
    """
    plan = planned(step_function, state, batch, key)
    if plan is None:
        return 'this backend tells no memory estimate'
    need = plan.held + plan.temporary
    limit = (jax.local_devices()[0].memory_stats() or {}).get('bytes_limit')
    if limit and need > limit:
        raise InputError(
            f'an update needs {need / _MIB:,.0f} MiB on each device, which has '
            f'{limit / _MIB:,.0f}; use --config.training.accumulation={2 * accumulation}, '
            'or --config.model.dtype=bfloat16, or SCALE=small'
        )
    of = f' of {limit / _MIB:,.0f}' if limit else ''
    parts = f'{plan.held / _MIB:,.0f} of weights and optimizer, the rest for one update'
    return f'memory on each device: {need / _MIB:,.0f} MiB{of} ({parts})'
