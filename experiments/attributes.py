"""Attribute vectors: python experiments/attributes.py fit runs/mel2 (then apply, measure)."""

from _run import run

if __name__ == '__main__':
    run('attributes')
