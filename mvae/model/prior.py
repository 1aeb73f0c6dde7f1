"""Where z of new music is drawn from: N(0, I), a Gaussian of a model's codes, or what it learned.

The paper samples N(0, I), the prior of the objective. Training pulls codes of music towards it but
does not bring them there. They keep to fewer directions, and a decoder has seen nothing of the
others. The Gaussian with the codes' mean and covariance leaves these out (the aggregated posterior,
Hoffman & Johnson, 2016; fitted afterwards as in Ghosh et al., 2020). Form it does not know: bars
that come back, and how parts follow each other, are no matter of means and covariances. A network
that learned to draw codes does (`mvae.model.diffusion`).
"""

import dataclasses
import functools
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import jax
import numpy as np

from mvae.model import diffusion
from mvae.model.denoiser import DenoiserConfig, Outline
from mvae.model.types import Params

_NEAREST = 16  # plans, of which one is drawn where some codes are known
EQUAL = 1e-3  # distance of codes that are the same but for rounding
_CHUNK = 8  # pieces drawn at once, whatever is asked for: so that no row depends on their number


class Gaussian(NamedTuple):
    """A Gaussian over z: mean float32 [Z], covariance float32 [Z, Z]."""

    mean: np.ndarray
    covariance: np.ndarray

    @property
    def temperature(self) -> float:
        """At which its codes are played where nothing else is said."""
        return 1.0

    def draw(self, n: int, seed: int) -> np.ndarray:
        """float32 [n, Z]; row i depends on the seed alone, not on n."""
        root = np.linalg.cholesky(self.covariance.astype(np.float64))
        rows = noise(n, len(self.mean), seed).astype(np.float64)
        return np.stack([self.mean + root @ row for row in rows]).astype(np.float32)


@dataclasses.dataclass(frozen=True, eq=False)
class Learned:
    """A network that draws z as codes of music are (`mvae.training.prior` fits it).

    An outline of music is drawn first: which bars come back, in each part, which pitch classes
    sound, and how many notes. Then the codes are, as it says. New pieces are in the keys of the
    music that it learned from. What goes with known codes is in theirs.

    Attributes:
        params: of `denoiser.init`. config: its sizes. mean, scale: float32 [K, D], of codes of each
        part: what is drawn has mean 0 and variance 1 in each of a code's numbers. outlines: of N
        pieces of music, plan uint16, traits float32, transposed bool.
    """

    params: Params
    config: DenoiserConfig
    mean: np.ndarray
    scale: np.ndarray
    outlines: Outline[np.ndarray]

    @property
    def temperature(self) -> float:
        """At which its codes are played: greedily. They vary as music does, and say all notes."""
        return 0.0

    @property
    def size(self) -> int:
        """Z."""
        return self.config.tokens * self.config.size

    def pick(self, n: int, seed: int) -> Outline[np.ndarray]:
        """Outlines of music for n pieces; row i depends on the seed alone, not on n."""
        places = np.asarray(_uniform(_keys(n, seed)))[:n]
        return self._outlines_at((places * len(self.outlines.plan)).astype(np.int64))

    def draw(
        self,
        n: int,
        seed: int,
        sections: np.ndarray | None = None,
        outlines: Outline[np.ndarray] | None = None,
    ) -> np.ndarray:
        """float32 [n, Z]; row i depends on the seed alone, not on n.

        sections: int [U, 2], of each bar its section's letter, as a number, and its place there.
        Bars that agree in both are drawn the same, and no bars of different letters are. outlines:
        of the pieces, those of `pick` where None.
        """
        outline = self.pick(n, seed) if outlines is None else outlines
        if sections is not None:
            outline = outline._replace(plan=_sectioned(outline.plan, sections))
        nothing = np.zeros((self.config.bars, self.config.parts), bool)
        return self._fill(np.zeros((n, self.size), np.float32), nothing, seed, outline)

    def fill(self, z: np.ndarray, known: np.ndarray, seed: int) -> np.ndarray:
        """z float [n, Z] with all codes but the known ones drawn anew, to go with them.

        known: bool [U, K], of each bar which parts. float32 [n, Z]; row i depends on z[i] and the
        seed alone.
        """
        shape = len(z), self.config.bars, self.config.parts, self.config.size
        outline = self._outline_for(plans_of(np.reshape(z, shape)), known, seed)
        if np.any(known):  # traits are heard in what is known
            nothing, moved = 0 * outline.traits, np.ones(len(z), bool)
            outline = outline._replace(traits=nothing, transposed=moved)
        return self._fill(z, known, seed, outline)

    def _fill(
        self, z: np.ndarray, known: np.ndarray, seed: int, outline: Outline[np.ndarray]
    ) -> np.ndarray:
        cfg = self.config
        shape = len(z), cfg.bars, cfg.parts, cfg.size
        given = (np.asarray(z, np.float32).reshape(shape) - self.mean) / self.scale
        start = noise(len(z), self.size, seed).reshape(shape)
        given, all_known = _copied(given, known, outline.plan)
        rows = zip(*map(_chunks, (start, given, all_known, *outline)), strict=True)
        parts = [diffusion.draw(self.params, cfg, *row[:3], Outline(*row[3:])) for row in rows]
        drawn = np.concatenate([np.asarray(part) for part in parts])[: len(z)]
        return (drawn * self.scale + self.mean).reshape(len(z), -1)

    def _outline_for(self, plans: np.ndarray, known: np.ndarray, seed: int) -> Outline[np.ndarray]:
        """For pieces of these plans [n, U, K] outlines that agree best with what is known."""
        same, both, chosen = _same(self.outlines.plan), known[:, None] & known, []
        places = np.asarray(_uniform(_keys(len(plans), seed)))
        for own, place in zip(_same(plans), places[: len(plans)], strict=True):
            wrong = ((same != own) & both).sum((1, 2, 3))
            fits = np.flatnonzero(wrong <= np.sort(wrong)[:_NEAREST][-1])
            chosen.append(fits[int(place * len(fits))])
        return self._outlines_at(np.array(chosen, np.int64))

    def _outlines_at(self, rows: np.ndarray) -> Outline[np.ndarray]:
        outline = self.outlines.take(rows)
        return outline._replace(plan=outline.plan.astype(np.int32))


