"""What lies between two pieces, measured.

python experiments/interpolation_study.py --runs flat=runs/a hierarchical=runs/b
"""

from _run import run

if __name__ == '__main__':
    run('interpolation-study')
