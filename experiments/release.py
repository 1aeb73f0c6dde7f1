"""Packs a model: python experiments/release.py runs/a --name a --about ... --hardware ..."""

from _run import run

if __name__ == '__main__':
    run('release')
