"""Where z of new music is drawn from: the prior N(0, I), or the Gaussian of a model's codes.

The paper samples N(0, I), the prior of the objective. Training pulls codes of music towards it but
does not bring them there. They keep to fewer directions, and a decoder has seen nothing of the
others. The Gaussian with the codes' mean and covariance leaves these out (the aggregated posterior,
Hoffman & Johnson, 2016; fitted afterwards as in Ghosh et al., 2020).
"""

from typing import NamedTuple

import jax
import numpy as np


class Prior(NamedTuple):
    """A Gaussian over z: mean float32 [Z], covariance float32 [Z, Z]."""

    mean: np.ndarray
    covariance: np.ndarray


def standard(size: int) -> Prior:
    """N(0, I)."""
    return Prior(np.zeros(size, np.float32), np.eye(size, dtype=np.float32))


def fitted(count: float, codes: np.ndarray, squares: np.ndarray) -> Prior:
    """The mean and covariance of z over `count` windows.

    codes [Z]: the sum of their mu. squares [Z, Z]: the sum of mu mu^T + diag(sigma^2). The sums may
    be of float32: a hundred-thousandth of the largest square is added to every variance, so that
    rounding leaves none below zero.
    """
    mean, squares = codes / count, squares / count
    least = 1e-5 * squares.diagonal().max() * np.eye(len(mean))
    covariance = squares - np.outer(mean, mean) + least
    return Prior(mean.astype(np.float32), covariance.astype(np.float32))


def marginal_kl(prior: Prior) -> float:
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


def draw(prior: Prior, n: int, seed: int) -> np.ndarray:
    """float32 [n, Z]; row i depends on the seed alone, not on n."""
    root = np.linalg.cholesky(prior.covariance.astype(np.float64))
    rows = noise(n, len(prior.mean), seed).astype(np.float64)
    return np.stack([prior.mean + root @ row for row in rows]).astype(np.float32)
