"""What holds for all tests."""

import os
import signal
import tempfile

import pytest

# Programs compiled in one test serve the others, in their processes too.
_CACHE = tempfile.TemporaryDirectory(prefix='mvae-tests-')
os.environ.setdefault('JAX_COMPILATION_CACHE_DIR', _CACHE.name)
os.environ.setdefault('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '0.1')

# A shell without job control starts what ends in & so that Ctrl-C is ignored, and children inherit
# it. Tests that stop programs by Ctrl-C need the usual answer.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope='module')
def quick_compilation():
    """Programs are compiled in half the time, and may run slower."""
    import jax

    jax.config.update('jax_disable_most_optimizations', True)
    yield
    jax.config.update('jax_disable_most_optimizations', False)
