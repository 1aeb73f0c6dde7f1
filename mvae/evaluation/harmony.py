"""How well what a model plays fits the chords that it is told.

The share of its notes, by where they begin, whose pitch class is one of the chord's triad. The
chords are right, or those of other music, or not told. Music itself has the value to reach, and
music under the chords of other music the one of chance.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mvae.dataset.loader import Loader
from mvae.dataset.store import Store
from mvae.evaluation.statistics import share_interval
from mvae.music.chords import ChordCodec
from mvae.music.form import Form
from mvae.music.symbols import NO_CHORD, QUALITIES, TRIADS
from mvae.musicvae import MusicVAE

_AT_ONCE = 256
# Which music, and of which chords its notes are judged by: those told, or the music's own.
ROWS = (
    'music under its chords',
    'music under chords of other music',
    'copies, told the right chords',
    'copies told other chords, by these',
    'copies told other chords, by the right ones',
    'copies told no chords, by the right ones',
    'new pieces, told chords of music',
)


def evaluate_harmony(
    model: MusicVAE, store: Store, split: str = 'test', limit: int | None = None, seed: int = 0
) -> dict[str, Any]:
    """Greedy copies and new pieces of the usual prior under chords, {} for models told none.

    Returns {part: {row of ROWS: {share, interval (95%, bootstrap over songs)}}} of the parts that
    transposition moves. Chords of other music are those of windows of another song, as far as the
    split has one.
    """
    places = [
        n for n, told in enumerate(model.form.conditions) if isinstance(told.codec, ChordCodec)
    ]
    if not places:
        return {}
    loader = Loader(store, model.form, None, seed)
    _, song = np.unique(loader.evaluation_songs(split, limit), return_inverse=True)
    parts = [n for n, stream in enumerate(model.form.streams) if stream.tonal]
    counts = np.zeros((song.max() + 1, len(parts), len(ROWS), 2))
    done = 0
    for tokens in loader.evaluation_pieces(split, _AT_ONCE, limit):
        of = song[done : done + len(tokens)]
        for r, (pieces, chords) in enumerate(
            _rows(model, tokens, _others(of), places[0], seed + done)
        ):
            for k, n in enumerate(parts):
                own = _in_chord(pieces, chords, model.form, n)
                np.add.at(counts[:, k, r], of, own)
        done += len(tokens)
    return {
        model.form.streams[n].name: {
            row: _share(counts[:, k, r], seed) for r, row in enumerate(ROWS)
        }
        for k, n in enumerate(parts)
    }


def _others(songs: np.ndarray) -> np.ndarray:
    """Of each window one of another song, [N], where there is one."""
    n = np.arange(len(songs))
    turned = (n[:, None] + len(n) // 2 + n) % len(n)  # [N, N]: all windows, in an order of its own
    return turned[n, (songs[turned] != songs[:, None]).argmax(1)]


def _rows(
    model: MusicVAE, tokens: np.ndarray, others: np.ndarray, place: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each of ROWS pieces [N, T, K], and the chords [N, T] by which they are judged."""
    told, wrong = model.told_of(tokens), model.told_of(tokens[others])
    chords = np.stack([model.form.told_by_step(piece)[place][:, 0] for piece in tokens])
    right, other = chords, chords[others]
    mu = model.posterior(tokens)[0]
    misled = model.decode_tokens(mu, told=wrong)
    yield tokens, right
    yield tokens, other
    yield model.decode_tokens(mu, told=told), right
    yield misled, other
    yield misled, right
    yield model.decode_tokens(mu), right
    yield model.sample_tokens(len(tokens), 0.0, seed, told=told)[0], right


def _in_chord(pieces: np.ndarray, chords: np.ndarray, form: Form, stream: int) -> np.ndarray:
    """Notes of each piece in the chord that holds where they begin, and under any: [N, 2]."""
    counts = np.zeros((len(pieces), 2))
    for row, (piece, own) in enumerate(zip(pieces, chords, strict=True)):
        for part, sound, notes in form.players(piece):
            if part is form.streams[stream] and not sound.is_drum:
                triad = own[notes.start]
                held = _TONES[triad, notes.pitch % 12] & (triad != NO_CHORD)
                counts[row] += held.sum(), (triad != NO_CHORD).sum()
    return counts


def _tones() -> np.ndarray:
    """Which pitch classes each triad has: bool [49, 12]."""
    tones = np.zeros((TRIADS, 12), bool)
    for triad in range(1, TRIADS):
        quality, root = divmod(triad - 1, 12)
        tones[triad, [(root + tone) % 12 for tone in QUALITIES[quality]]] = True
    return tones


_TONES = _tones()


def _share(sums: np.ndarray, seed: int) -> dict[str, Any]:
    """Of every song notes in the chord and notes, [S, 2]."""
    hits, counts = sums.T
    share = float(hits.sum() / counts.sum()) if counts.sum() else None
    return {'share': share, 'interval': share_interval(hits, counts, seed)}


def format_harmony(measured: dict[str, Any]) -> str:
    """What `evaluate_harmony` found, for people."""
    lines = ['notes in the chord where they begin']
    for part, rows in measured.items():
        for row, found in rows.items():
            share = '-' if found['share'] is None else f'{found["share"]:.3f}'
            low, high = found['interval'] or (None, None)
            sure = '' if low is None else f' ({low:.3f} to {high:.3f})'
            lines.append(f'  {part}: {row:<46}{share}{sure}')
    return '\n'.join(lines)
