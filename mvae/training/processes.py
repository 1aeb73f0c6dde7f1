"""Many processes as one: finding the peers, and agreeing with them.

With one process everything here is the identity.
"""

import os
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import jax
import numpy as np
from jax._src.clusters.cloud_tpu_cluster import GceTpuCluster, GkeTpuCluster
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from mvae.checks import natural
from mvae.errors import InputError
from mvae.model.types import Params
from mvae.training import peers

_Tree = TypeVar('_Tree')  # of arrays
_VARIABLES = ('MVAE_COORDINATOR', 'MVAE_PROCESSES', 'MVAE_PROCESS')


def join(
    coordinator: str | None = None,
    processes: int | None = None,
    process: int | None = None,
    patience: float = 300,
) -> None:
    """Joins the other processes of this training, before jax touches a device.

    Peers come from the arguments ('host:port' of process 0, how many, which one), else from
    MVAE_COORDINATOR, MVAE_PROCESSES and MVAE_PROCESS, else from SLURM, Open MPI or the TPU pod that
    this process runs under, which jax reads itself. Alone, nothing happens. Where some have not
    come after `patience` seconds, this process ends with a line that says so.

    Raises InputError for incomplete or impossible values, and where the peers cannot be reached.
    """
    values = dict(zip(_VARIABLES, (coordinator, processes, process), strict=True))
    given = {
        name: os.environ.get(name) if value is None else str(value)
        for name, value in values.items()
    }
    try:
        if any(v is not None for v in given.values()):
            arguments = _explicit(given)
            with peers.in_time(patience, _missing(arguments)):
                jax.distributed.initialize(**arguments, **_later(patience))
        elif _under_a_launcher(os.environ):
            with peers.in_time(patience, 'not all processes of the launcher came'):
                jax.distributed.initialize(**_later(patience))
    except (RuntimeError, ValueError, OSError) as error:
        why = str(error).splitlines()[0][:200]
        raise InputError(f'cannot join the other processes: {why}') from None


def leave() -> None:
    """Parts with the other processes: what comes now each does alone, and takes what time it may.

    All processes must come here. Nothing can be agreed with the others afterwards.
    """
    if jax.process_count() > 1:
        jax.distributed.shutdown()


def _later(patience: float) -> dict[str, Any]:
    """Limits of jax itself, which aborts: behind those of `peers`."""
    seconds = int(patience) + 60
    return {'initialization_timeout': seconds, 'heartbeat_timeout_seconds': seconds}


def _missing(arguments: Mapping[str, Any]) -> str:
    """Who may be missing, in the eyes of this process."""
    last, address = arguments['num_processes'] - 1, arguments['coordinator_address']
    if arguments['process_id'] == 0:
        others = 'process 1' if last == 1 else f'one of the processes 1 to {last}'
        return f'{others} did not come to {address}'
    return f'process 0 at {address}, or another of the {last + 1} processes, did not come'


def _explicit(given: Mapping[str, str | None]) -> dict[str, Any]:
    """The arguments of `jax.distributed.initialize`."""
    missing = [name for name, value in given.items() if value is None]
    if missing:
        raise InputError(
            f'{", ".join(missing)} must be set too: --coordinator HOST:PORT --processes N '
            '--process I, or the variables of these names'
        )
    coordinator, processes, process = (value or '' for value in given.values())
    if not re.fullmatch(r'[^:\s]+:[0-9]{1,5}', coordinator):
        raise InputError(f'the coordinator is HOST:PORT of process 0, not {coordinator!r}')
    count, number = natural(processes), natural(process)
    if count is None or number is None or number >= count:
        raise InputError(f'process {process} of {processes} does not exist; processes count from 0')
    return {
        'coordinator_address': coordinator,
        'num_processes': count,
        'process_id': number,
    }


