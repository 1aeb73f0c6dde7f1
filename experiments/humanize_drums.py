"""A rigid drum pattern, played: experiments/humanize_drums.py runs/groove2 in.mid out.mid.

Called otherwise than its command, as orbax imports a package `humanize`.
"""

from _run import run

if __name__ == '__main__':
    run('humanize')
