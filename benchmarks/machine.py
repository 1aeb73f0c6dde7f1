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
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()


def cache_bytes() -> int:
    """Last-level cache; 32 MiB where the system does not say."""
    try:
        return int(_L3.read_text().strip().removesuffix('K')) * 1024
    except (OSError, ValueError):
        return 32 * 2**20


def processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
        return next(
            line.partition(':')[2].strip() for line in lines if line.startswith('model name')
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def wait_until_quiet(limit: float = 60.0) -> float:
    """Waits until other programs take less than a tenth of one core, at most `limit` seconds.

    Returns the cores that they take.
    """
    import psutil

    end = time.monotonic() + limit
    while True:
        busy = psutil.cpu_percent(0.5) / 100 * psutil.cpu_count()
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
    """Products of square matrices in operations per second, the best of two sizes, and bytes per
    second of reading one with a vector.
    """
    import jax
    import jax.numpy as jnp

    rates, product = {}, jax.jit(lambda a, b: jnp.matmul(a, b, preferred_element_type=jnp.float32))
    for dtype in ('float32', 'bfloat16'):
        rates[dtype] = 0.0
        for n in (2048, 4096) if jax.default_backend() == 'cpu' else (4096, 8192, 16384):
            a = jnp.ones((n, n), dtype)
            rates[dtype] = max(
                rates[dtype], 2 * n**3 / _best(lambda a=a: product(a, a).block_until_ready())
            )
    x, v = jnp.ones((2**13, 2**13)), jnp.ones((2**13, 1))
    bandwidth = x.nbytes / _best(lambda: product(x, v).block_until_ready())
    device = jax.devices()[0]
    return {
        'processor': processor(),
        'cores': cores(),
        'devices': f'{jax.device_count()} x {device.device_kind}'
        if device.platform != 'cpu'
        else 'cpu',
        'flops': rates,
        'bytes_per_second': bandwidth,
        'cache_bytes': cache_bytes(),
        'python': platform.python_version(),
        'jax': jax.__version__,
    }


if __name__ == '__main__':
    print(json.dumps(measure()))
