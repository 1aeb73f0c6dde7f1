"""Flat against hierarchical: python experiments/study.py --exp mel16 drum16 --data data/mine."""

from _run import run

if __name__ == '__main__':
    run('study')
