"""Where z of new music is drawn from: N(0, I), a Gaussian of a model's codes, or what it learned.

The paper samples N(0, I), the prior of the objective. Training pulls codes of music towards it but
does not bring them there. They keep to fewer directions, and a decoder has seen nothing of the
others. The Gaussian with the codes' mean and covariance leaves these out (the aggregated posterior,
Hoffman & Johnson, 2016; fitted afterwards as in Ghosh et al., 2020). Form it does not know: bars
that come back, and how parts follow each other, are no matter of means and covariances. A network
that learned to draw codes does (`mvae.model.diffusion`).
"""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import jax
import numpy as np

from mvae.model import diffusion
from mvae.model.denoiser import DenoiserConfig
from mvae.model.types import Params

_CHUNK = 32  # pieces drawn at once, whatever is asked for: so that no row depends on their number


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

    Attributes:
        params: of `denoiser.init`. config: its sizes. mean, scale: float32 [D], of codes: what is
        drawn has mean 0 and variance 1 in each of a code's numbers. same: root mean square
        distance, in these units, below which two codes of a piece are taken for the same.
    """

    params: Params
    config: DenoiserConfig
    mean: np.ndarray
    scale: np.ndarray
    same: float = 0.0

    @property
    def temperature(self) -> float:
        """At which its codes are played: greedily. They vary as music does, and say all notes."""
        return 0.0

    @property
    def size(self) -> int:
        """Z."""
        return self.config.tokens * self.config.size

    def draw(self, n: int, seed: int) -> np.ndarray:
        """float32 [n, Z]; row i depends on the seed alone, not on n."""
        return self.fill(np.zeros((n, self.size), np.float32), np.zeros(self.config.tokens), seed)

    def fill(self, z: np.ndarray, known: np.ndarray, seed: int) -> np.ndarray:
        """z float [n, Z] with the codes of all bars but the known ones drawn anew, to go with them.

        known: bool [U]. float32 [n, Z]; row i depends on z[i] and the seed alone.
        """
        shape = len(z), self.config.tokens, self.config.size
        given = (np.asarray(z, np.float32).reshape(shape) - self.mean) / self.scale
        start = noise(len(z), self.size, seed).reshape(shape)
        known = np.asarray(known, bool)
        kept = np.broadcast_to(known, (_CHUNK, self.config.tokens))
        parts = [
            diffusion.draw(self.params, self.config, *chunk, kept)
            for chunk in zip(_chunks(start), _chunks(given), strict=True)
        ]
        drawn = np.concatenate([np.asarray(part) for part in parts])[: len(z)]
        drawn = _repeated(drawn, known, self.same)
        return (drawn * self.scale + self.mean).reshape(len(z), -1)


Prior: TypeAlias = Gaussian | Learned


def _repeated(codes: np.ndarray, known: np.ndarray, same: float) -> np.ndarray:
    """Codes [B, U, D] in which each that is nearly another one of its piece is exactly that one.

    Bars that come back in music have the same code. What is drawn of one is nearly the same, and
    may play other notes. Known codes stay, and others become as they are; or as an earlier one.

    known: bool [U]. same: the distance below which codes are nearly the same.
    """
    codes, order = codes.copy(), np.argsort(~known, kind='stable')
    for n in range(int(known.sum()) or 1, len(order)):
        before, own = codes[:, order[:n]], codes[:, order[n]]
        far = np.sqrt(((before - own[:, None]) ** 2).mean(-1))  # [B, n]
        nearest = before[np.arange(len(codes)), far.argmin(1)]
        codes[:, order[n]] = np.where(far.min(1, keepdims=True) < same, nearest, own)
    return codes


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
    key = jax.random.key(seed)
    return np.stack(
        [np.asarray(jax.random.normal(jax.random.fold_in(key, i), (size,))) for i in range(n)]
    )
