"""Drums to the rhythm of any track: experiments/drumify.py runs/taps in.mid out.mid."""

from _run import run

if __name__ == '__main__':
    run('drumify')
