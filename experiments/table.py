"""Trained models side by side: python experiments/table.py --runs runs/a runs/b."""

from _run import run

if __name__ == '__main__':
    run('table')
