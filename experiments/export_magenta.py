"""A model's weights under Magenta's names and shapes.

python experiments/export_magenta.py runs/mel2 --output mel2.npz
"""

from _run import run

if __name__ == '__main__':
    run('export')
