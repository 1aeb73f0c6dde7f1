"""Infers the key and the chords of a melody, one chord for each half bar.

The chords are the best path (Viterbi) through the triads of the key. A chord explains the half bar
by the notes that it holds, weighed by length and metrical weight. Changing the chord has a price, a
higher one in the middle of a bar. This is the usual hidden-Markov harmoniser with hand-set weights
in place of trained ones.
"""

import dataclasses

import numpy as np

from mvae.music.harmony import best_path

HALF_BAR = 8
"""Sixteenth steps for each chord."""
MAJOR, MINOR = (0, 4, 7), (0, 3, 7)

_Chord = tuple[int, tuple[int, int, int], float]
# Mode -> (its tonic above that of the major key with the same signature, in semitones; chords:
# (root above the tonic in semitones, triad, price)).
_MODES: dict[str, tuple[int, tuple[_Chord, ...]]] = {
    'ionian': (0, (
        (0, MAJOR, 0.0), (7, MAJOR, 0.05), (5, MAJOR, 0.05),
        (9, MINOR, 0.15), (2, MINOR, 0.2), (4, MINOR, 0.35),
    )),
    'mixolydian': (7, (
        (0, MAJOR, 0.0), (10, MAJOR, 0.05), (5, MAJOR, 0.1),
        (7, MINOR, 0.2), (2, MINOR, 0.3), (9, MINOR, 0.3),
    )),
    'dorian': (2, (
        (0, MINOR, 0.0), (10, MAJOR, 0.05), (5, MAJOR, 0.15),
        (7, MINOR, 0.15), (3, MAJOR, 0.2), (2, MINOR, 0.4),
    )),
    'aeolian': (9, (
        (0, MINOR, 0.0), (10, MAJOR, 0.1), (7, MAJOR, 0.2), (5, MINOR, 0.15),
        (3, MAJOR, 0.15), (8, MAJOR, 0.2), (7, MINOR, 0.25),
    )),
}  # fmt: skip
_WRITTEN = {'major': 'ionian', 'minor': 'aeolian'}
_CHANGE_AT_BAR, _CHANGE_INSIDE = 0.12, 0.3  # prices of a new chord
_CADENCE = 0.1  # what a step down a fifth (V-I, II-V) is worth
_HOME = 0.3  # what beginning and ending on the tonic is worth


@dataclasses.dataclass(frozen=True)
class Harmony:
    """The key of a melody and its chords.

    tonic: pitch class.
    mode: 'ionian', 'mixolydian', 'dorian' or 'aeolian'.
    root: int8 [2 * bars], the pitch class of each half bar's chord.
    minor: bool [2 * bars], whether its triad is minor.
    """

    tonic: int
    mode: str
    root: np.ndarray
    minor: np.ndarray

    def chord(self, step: int) -> tuple[int, tuple[int, int, int]]:
        """(root pitch class, triad above it in semitones) at a sixteenth step.

        The first chord holds before the melody, the last one after it.
        """
        half = min(max(step // HALF_BAR, 0), len(self.root) - 1)
        return int(self.root[half]), MINOR if self.minor[half] else MAJOR

    def scale(self) -> frozenset[int]:
        """Pitch classes of the key."""
        above = _MODES[self.mode][0]
        return frozenset((self.tonic - above + degree) % 12 for degree in (0, 2, 4, 5, 7, 9, 11))


def infer(
    start: np.ndarray,
    end: np.ndarray,
    pitch: np.ndarray,
    bars: int,
    sharps: int = 0,
    mode: str = 'major',
) -> Harmony:
    """Chords for a melody of `bars` bars.

    start, end: int [N] sixteenth steps; pitch: int [N] MIDI; sharps, mode: the key as written. The
    mode is a hint only: many tunes of these books are printed as major and end elsewhere.
    """
    weights = _weights(start, end, pitch, bars)
    last = int(pitch[-1]) % 12 if len(pitch) else None
    tonic, mode = _key(weights.sum(0), last, sharps, mode)
    chords = _MODES[mode][1]
    roots = (tonic + np.array([degree for degree, _, _ in chords])) % 12
    triads = [triad for _, triad, _ in chords]
    prices = np.array([price for _, _, price in chords])
    holds = np.full((len(roots), 12), -0.5)  # [chord, pitch class]: what a note says about a chord
    for row, root, triad in zip(holds, roots, triads, strict=True):
        row[[(root + tone) % 12 for tone in triad]] = 1.0
        row[root] = 1.2
    share = weights / np.maximum(weights.sum(1, keepdims=True), 1)
    path = _viterbi(share @ holds.T - prices, roots, home=0)
    minor = np.array([triads[chord] == MINOR for chord in path])
    return Harmony(tonic, mode, roots[path].astype(np.int8), minor)


def _weights(start: np.ndarray, end: np.ndarray, pitch: np.ndarray, bars: int) -> np.ndarray:
    """Weight of each pitch class in each half bar, float [2 * bars, 12].

    It counts the steps of sounding, and more on strong beats.
    """
    steps = np.arange(bars * 2 * HALF_BAR)
    note = np.searchsorted(start, steps, side='right') - 1
    sounds = note >= 0
    note = np.maximum(note, 0)
    sounds &= steps < end[note]
    onset = sounds & (start[note] == steps)
    accent = 1.0 + onset * np.where(steps % HALF_BAR == 0, 1.5, np.where(steps % 4 == 0, 0.8, 0.0))
    weights = np.zeros((2 * bars, 12))
    np.add.at(weights, (steps[sounds] // HALF_BAR, pitch[note[sounds]] % 12), accent[sounds])
    return weights


def _key(histogram: np.ndarray, last: int | None, sharps: int, written: str) -> tuple[int, str]:
    """(tonic, mode): the mode of the key signature that fits best.

    It is judged by its tonic triad, the last note and the mode's name as written.
    """
    share = histogram / max(histogram.sum(), 1)

    def tonic_of(mode: str) -> int:
        return (7 * sharps + _MODES[mode][0]) % 12

    def score(mode: str) -> float:
        tonic, (_, third, fifth) = tonic_of(mode), _MODES[mode][1][0][1]
        triad = share[tonic] + 0.5 * share[(tonic + third) % 12] + 0.6 * share[(tonic + fifth) % 12]
        named = mode == _WRITTEN.get(written, written)
        return float(triad + 0.25 * (last == tonic) + 0.2 * named)

    best = max(_MODES, key=score)
    return tonic_of(best), best


def _viterbi(fit: np.ndarray, roots: np.ndarray, home: int) -> np.ndarray:
    """Best chord for each half bar, int [half bars]. fit: [half bars, chords]."""
    count, chords = fit.shape
    different = 1.0 - np.eye(chords)
    falls = (roots[:, None] - roots[None, :]) % 12 == 7
    gain = (
        _CADENCE * falls - different * _CHANGE_AT_BAR,
        _CADENCE * falls - different * _CHANGE_INSIDE,
    )

    def advance(half: int, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        through = score[:, None] + gain[half % 2]
        return through.max(0) + fit[half], through.argmax(0)

    at_home = _HOME * (np.arange(chords) == home)
    return best_path(fit[0] + at_home, advance, count, at_home)
