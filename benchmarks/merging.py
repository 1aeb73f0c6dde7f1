"""Peak memory of a merge: parts with N windows, made up, become a store.

    PYTHONPATH=. python benchmarks/merging.py 20000000

Each file has 100 melody windows of 2 bars, some of which stand in other files too. Prints JSON.
What the files need (titles, digests, reasons) is `files_mib`: the peak with a window for each.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

WINDOWS_PER_FILE, FILES_PER_PART = 100, 64
FORM = 'melody', 2
_BAR = 16
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, so that other numbers give other hashes

_MERGE = """
import json, resource, sys, time
from pathlib import Path
from mvae.dataset import merge
from mvae.dataset.corpus import find_links, read_corpus
from mvae.dataset.local import Local
folder, form = Path(sys.argv[1]), ('melody', 2)
parts = sorted(folder.glob('part-*.npz'))
paths = json.loads((folder / 'paths.json').read_text())
meta = {'notation': {}, 'forms': {form[0]: {}}}
(folder / 'store').mkdir()
start = time.perf_counter()
links = find_links(parts, [form], folder)
corpus = read_corpus(paths, parts, {}, (0.8, 0.1, 0.1), links)
about = merge.merge(folder / 'store', corpus, parts, [form], meta, Local(), folder)
print(json.dumps({
    'files': len(paths),
    'found': about['funnel']['forms']['melody-2']['found'],
    'kept': sum(about['windows']['melody-2'].values()),
    'seconds': time.perf_counter() - start,
    'mib': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def make_parts(folder: Path, files: int, windows: int) -> None:
    """Parts of so many files with so many windows each, whose hashes run from random places."""
    rng, paths = np.random.default_rng(0), []
    length = (WINDOWS_PER_FILE + 1) * _BAR
    for number, first in enumerate(range(0, files, FILES_PER_PART)):
        count = min(FILES_PER_PART, files - first)
        paths += [f'melody of {n}.mid' for n in range(first, first + count)]
        info = [
            {
                'digest': rng.bytes(32).hex(),
                'title': '',
                'single_track': False,
                'reason': '',
                'detail': '',
                'rejections': [],
                'chosen': [],
            }
            for _ in range(count)
        ]
        place = rng.integers(0, 2 * files * WINDOWS_PER_FILE, (count, 1))
        contents = (place + np.arange(windows)).astype(np.uint64)
        np.savez(
            folder / f'part-{number:06d}.npz',
            info=np.frombuffer(json.dumps(info).encode(), np.uint8),
            lengths=np.full(count, length),
            tokens=np.zeros(count * length, np.uint16),
            **{
                'windows-melody-2': np.tile(np.arange(windows) * _BAR, count)[:, None],
                'hashes-melody-2': (contents * _MIX).ravel(),
                'files-melody-2': np.repeat(np.arange(count, dtype=np.int32), windows),
            },
        )
    (folder / 'paths.json').write_text(json.dumps(paths))


def merge(files: int, windows: int) -> dict:
    """What a new process says that merges such parts: seconds, and the peak of its memory."""
    with tempfile.TemporaryDirectory() as folder:
        make_parts(Path(folder), files, windows)
        command = [sys.executable, '-c', _MERGE, folder]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


if __name__ == '__main__':
    count = int(sys.argv[1]) // WINDOWS_PER_FILE
    whole = merge(count, WINDOWS_PER_FILE)
    print(json.dumps(whole | {'files_mib': merge(count, 1)['mib']}))
