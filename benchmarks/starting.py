"""Starting: imports, and from a cold process to MIDI on disk. Prints JSON."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_MAKE = """
import sys
import jax
from pathlib import Path
from mvae.commands import experiments
from mvae.model import vae
from mvae.model.config import model_config
from mvae.musicvae import form_of
from mvae.runs.checkpoint import Checkpoints
c = experiments.load('trio16', 'hierdec', 'small')
params = vae.init(jax.random.key(0), model_config(c, form_of(c)))
Checkpoints(Path(sys.argv[1]), c, '').save_params(params, 0)
"""


def seconds(*command: str | Path, **environment: str) -> float:
    """How long a command takes, with these variables in its environment."""
    environment = {**os.environ, **environment}
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


def imports(repeats: int = 5) -> dict:
    """Medians of `import jax` and `import jax, mvae` in new processes, and of the differences.

    The two come in turn.
    """

    def importing(names: str) -> float:
        return seconds(sys.executable, '-c', f'import {names}')

    importing('jax, mvae')
    pairs = [(importing('jax'), importing('jax, mvae')) for _ in range(repeats)]
    jax_alone, both = zip(*pairs, strict=True)
    difference = statistics.median(b - a for a, b in pairs)
    return {
        'jax': statistics.median(jax_alone),
        'jax_and_mvae': statistics.median(both),
        'difference': difference,
    }


def cold_sample(repeats: int = 3) -> dict:
    """`sample.py` on a small trio16 from the start of the process to MIDI on disk.

    It runs with an empty compilation cache, then with a warm one. The weights are new ones: how
    long it takes does not depend on them.
    """
    with tempfile.TemporaryDirectory() as folder:
        run, cache = Path(folder) / 'run', str(Path(folder) / 'cache')
        subprocess.run([sys.executable, '-c', _MAKE, run], check=True)
        command = [sys.executable, '-m', 'mvae', 'sample', run, '--n', '4', '--no-wav']
        times = [seconds(*command, XDG_CACHE_HOME=cache) for _ in range(repeats + 1)]
    return {'empty_cache': times[0], 'warm_cache': statistics.median(times[1:])}


if __name__ == '__main__':
    print(json.dumps({'import': imports(), 'sample': cold_sample()}))
