"""The listening test: python experiments/listen.py serve --runs flat=runs/a hier=runs/b."""

from _run import run

if __name__ == '__main__':
    run('listen')
