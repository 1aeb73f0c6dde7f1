"""A trained model, ready to play: notes in, notes out. `mvae.load(path)` makes one."""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvae.errors import InputError
from mvae.latent import interpolation
from mvae.model import vae
from mvae.model.prior import Prior, draw, noise, standard
from mvae.music import codec
from mvae.music.midi import from_note_sequence, read_midi, to_note_sequence
from mvae.music.pick import pick, pick_all
from mvae.music.reasons import Rejected
from mvae.music.vocabulary import Vocabulary
from mvae.training.saved import Saved, read_run

if TYPE_CHECKING:
    from note_seq import NoteSequence

    Source = str | Path | bytes | NoteSequence

_CHUNK = (
    256  # rows decoded at once, whatever is asked for: bounds memory and the number of compilations
)

_encode = functools.partial(jax.jit, static_argnums=1)(vae.encode)


_prepare = functools.partial(jax.jit, static_argnums=1)(vae.prepare)
_generate = functools.partial(jax.jit, static_argnums=1)(vae.generate_prepared)


class Encoding(NamedTuple):
    """The posterior of B windows and a draw from it, float32 [B, Z] each.

    mu is the code to work with; sigma says how sure the encoder is.
    """

    mu: np.ndarray
    sigma: np.ndarray
    z: np.ndarray


