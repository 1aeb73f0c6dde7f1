"""A trained model, ready to play: notes in, notes out. `mvae.load(path)` gives one."""

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from mvae.checks import check_integer, check_qpm, check_seed, is_number
from mvae.drawing import draw
from mvae.errors import InputError
from mvae.model import interpolation, vae
from mvae.model.config import ModelConfig, model_config
from mvae.model.prior import Gaussian, Learned, Prior, noise, plans_of, standard
from mvae.model.types import Params
from mvae.music.form import Form
from mvae.music.forms import make_form
from mvae.music.midi import to_note_sequence
from mvae.music.notation import Notation
from mvae.music.sources import Source, read_source
from mvae.render.notebook import Pieces

if TYPE_CHECKING:
    from note_seq import NoteSequence

Told = Mapping[str, Any]  # by the name of a condition: columns, or what a user writes
Parts = tuple[np.ndarray, ...]
# Rows decoded at once, whatever is asked for: bounds memory and the number of compilations.
_CHUNK = 256
_DRAWS = 2**32 - 1  # folded into the seed for decoding: the rows of z fold in smaller numbers

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


def key_of(seed: int | jax.Array, chunk: int) -> jax.Array:
    """The key by which the rows of z of one chunk are decoded."""
    draws = jax.random.fold_in(jax.random.key(seed), np.uint32(_DRAWS))
    return jax.random.fold_in(draws, chunk)


