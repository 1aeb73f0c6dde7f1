"""What this machine can do: matrix products and memory, measured.

Run as a program it prints them as JSON.
"""

import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

_L3 = Path('/sys/devices/system/cpu/cpu0/cache/index3/size')


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_bytes() -> int:
    """Last-level cache; 32 MiB where the system does not say."""
    try:
        return int(_L3.read_text().strip().removesuffix('K')) * 1024
    except (OSError, ValueError):
        return 32 * 2**20


def processor() -> str:
    """Its name, as the system says it."""
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()


def wait_until_quiet(limit: float = 60.0) -> float:
    """Waits until other programs take less than a tenth of one core, at most `limit` seconds.

    Returns the cores that they take.
    """
    import psutil

    end = time.monotonic() + limit
    while True:
        busy = psutil.cpu_percent(0.5) / 100 * (psutil.cpu_count() or 1)
        if busy < 0.1 or time.monotonic() > end:
            return busy


def _best(call: Callable[[], object], repeats: int = 5) -> float:
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def measure() -> dict:
    """What this machine is, and what it can do.

    flops: of products of square matrices, operations per second, the best of some sizes.
    bytes_per_second: of reading a matrix, by its product with a vector.
    """
    import jax
    import jax.numpy as jnp

    @jax.jit
    def product(a: jax.Array, b: jax.Array) -> jax.Array:
        return jnp.matmul(a, b, preferred_element_type=jnp.float32)

    def seconds(a: jax.Array, b: jax.Array) -> float:
        return _best(lambda: product(a, b).block_until_ready())

    sizes = (2048, 4096) if jax.default_backend() == 'cpu' else (4096, 8192, 16384)
    rates = {}
    for dtype in ('float32', 'bfloat16'):
        squares = (jnp.ones((n, n), dtype) for n in sizes)
        rates[dtype] = max(2 * len(a) ** 3 / seconds(a, a) for a in squares)
    x, v = jnp.ones((2**13, 2**13)), jnp.ones((2**13, 1))
    device = jax.devices()[0]
    on_cpu = device.platform == 'cpu'
    return {
        'processor': processor(),
        'cores': cores(),
        'devices': 'cpu' if on_cpu else f'{jax.device_count()} x {device.device_kind}',
        'flops': rates,
        'bytes_per_second': x.nbytes / seconds(x, v),
        'cache_bytes': cache_bytes(),
        'python': platform.python_version(),
        'jax': jax.__version__,
    }


if __name__ == '__main__':
    print(json.dumps(measure()))
