"""Packs a model: python experiments/release.py runs/drum2 --name drum2 --about ... --hardware ..."""

from _run import run

if __name__ == '__main__':
    run('release')