def form_of(c: ConfigDict) -> Form:
    """What the model of a config reads and writes. Raises InputError for unknown forms."""
    return make_form(c.form, c.bars, Notation(**c.music))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MusicVAE:
    """Parameters with the form, the config and the prior that belong to them.

    The same arguments give the same bytes. A row of a result does not depend on how many others are
    asked for. Sources of music are paths of MIDI files, their bytes, or NoteSequences, of any
    length. The best tracks are taken, and padded or cropped to the window (`read` says what was
    done). What is made is a list of NoteSequences, which a notebook shows as piano rolls with
    players. Tokens are pieces of the form, int32 [B, T, K]. Everything raises InputError for what
    it cannot use.

    Attributes:
        params: float32 tree of `vae.init`. config: of the experiment.
        prior: the Gaussian of the codes of validation music, None where none was fitted.
        learned: the prior that was learned from codes of training music, None where none was.
        step: updates of training. metrics: of the validation split, {} where none were taken.
        versions: of the packages that trained it.
        attributes: vectors that came with a model file, by name, float32 [Z] each: a code and some
            times a vector is a code of more (or less) of that.
    """

    params: Params
    config: ConfigDict
    prior: Gaussian | None = None
    step: int = 0
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    learned: Learned | None = None
    attributes: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def form(self) -> Form:
        """What the model reads and writes."""
        return form_of(self.config)

    @functools.cached_property
    def architecture(self) -> ModelConfig:
        """Sizes and switches of the model."""
        return model_config(self.config, self.form)

    @property
    def latent_size(self) -> int:
        """Z."""
        return self.architecture.latent_size

    @functools.cached_property
    def parameters(self) -> int:
        """How many numbers were trained."""
        return sum(x.size for x in jax.tree.leaves(self.params))

    @functools.cached_property
    def _weights(self) -> Params:
        return _prepare(self.params, self.architecture)

    def __repr__(self) -> str:
        c = self.config
        trained = f'{self.parameters:,} parameters, {self.step:,} updates on {c.data.path}'
        return f'<MusicVAE {c.experiment}: {self.form}, {c.variant}, {trained}>'

    # Tokens: int32 [B, T, K].

    def encode_tokens(self, tokens: np.ndarray, seed: int = 0) -> Encoding:
        """Tokens int [B, T, K]; z = mu + sigma * noise of the seed."""
        mu, sigma = self.posterior(tokens)
        rows = noise(len(tokens), self.latent_size, check_seed(seed))
        return Encoding(mu, sigma, mu + sigma * rows)

    def posterior(self, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tokens int [B, T, K] -> mu and sigma, float32 [B, Z] each."""
        if 'encoder' not in self.params:
            raise InputError(
                'this model is a decoder alone, imported without its encoder: '
                'it samples and decodes, but cannot encode'
            )
        tokens = self.form.check(tokens)
        parts = [
            _encode(self.params, self.architecture, *self._streams_and_told(_pad(part)))
            for _, part in _chunks(tokens)
        ]
        mu, sigma = (
            np.concatenate([np.asarray(part[n]) for part in parts])[: len(tokens)] for n in (0, 1)
        )
        return mu, sigma

    def _streams_and_told(self, tokens: np.ndarray) -> tuple[Parts, Parts]:
        return self.form.split(tokens), self.form.told(tokens)

    def decode_tokens(
        self, z: np.ndarray, temperature: float = 0.0, seed: int = 0, told: Told | None = None
    ) -> np.ndarray:
        """z float [B, Z] -> int32 [B, T, K]; temperature 0 is greedy and needs no seed.

        told: what the model is told, by name: `Form.tell`. Of a form with conditions they are
        columns of the pieces too. Bars of a stream that have the same code (model.bar_codes) are
        played as the first of them.
        """
        z = self._check_z(z)
        conditions = self._conditions(told or {}, len(z))
        if not (is_number(temperature) and math.isfinite(temperature) and temperature >= 0):
            raise InputError(f'the temperature is 0 (greedy) or above, not {temperature}')
        seed, parts = check_seed(seed), []
        for n, part in _chunks(z):
            own, heat = key_of(seed, n), jnp.float32(temperature)
            rows = slice(n * _CHUNK, n * _CHUNK + len(part))
            own_told = [_pad(columns[rows]) for columns in conditions]
            streams = _generate(self._weights, self.architecture, _pad(part), own, heat, own_told)
            parts.append(self.form.join(streams))
        played = self._held(z, np.concatenate(parts)[: len(z)], conditions)
        return self.form.join([played, *conditions])

    def _conditions(self, told: Told, count: int) -> list[np.ndarray]:
        """Of each condition its columns for so many pieces, int32 [B, T, C]."""
        found = []
        for columns in self.form.tell(told):
            if columns.ndim > 2 and columns.shape[0] != count:
                raise InputError(f'told are {columns.shape[0]} pieces, but there are {count} codes')
            found.append(np.broadcast_to(columns, (count, *columns.shape[-2:])))
        return found

    def _held(
        self, z: np.ndarray, tokens: np.ndarray, conditions: Sequence[np.ndarray]
    ) -> np.ndarray:
        """Streams [B, T, K] in which what has the same code in z [B, Z] is the same.

        Bars of which the model is told other things are not the same.
        """
        cfg, bars = self.architecture, self.form.segments
        if cfg.codes == 1:
            return tokens
        codes = z.reshape(len(z), bars, cfg.parts, -1)
        if conditions:
            told = self.form.join(conditions).reshape(len(z), bars, 1, -1)
            told = np.broadcast_to(told, (*codes.shape[:3], told.shape[-1]))
            codes = np.concatenate([codes, told.astype(codes.dtype)], -1)
        first = plans_of(codes).astype(int)
        columns = np.repeat(np.arange(cfg.parts), [len(sizes) for _, sizes in self.form.layout])
        by_bar = tokens.reshape(len(z), bars, -1, tokens.shape[-1])
        return np.take_along_axis(by_bar, first[:, :, None, columns], 1).reshape(tokens.shape)

    def reconstruct_tokens(
        self, tokens: np.ndarray, temperature: float = 0.0, seed: int = 0
    ) -> np.ndarray:
        """Tokens int [B, T, K] decoded from mu, told what they say: int32 [B, T, K]."""
        told = self.told_of(np.asarray(tokens))
        return self.decode_tokens(self.encode_tokens(tokens).mu, temperature, seed, told)

    @property
    def priors(self) -> dict[str, Prior]:
        """What z of new music can be drawn from, the usual one first.

        'learned' from codes of music, which knows form, and 'fitted', their Gaussian, where
        training left them, and 'standard', N(0, I).
        """
        ours = {'learned': self.learned, 'fitted': self.prior}
        kept: dict[str, Prior] = {name: prior for name, prior in ours.items() if prior}
        return kept | {'standard': standard(self.latent_size)}

    @property
    def usual_prior(self) -> str:
        """The first of `priors`, from which pieces come where none is named."""
        return next(iter(self.priors))

    def sample_tokens(
        self,
        n: int,
        temperature: float | None = None,
        seed: int = 0,
        prior: str | None = None,
        sections: str | None = None,
        told: Told | None = None,
        key: str | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """n new pieces: tokens int32 [n, T, K], and their z float32 [n, Z].

        temperature: that of the prior where None: 0 of the learned one, 1 of the others. prior: one
        of `priors`, the usual one where None. sections: such as 'AABA', of which the same letter is
        the same music; by the learned prior of a model with a code for each bar. told: see
        `decode_tokens`. key: such as 'A minor', of a learned prior that was told pitch classes;
        where None that of the chords that are told, else any.
        """
        n, prior = check_integer('a number of pieces', n, 1), prior or self.usual_prior
        if prior not in self.priors:
            raise InputError(
                f'this model has no prior {prior!r}, but {" and ".join(self.priors)}; '
                'training leaves a fitted one at every evaluation and a learned one at its end'
            )
        asked = sections, key, self._conditions(told or {}, n)
        z = draw(prior, self.priors[prior], self.form, n, check_seed(seed), *asked)
        heat = self.priors[prior].temperature if temperature is None else temperature
        return self.decode_tokens(z, heat, seed, told), z

    # Notes.

    def read(self, source: Source) -> tuple[np.ndarray, str]:
        """One source as tokens int32 [T, K], and in a few words what was taken or cropped."""
        return read_source(source, self.form.read)

    def read_all(self, source: Source) -> np.ndarray:
        """All of a source as windows that follow each other: tokens int32 [W, T, K].

        The last is padded, silent ones are left out.
        """
        return read_source(source, self.form.read_all)

    def write(self, tokens: np.ndarray, qpm: float = 120.0) -> 'NoteSequence':
        """Tokens int [T, K] as a NoteSequence at qpm quarters per minute."""
        check_qpm(qpm)
        symbols = self.form.timed_symbols(tokens, qpm)
        return to_note_sequence(self.form.write(tokens, qpm), qpm, self.form.meter, symbols)

    def sample(
        self,
        n: int,
        temperature: float | None = None,
        seed: int = 0,
        qpm: float = 120.0,
        prior: str | None = None,
        sections: str | None = None,
        told: Told | None = None,
        key: str | None = None,
    ) -> Pieces:
        """n new pieces as a list of NoteSequences: see `sample_tokens`."""
        pieces, _ = self.sample_tokens(n, temperature, seed, prior, sections, told, key)
        return Pieces(self.write(tokens, qpm) for tokens in pieces)

    def encode(self, sources: Source | Sequence[Source], seed: int = 0) -> Encoding:
        """One source or B of them -> mu, sigma, z [B, Z]."""
        windows = [self.read(source)[0] for source in _as_list(sources)]
        return self.encode_tokens(np.stack(windows), seed)

    def decode(
        self,
        z: np.ndarray,
        temperature: float = 0.0,
        seed: int = 0,
        qpm: float = 120.0,
        told: Told | None = None,
    ) -> Pieces:
        """z float [B, Z] -> B pieces; told: see `decode_tokens`."""
        tokens = self.decode_tokens(z, temperature, seed, told)
        return Pieces(self.write(piece, qpm) for piece in tokens)

    def reconstruct(
        self,
        sources: Source | Sequence[Source],
        temperature: float = 0.0,
        seed: int = 0,
        qpm: float = 120.0,
    ) -> Pieces:
        """What the model makes of music: decoded from mu, told what it was told of the music."""
        windows = np.stack([self.read(source)[0] for source in _as_list(sources)])
        tokens = self.reconstruct_tokens(windows, temperature, seed)
        return Pieces(self.write(piece, qpm) for piece in tokens)

    def interpolate(
        self,
        a: Source,
        b: Source,
        n: int,
        temperature: float = 0.0,
        seed: int = 0,
        qpm: float = 120.0,
        told: Told | None = None,
    ) -> Pieces:
        """n pieces on the spherical path between the mu of two sources, both ends included.

        told: see `decode_tokens`; what each piece is told is that of the nearer end where None.
        """
        n = check_integer('a number of steps from one piece to another', n, 2)
        windows = np.stack([self.read(source)[0] for source in (a, b)])
        mu = self.posterior(windows)[0]
        nearer = windows[np.arange(n) * 2 // n]
        told = self.told_of(nearer) if told is None else told
        return self.decode(interpolation.path(mu[0], mu[1], n), temperature, seed, qpm, told)

    def told_of(self, tokens: np.ndarray) -> Told:
        """What a model is told of pieces int [..., T, K], by name: `decode_tokens` takes it."""
        pairs = zip(self.form.conditions, self.form.told(tokens), strict=True)
        return {condition.name: columns for condition, columns in pairs}

    def _check_z(self, z: Any) -> np.ndarray:
        try:
            z = np.asarray(z, np.float32)
        except (TypeError, ValueError):
            raise InputError(f'z is an array of numbers, not {type(z).__name__}') from None
        if z.ndim != 2 or z.shape[1] != self.latent_size or not len(z) or not np.isfinite(z).all():
            raise InputError(
                f'z is finite and of shape [B, {self.latent_size}] with B at least 1, '
                f'this is {list(z.shape)}'
            )
        return z


def _as_list(sources: Any) -> list[Any]:
    sources = list(sources) if isinstance(sources, list | tuple) else [sources]
    if not sources:
        raise InputError('there is no music to encode: the list is empty')
    return sources


def _chunks(rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for n, start in enumerate(range(0, len(rows), _CHUNK)):
        yield n, rows[start : start + _CHUNK]


def _pad(rows: np.ndarray) -> np.ndarray:
    """Rows up to the next power of two, so that few sizes are compiled.

    A row's result does not depend on its neighbours.
    """
    size = 1 << (len(rows) - 1).bit_length()
    return np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), 0)])
