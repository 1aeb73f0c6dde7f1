"""A checkpoint of Google's Magenta as a run folder.

python experiments/import_magenta.py --checkpoint cat-mel_2bar_big.tar --output runs/mel_2bar_big
"""

from _run import run

if __name__ == '__main__':
    run('import')
