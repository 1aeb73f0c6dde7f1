"""What is set before jax computes."""

import os
from pathlib import Path


def prepare() -> None:
    """Keeps compiled programs for the next start, and silences warnings that ask for nothing."""
    import logging

    import jax

    logging.getLogger('absl').setLevel(logging.ERROR)  # orbax warns of things that are in order
    cache = os.environ.get('XDG_CACHE_HOME', str(Path.home() / '.cache'))
    jax.config.update('jax_compilation_cache_dir', str(Path(cache) / 'mvae'))
    # A cold start is made of many small programs.
    jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.1)
