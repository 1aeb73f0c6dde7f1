"""A drum set of a tapped rhythm: experiments/tap.py runs/taps in.mid out.mid."""

from _run import run

if __name__ == '__main__':
    run('tap')