def _under_a_launcher(environment: Mapping[str, str]) -> bool:
    """More than one task of SLURM or Open MPI, or more than one host of a TPU pod."""
    sizes = [environment.get(name, '1') for name in ('SLURM_NTASKS', 'OMPI_COMM_WORLD_SIZE')]
    in_step = 'SLURM_PROCID' in environment or 'OMPI_COMM_WORLD_SIZE' in environment
    return (in_step and any((natural(size) or 0) > 1 for size in sizes)) or _tpu_hosts() > 1


def _tpu_hosts() -> int:
    """Hosts of the TPU slice that this process runs on, 1 elsewhere.

    Kubernetes says them in variables, a TPU VM in the metadata of its machine alone.
    """
    kinds = GkeTpuCluster, GceTpuCluster
    return next((kind.get_process_count() for kind in kinds if kind.is_env_present()), 1)


def is_first() -> bool:
    """Whether this process writes the run folder."""
    return jax.process_index() == 0


def total(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Sums over all processes, float64, of arrays that are exact in float32."""
    if jax.process_count() == 1:
        return {name: np.asarray(v, np.float64) for name, v in values.items()}
    gathered = multihost_utils.process_allgather(
        {name: np.asarray(v, np.float32) for name, v in values.items()}
    )
    return {name: np.asarray(v, np.float64).sum(0) for name, v in gathered.items()}


def any_process(flag: bool) -> bool:
    """Whether the flag is set in any process: all of them get the same answer."""
    if jax.process_count() == 1:
        return flag
    return bool(multihost_utils.process_allgather(np.array(flag)).any())


def from_first(tree: _Tree) -> _Tree:
    """The tree of process 0, in every process; all must pass the same shapes."""
    return tree if jax.process_count() == 1 else multihost_utils.broadcast_one_to_all(tree)


def on_one_device(tree: _Tree) -> _Tree:
    """A replicated tree on the first device of this process alone, nothing copied."""
    return jax.tree.map(lambda x: x.addressable_data(0) if isinstance(x, jax.Array) else x, tree)


def on_local_devices(tree: _Tree) -> _Tree:
    """A replicated tree on all devices of this process, none of another one's."""
    tree = on_one_device(tree)
    return tree if jax.local_device_count() == 1 else jax.device_put(tree, _local(PartitionSpec()))


def spread(tree: _Tree) -> _Tree:
    """Arrays [B, ...] over the devices of this process, filled up with rows of zeros."""
    count = jax.local_device_count()
    if count == 1:
        return tree

    def fill(x):
        x = np.asarray(x)
        return np.pad(x, [(0, -len(x) % count)] + [(0, 0)] * (x.ndim - 1))

    return jax.device_put(jax.tree.map(fill, tree), _local(PartitionSpec('examples')))


def _local(spec: PartitionSpec) -> NamedSharding:
    return NamedSharding(Mesh(np.array(jax.local_devices()), ('examples',)), spec)


def replicas_differ(tree: Params) -> list[str]:
    """Names of leaves that are not the same, bit for bit, on all devices of all processes.

    [] is how it should be, and always so with one device.
    """
    if jax.device_count() == 1:
        return []
    sums, names = [], []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        shards = [np.asarray(shard.data) for shard in leaf.addressable_shards]
        names.append(jax.tree_util.keystr(path))
        same = all(np.array_equal(shards[0], other, equal_nan=True) for other in shards[1:])
        words = np.ascontiguousarray(shards[0]).view(np.uint8).astype(np.uint32)
        weights = np.arange(1, words.size + 1, dtype=np.uint32)  # a sum that knows the order
        sums.append((np.uint32(same), (words.reshape(-1) * weights).sum(dtype=np.uint32)))
    table = np.array(sums, np.uint32)
    everywhere = (
        multihost_utils.process_allgather(table) if jax.process_count() > 1 else table[None]
    )
    wrong = (everywhere != everywhere[:1]).any((0, 2)) | (everywhere[:, :, 0] == 0).any(0)
    return [name for name, w in zip(names, wrong, strict=True) if w]