class MusicVAE:
    """A model with its vocabulary.

    The same arguments give the same bytes; a row of a result does not depend on how many others are
    asked for.

    Sources of music are paths of MIDI files, their bytes, or NoteSequences, of any length: the
    tracks that serve best are picked, and padded or cropped to the model's window (`read` says what
    was done). Everything raises InputError for what it cannot use.
    """

    def __init__(self, saved: Saved):
        self.saved = saved

    @functools.cached_property
    def _weights(self) -> dict:
        return _prepare(self.saved.params, self.saved.model)

    @property
    def kind(self) -> str:
        return self.saved.config.kind

    @property
    def bars(self) -> int:
        return self.saved.config.bars

    @property
    def latent_size(self) -> int:
        return self.saved.model.latent_size

    @property
    def vocabulary(self) -> Vocabulary:
        return self.saved.vocabulary

    # Tokens: int32 [B, T, K].

    def encode_tokens(self, tokens: np.ndarray, seed: int = 0) -> Encoding:
        """tokens int [B, T, K]; z = mu + sigma * noise of the seed."""
        if 'encoder' not in self.saved.params:
            raise InputError(
                'this model is a decoder alone, imported without its encoder: it samples and decodes, but cannot encode'
            )
        tokens = self._check_tokens(tokens)
        parts = [
            _encode(self.saved.params, self.saved.model, _pad(part)) for _, part in _chunks(tokens)
        ]
        mu, sigma = (
            np.concatenate([np.asarray(x[n]) for x in parts])[: len(tokens)] for n in (0, 1)
        )
        return Encoding(
            mu, sigma, mu + sigma * noise(len(tokens), self.latent_size, _check_seed(seed))
        )

    def decode_tokens(self, z: np.ndarray, temperature: float = 0.0, seed: int = 0) -> np.ndarray:
        """z float [B, Z] -> int32 [B, T, K]; temperature 0 is greedy and needs no seed."""
        z = np.asarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.latent_size or not len(z) or not np.isfinite(z).all():
            raise InputError(
                f'z is finite and of shape [B, {self.latent_size}] with B at least 1, this is {list(z.shape)}'
            )
        if not (math.isfinite(temperature) and temperature >= 0):
            raise InputError(f'the temperature is 0 (greedy) or above, not {temperature}')
        key = jax.random.key(_check_seed(seed))
        parts = [
            _generate(
                self._weights,
                self.saved.model,
                _pad(part),
                jax.random.fold_in(key, n),
                jnp.float32(temperature),
            )
            for n, part in _chunks(z)
        ]
        return np.concatenate([np.asarray(part) for part in parts])[: len(z)]

    @property
    def priors(self) -> dict[str, Prior]:
        """What z of new music can be drawn from, the usual one first: 'fitted' to codes of music,
        where training left it, and 'standard', N(0, I).
        """
        fitted = {'fitted': self.saved.prior} if self.saved.prior else {}
        return fitted | {'standard': standard(self.latent_size)}

    @property
    def usual_prior(self) -> str:
        """The first of `priors`, from which pieces come where none is named."""
        return next(iter(self.priors))

    def sample_tokens(
        self, n: int, temperature: float = 1.0, seed: int = 0, prior: str | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """n new pieces: tokens int32 [n, T, K], and their z float32 [n, Z] of a prior of `priors`,
        by default the usual one.
        """
        if n < 1:
            raise InputError(f'at least 1 piece can be sampled, not {n}')
        prior = prior or self.usual_prior
        if prior not in self.priors:
            raise InputError(
                f'this model has no prior {prior!r}, but {" and ".join(self.priors)}; training leaves a fitted one at every evaluation'
            )
        z = draw(self.priors[prior], n, _check_seed(seed))
        return self.decode_tokens(z, temperature, seed), z

    # Notes.

    def read(self, source: 'Source') -> tuple[np.ndarray, str]:
        """One source as tokens int32 [T, K], and in a few words what was picked, padded or cropped."""
        return self._read(source, pick)

    def read_all(self, source: 'Source') -> np.ndarray:
        """All of a source as windows that follow each other: tokens int32 [W, T, K]; the last is
        padded, silent ones are left out.
        """
        return self._read(source, pick_all)

    def _read(self, source: 'Source', pick_from: Callable) -> Any:
        name = str(source) if isinstance(source, str | Path) else 'the music'
        try:
            if isinstance(source, str | Path):
                source = Path(source).read_bytes()
            score = read_midi(source) if isinstance(source, bytes) else from_note_sequence(source)
            return pick_from(score, self.kind, self.bars, self.vocabulary)
        except OSError as error:
            raise InputError(f'cannot read {name}: {error.strerror}') from None
        except Rejected as rejected:
            raise InputError(f'{name}: {rejected}') from None

    def write(self, tokens: np.ndarray, qpm: float = 120.0) -> 'NoteSequence':
        """Tokens int [T, K] as a NoteSequence at qpm quarters per minute."""
        check_qpm(qpm)
        return to_note_sequence(codec.decode(tokens, self.kind, self.vocabulary, qpm), qpm)

    def sample(
        self,
        n: int,
        temperature: float = 1.0,
        seed: int = 0,
        qpm: float = 120.0,
        prior: str | None = None,
    ) -> list['NoteSequence']:
        """n new pieces, of a prior of `priors`, by default the usual one."""
        return [
            self.write(tokens, qpm) for tokens in self.sample_tokens(n, temperature, seed, prior)[0]
        ]

    def encode(self, sources: 'Source | Sequence[Source]', seed: int = 0) -> Encoding:
        """One source or B of them -> mu, sigma, z [B, Z]."""
        return self.encode_tokens(
            np.stack([self.read(source)[0] for source in _as_list(sources)]), seed
        )

    def decode(
        self, z: np.ndarray, temperature: float = 0.0, seed: int = 0, qpm: float = 120.0
    ) -> list['NoteSequence']:
        """z float [B, Z] -> B pieces."""
        return [self.write(tokens, qpm) for tokens in self.decode_tokens(z, temperature, seed)]

    def reconstruct(
        self,
        sources: 'Source | Sequence[Source]',
        temperature: float = 0.0,
        seed: int = 0,
        qpm: float = 120.0,
    ) -> list['NoteSequence']:
        """What the model makes of music: decoded from mu."""
        return self.decode(self.encode(sources).mu, temperature, seed, qpm)

    def interpolate(
        self,
        a: 'Source',
        b: 'Source',
        n: int,
        temperature: float = 0.0,
        seed: int = 0,
        qpm: float = 120.0,
    ) -> list['NoteSequence']:
        """n pieces on the spherical path between the mu of two sources, both ends included."""
        if n < 2:
            raise InputError(f'an interpolation has at least 2 steps, not {n}')
        mu = self.encode([a, b]).mu
        return self.decode(interpolation.path(mu[0], mu[1], n), temperature, seed, qpm)

    def _check_tokens(self, tokens: Any) -> np.ndarray:
        tokens, sizes = np.asarray(tokens), self.saved.model.vocab_sizes
        shape = (self.saved.model.total_steps, len(sizes))
        if (
            tokens.ndim != 3
            or tokens.shape[1:] != shape
            or not len(tokens)
            or tokens.dtype.kind not in 'iu'
        ):
            raise InputError(
                f'tokens are integers of shape [B, {shape[0]}, {shape[1]}], these are {tokens.dtype} {list(tokens.shape)}'
            )
        for k, size in enumerate(sizes):
            low, high = tokens[..., k].min(), tokens[..., k].max()
            if low < 0 or high >= size:
                raise InputError(
                    f'tokens of stream {k} lie in 0..{size - 1}, these in {low}..{high}'
                )
        return tokens.astype(np.int32)


def load(path: str | Path, which: str | int = 'best') -> MusicVAE:
    """The model of a run folder (or of one checkpoint in it).

    which: 'best' by validation loss, 'latest', or a step.
    """
    return MusicVAE(read_run(path, which))


def check_qpm(qpm: float) -> None:
    """Raises InputError for what is no tempo in quarters per minute."""
    if not (math.isfinite(qpm) and 1 <= qpm <= 1000):
        raise InputError(f'the tempo lies in 1..1000 quarters per minute, not at {qpm}')


def _as_list(sources) -> list:
    sources = list(sources) if isinstance(sources, list | tuple) else [sources]
    if not sources:
        raise InputError('there is no music to encode: the list is empty')
    return sources


def _check_seed(seed: int) -> int:
    if not 0 <= seed < 2**32:
        raise InputError(f'a seed lies in 0..{2**32 - 1}, not at {seed}')
    return seed


def _chunks(rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for n, start in enumerate(range(0, len(rows), _CHUNK)):
        yield n, rows[start : start + _CHUNK]


def _pad(rows: np.ndarray) -> np.ndarray:
    """Rows up to the next power of two, so that few sizes are compiled; a row's result does not
    depend on its neighbours.
    """
    size = 1 << (len(rows) - 1).bit_length()
    return np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), 0)])
