"""What is set before jax computes."""

import platform
import subprocess
import sys

import pytest

_FAULTS = """
import resource
import numpy as np
from mvae.commands import compute

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def use():
    before = faults()
    np.ones(2**24, np.float32)  # 64 MiB: 16,384 pages of 4 KiB, or 32 of 2 MiB
    return faults() - before

compute.prepare()
print(use(), use())
"""


def _faults(tunables: str) -> tuple[int, int]:
    command = [sys.executable, '-c', _FAULTS]
    environment = {'GLIBC_TUNABLES': tunables, 'JAX_PLATFORMS': 'cpu'}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    first, second = map(int, said.stdout.split())
    return first, second


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='only glibc has mallopt')
def test_freed_memory_is_used_again_unless_the_environment_says_how():
    first, second = _faults('')
    assert first >= 16
    assert second < first / 10
    first, second = _faults('glibc.malloc.hugetlb=0')
    assert second > first / 2
