"""How loud the parts of trios are, as ears weigh them: python benchmarks/loudness.py data/demo.

For test pieces of 16 bars it prints the A-weighted level of each part alone, in dB of full scale,
and for small loudspeakers the level of what lies above 350 Hz.
"""

import sys
from pathlib import Path

import numpy as np

from mvae.dataset.store import Store
from mvae.music.notes import Notes
from mvae.render.audio import synthesise
from mvae.render.synthesiser import SAMPLE_RATE

_POLES = 20.6, 107.7, 737.9, 12194.0  # Hz, of the A-weighting of IEC 61672


def a_weighting(frequency: np.ndarray) -> np.ndarray:
    """Gains at frequencies in Hz, 1 at 1000 Hz."""
    f2, (a, b, c, d) = np.asarray(frequency, float) ** 2, (pole**2 for pole in _POLES)
    gain = d * f2**2 / ((f2 + a) * np.sqrt((f2 + b) * (f2 + c)) * (f2 + d))
    return gain * 10 ** (2 / 20)


def levels(notes: Notes) -> tuple[float, float, float]:
    """Level as it is, A-weighted, and above 350 Hz, dB of full scale; both sides together."""
    sound = synthesise(notes) / 32768
    power = 2 * (np.abs(np.fft.rfft(sound, axis=0)) ** 2).mean(1) / len(sound) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    weights = np.ones(len(power)), a_weighting(frequency) ** 2, frequency > 350
    plain, weighted, small = (10 * np.log10(max((power * w).sum(), 1e-12)) for w in weights)
    return float(plain), float(weighted), float(small)


def main(folder: str, count: int = 12) -> None:
    store = Store.open(Path(folder))
    form = store.form('trio', 16)
    windows = store.windows(form, 'test')
    chosen = np.sort(np.random.default_rng(0).choice(len(windows), count, replace=False))
    rows = []
    for piece in store.gather(windows[chosen], form):
        notes = form.write(piece)
        parts = [notes.select(notes.track == stream.sound.track) for stream in form.streams]
        rows.append([levels(part) for part in parts])
    found = np.array(rows)  # [pieces, parts, kinds]
    spread = np.ptp(found[..., 1], axis=1)
    print(f'{count} pieces, dB: mean (and range) of each part; spread of its A-weighted levels')
    for n, stream in enumerate(form.streams):
        own = found[:, n].T
        kinds = zip(('plain', 'A', 'above 350 Hz'), own, strict=True)
        said = (f'{kind} {x.mean():.1f} ({x.min():.1f}..{x.max():.1f})' for kind, x in kinds)
        print(f'{stream.name}: {", ".join(said)}')
    print(f'spread: mean {spread.mean():.1f}, most {spread.max():.1f}')


if __name__ == '__main__':
    main(sys.argv[1])
