"""How sure a measured mean or share is."""

import numpy as np
from scipy import stats

RESAMPLES = 2000


def mean_interval(values: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """95% percentile bootstrap interval of the mean over the first axis.

    values: float [N, ...], N at least 2. Returns low and high [...].
    """
    interval = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=100,
        axis=0,
        vectorized=True,
        method='percentile',
        rng=seed,
    )
    return interval.confidence_interval.low, interval.confidence_interval.high


def share_interval(
    hits: np.ndarray, counts: np.ndarray, seed: int = 0
) -> tuple[float, float] | None:
    """95% percentile bootstrap interval of sum(hits) / sum(counts), resampling whole songs.

    Windows of one song are far from independent. hits, counts: of every song, [S]. None with fewer
    than two songs that count anything.
    """
    hits, counts = (np.asarray(x, np.float64)[np.asarray(counts) > 0] for x in (hits, counts))
    if len(counts) < 2:
        return None
    share = lambda h, c, axis: h.sum(axis) / c.sum(axis)  # noqa: E731
    interval = stats.bootstrap(
        (hits, counts),
        share,
        n_resamples=RESAMPLES,
        batch=100,
        paired=True,
        vectorized=True,
        method='percentile',
        rng=seed,
    ).confidence_interval
    return float(interval.low), float(interval.high)
