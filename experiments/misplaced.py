"""Does a code say which bar is which? python experiments/misplaced.py runs/trio16."""

from _run import run

if __name__ == '__main__':
    run('misplaced')
