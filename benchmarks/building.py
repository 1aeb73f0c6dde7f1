"""Building a store in one process, beside reading and parsing the same files and nothing else.

Argument: a folder of MIDI. Prints JSON.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import symusic

from mvae.dataset.scan import find_midi

BUILD = Path(__file__).parents[1] / 'data' / 'build.py'


def parse(folder: Path) -> tuple[int, float]:
    """Files, and seconds of reading and parsing them in one thread.

    Those that are no MIDI are read too.
    """
    files = find_midi(folder)
    start = time.perf_counter()
    for file in files:
        try:
            symusic.Score.from_midi((folder / file.path).read_bytes())
        except (RuntimeError, ValueError):
            pass
    return len(files), time.perf_counter() - start


def build(folder: Path) -> float:
    """Seconds of the whole program with one worker, from its start to a store on disk."""
    with tempfile.TemporaryDirectory() as out:
        arguments = ['--midi', folder, '--out', Path(out) / 'store', '--workers', '1']
        command = [sys.executable, BUILD, *arguments]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - start


if __name__ == '__main__':
    midi = Path(sys.argv[1])
    count, floor = parse(midi)
    print(json.dumps({'files': count, 'seconds': build(midi), 'floor': floor}))
