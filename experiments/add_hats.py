"""Drums with a closed hi-hat added: experiments/add_hats.py runs/hats in.mid out.mid."""

from _run import run

if __name__ == '__main__':
    run('add-hats')
