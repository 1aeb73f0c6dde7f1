"""New pieces by a model: python experiments/sample.py trio16 --n 4."""

from _run import run

if __name__ == '__main__':
    run('sample')
