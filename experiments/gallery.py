"""All that a model made, as a page: python experiments/gallery.py runs/trio16."""

from _run import run

if __name__ == '__main__':
    run('gallery')
