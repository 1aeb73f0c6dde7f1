"""From one piece to another: python experiments/interpolate.py mel2 --start A.mid --end B.mid."""

from _run import run

if __name__ == '__main__':
    run('interpolate')
