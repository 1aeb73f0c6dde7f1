"""How well a model reconstructs: python experiments/evaluate.py runs/trio16."""

from _run import run

if __name__ == '__main__':
    run('eval')
