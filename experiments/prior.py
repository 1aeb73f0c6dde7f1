"""Learn where new pieces of a model come from: python experiments/prior.py runs/trio16."""

from _run import run

if __name__ == '__main__':
    run('prior')
