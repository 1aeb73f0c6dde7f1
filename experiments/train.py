"""Trains a model: python experiments/train.py --exp trio16."""

from _run import run

if __name__ == '__main__':
    run('train')
