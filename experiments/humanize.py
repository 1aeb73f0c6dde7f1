"""A rigid drum pattern, played: experiments/humanize.py runs/groove2 in.mid out.mid."""

from _run import run

if __name__ == '__main__':
    run('humanize')
