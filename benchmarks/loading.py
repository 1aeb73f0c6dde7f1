"""Timed program: batches of a store, and opening one of 20 million windows.

Argument: the store. Prints JSON.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mvae.dataset.loader import Loader
from mvae.dataset.store import META_FILE, Store, songs_file, windows_file, write_header

BATCH, WINDOWS, PROCESSES = 512, 20_000_000, 64
FORM = 'trio', 16


def batches(store: Store, processes: int = 1, repeats: int = 50) -> dict:
    """Seconds of one process's share of a batch of 16-bar trios, and of copying as many bytes.

    It is transposed anew and made in one thread.
    """
    form = store.form(*FORM)
    loader = Loader(store, form, BATCH, 0, transpose=(-5, 6), process_count=processes)
    batch = np.concatenate(loader.batch(0).streams, -1)
    times, copies = [], []
    for step in range(1, repeats + 1):
        start = time.perf_counter()
        loader.batch(step)
        times.append(time.perf_counter() - start)
        start = time.perf_counter()
        batch.copy()
        copies.append(time.perf_counter() - start)
    return {
        'shape': list(batch.shape),
        'seconds': statistics.median(times),
        'floor': statistics.median(copies),
    }


def repeat(store: Store, folder: Path) -> None:
    """A store of the same tokens in which the 16-bar trios of train are 20 million.

    They are repeated until they are so many.
    """
    meta = json.loads(json.dumps(store.meta))
    meta['windows']['trio-16']['train'] = WINDOWS
    arrays = {
        windows_file(*FORM, 'train'): (3,),
        songs_file(*FORM, 'train'): (),
    }
    for file in store.path.iterdir():
        if file.name not in (META_FILE, *arrays):
            (folder / file.name).symlink_to(file.resolve())
    (folder / META_FILE).write_text(json.dumps(meta))
    for name, columns in arrays.items():
        rows = np.load(store.path / name)
        rows = np.resize(rows, (1_000_000, *columns))
        with (folder / name).open('wb') as file:
            write_header(file, (WINDOWS, *columns), rows.dtype)
            for _ in range(WINDOWS // len(rows)):
                rows.tofile(file)


_OPEN = """
import json, sys, time
from mvae.dataset.loader import Loader
from mvae.dataset.store import Store
def kib(name):
    with open('/proc/self/status') as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))
before = kib('RssAnon'), kib('RssFile')
start = time.perf_counter()
store = Store.open(sys.argv[1])
opened = time.perf_counter() - start
form = store.form('trio', 16)
loader = Loader(store, form, 512, 0, transpose=(-5, 6))
loader.batch(0)
seconds = time.perf_counter() - start
after = kib('RssAnon'), kib('RssFile')
print(json.dumps({
    'windows': store.count(form, 'train'),
    'open': opened,
    'first_batch': seconds,
    'kib': after[0] - before[0],
    'mapped_kib': after[1] - before[1],
}))
"""


def big_store(store: Store) -> dict:
    """Seconds and memory of opening a store of 20 million windows in a new process.

    first_batch: seconds until the first batch is there.
    """
    with tempfile.TemporaryDirectory() as folder:
        repeat(store, Path(folder))
        command = [sys.executable, '-c', _OPEN, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


if __name__ == '__main__':
    opened = Store.open(sys.argv[1])
    result = {'batch': batches(opened), 'share': batches(opened, PROCESSES)}
    print(json.dumps(result | {'big': big_store(opened)}))
