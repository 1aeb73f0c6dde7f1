"""A dataset from MIDI files: python data/build.py --midi ~/midi --out data/mine (or --demo)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / 'experiments'))
from _run import run

if __name__ == '__main__':
    run('data')
