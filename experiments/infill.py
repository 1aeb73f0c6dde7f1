"""Bars of a piece kept, the others drawn anew: experiments/infill.py trio16 a.mid --keep 1-8."""

from _run import run

if __name__ == '__main__':
    run('infill')
