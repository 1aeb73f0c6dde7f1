"""What is set before jax computes."""

import os
from pathlib import Path


def prepare() -> None:
    """Keeps compiled programs for the next start, and silences warnings that ask for nothing.

    Programs lie in ~/.cache/mvae, or where JAX_COMPILATION_CACHE_DIR says.
    """
    import logging

    import jax

    logging.getLogger('absl').setLevel(logging.ERROR)  # orbax warns of things that are in order
    if not os.environ.get('JAX_COMPILATION_CACHE_DIR'):
        cache = os.environ.get('XDG_CACHE_HOME', str(Path.home() / '.cache'))
        jax.config.update('jax_compilation_cache_dir', str(Path(cache) / 'mvae'))
    # A start is made of many small programs: reading one takes a third of compiling it.
    jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.0)