Prior: TypeAlias = Gaussian | Learned


def plans_of(codes: np.ndarray) -> np.ndarray:
    """Of codes [N, U, K, D] the first bar that has the same one: uint16 [N, U, K]."""
    plans = np.zeros(codes.shape[:3], np.uint16)
    for u in range(codes.shape[1]):
        apart = np.abs(codes[:, : u + 1] - codes[:, u : u + 1]).max(-1)  # [N, u + 1, K]
        plans[:, u] = u
        first = (apart < EQUAL).argmax(1)
        plans[:, u] = np.take_along_axis(plans, first[:, None], 1)[:, 0]
    return plans


def _same(plans: np.ndarray) -> np.ndarray:
    """[N, U, K] -> bool [N, U, U, K], which bars are the same in each part."""
    return plans[:, :, None] == plans[:, None]


def _sectioned(plans: np.ndarray, sections: np.ndarray) -> np.ndarray:
    """Plans [N, U, K] that keep to sections, and within these are as they were."""
    found = np.empty_like(plans)
    for bar, (letter, _) in enumerate(sections):
        source = int((sections == sections[bar]).all(1).argmax())
        found[:, bar] = found[:, source] if source < bar else bar
        earlier = range(bar - 1, -1, -1) if source == bar else ()
        for other in (v for v in earlier if sections[v, 0] == letter):
            alike = plans[:, other] == plans[:, bar]
            found[:, bar] = np.where(alike, found[:, other], found[:, bar])
    return found


def _copied(
    given: np.ndarray, known: np.ndarray, plans: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Codes [N, U, K, D] with those that are to be as a known one, which is the first such."""
    known = np.broadcast_to(known, plans.shape)
    found = _same(plans) & known[:, None]  # [N, U, U, K]: which known bar says what this one is
    source = np.where(known, np.arange(plans.shape[1])[:, None], found.argmax(2))
    return np.take_along_axis(given, source[..., None], 1), found.any(2)


def _chunks(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Always of the same size, the last filled up."""
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        yield np.concatenate([part, np.zeros((_CHUNK - len(part), *rows.shape[1:]), rows.dtype)])


def standard(size: int) -> Gaussian:
    """N(0, I)."""
    return Gaussian(np.zeros(size, np.float32), np.eye(size, dtype=np.float32))


def is_sound(prior: Gaussian, size: int) -> bool:
    """Whether z of `size` can be drawn from it."""
    if prior.mean.shape != (size,) or prior.covariance.shape != (size, size):
        return False
    if not (np.isfinite(prior.mean).all() and np.isfinite(prior.covariance).all()):
        return False
    try:
        np.linalg.cholesky(prior.covariance.astype(np.float64))
    except np.linalg.LinAlgError:  # no covariance: not positive definite
        return False
    return True


def fitted(count: float, codes: np.ndarray, squares: np.ndarray) -> Gaussian:
    """The mean and covariance of z over `count` windows.

    codes [Z]: the sum of their mu. squares [Z, Z]: the sum of mu mu^T + diag(sigma^2). The sums may
    be of float32: a hundred-thousandth of the largest square is added to every variance, so that
    rounding leaves none below zero.
    """
    mean, squares = codes / count, squares / count
    least = 1e-5 * squares.diagonal().max() * np.eye(len(mean))
    covariance = squares - np.outer(mean, mean) + least
    return Gaussian(mean.astype(np.float32), covariance.astype(np.float32))


def marginal_kl(prior: Gaussian) -> float:
    """KL(prior || N(0, I)) in bits.

    Of fitted codes: what of their mean KL tells no piece from another (Hoffman & Johnson, 2016).
    """
    mean, covariance = prior.mean.astype(np.float64), prior.covariance.astype(np.float64)
    nats = 0.5 * (np.trace(covariance) + mean @ mean - len(mean) - np.linalg.slogdet(covariance)[1])
    return float(nats / np.log(2))


def noise(n: int, size: int, seed: int) -> np.ndarray:
    """Standard normal float32 [n, size]; row i depends on the seed alone, not on n."""
    return np.asarray(_noise(_keys(n, seed), size))[:n]


def _keys(n: int, seed: int) -> jax.Array:
    """A key for each of n rows, and some more, so that few sizes are compiled."""
    rows = np.arange(1 << (n - 1).bit_length(), dtype=np.uint32)
    return _folded(jax.random.key(seed), rows)


@jax.jit
def _folded(key: jax.Array, rows: jax.Array) -> jax.Array:
    return jax.vmap(functools.partial(jax.random.fold_in, key))(rows)


@functools.partial(jax.jit, static_argnums=1)
def _noise(keys: jax.Array, size: int) -> jax.Array:
    return jax.vmap(lambda key: jax.random.normal(key, (size,)))(keys)


@jax.jit
def _uniform(keys: jax.Array) -> jax.Array:
    """One of [0, 1) for each key, apart from its noise."""
    return jax.vmap(lambda key: jax.random.uniform(jax.random.fold_in(key, 1)))(keys)
