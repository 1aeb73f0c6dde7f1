"""Models in the browser: python experiments/studio.py trio16."""

from _run import run

if __name__ == '__main__':
    run('studio')
