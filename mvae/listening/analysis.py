"""What listeners preferred, with the paper's tests (section 5.4).

How answers become samples, which the paper leaves open in part: every comparison gives its score
-2..2 to the left piece and the negative to the right one. A piece wins where its score is above 0;
a score of 0 is a win of neither.

* Kruskal-Wallis H: the samples are the scores of each source, over all comparisons that it was in.
  The two scores of a comparison are each other's negatives and a listener's answers are like each
  other, so that the samples are not as independent as the test takes them to be: as in the paper.
* Wilcoxon signed-rank, for each pair of sources: on the differences of the two scores within each
  comparison of these two; ties are left out. Significant where p < 0.01 / number of pairs
  (Bonferroni).
* Intervals of win shares and mean scores take listeners, not comparisons, as independent. The ratio
  r of the sums s_l of each listener to their numbers of comparisons n_l has the standard error
  sqrt(L / (L - 1) * sum (s_l - r n_l)^2) / sum n_l. The interval reaches as far as this error times
  the 97.5% point of Student's t with L - 1 degrees of freedom.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from mvae.errors import InputError
from mvae.listening.answers import Answer

ALPHA = 0.01  # over all pairs together
_FEWEST_SCORES = 5  # of each source: below, the chi-squared distribution is no approximation of H
_FEWEST_DIFFERENCES = 6  # that are not 0: with fewer p cannot fall below 0.05 whatever the answers


def analyse(answers: Sequence[Answer], sources: Sequence[str]) -> dict[str, Any]:
    """Wins, mean scores and tests.

    Returns:
        listeners, comparisons: how many.
        sources: {name: {comparisons, wins, ties, win_share, win_interval, mean, mean_interval}}.
        kruskal_wallis: {h, df, p, reason}.
        pairs: [{a, b, comparisons, wins_a, wins_b, ties, w, p, significant, reason}].
        alpha: of each pair.
        What too few answers leave open is None, and reason says why.

    Raises InputError where there are no answers.
    """
    if not answers:
        raise InputError(
            'there are no answers yet; listeners answer on the page of mvae listen serve'
        )
    if strange := {name for a in answers for name in (a.left_source, a.right_source)} - set(
        sources
    ):
        raise InputError(f'answers speak of {min(strange)[:80]!r}, which is no source of this test')
    listener = np.array([a.listener for a in answers])
    score = np.array([a.score for a in answers])
    left = np.array([sources.index(a.left_source) for a in answers])
    right = np.array([sources.index(a.right_source) for a in answers])
    scores, whose = {}, {}
    for n, name in enumerate(sources):
        scores[name] = np.concatenate([score[left == n], -score[right == n]])
        whose[name] = np.concatenate([listener[left == n], listener[right == n]])
    pairs = list(itertools.combinations(range(len(sources)), 2))
    alpha = ALPHA / len(pairs)

    def pair(a: int, b: int) -> dict[str, Any]:
        ahead, behind = (left == a) & (right == b), (left == b) & (right == a)
        both = np.concatenate([score[ahead], -score[behind]])
        return {'a': sources[a], 'b': sources[b]} | _pair(both, alpha)

    return {
        'listeners': len(set(listener.tolist())),
        'comparisons': len(answers),
        'sources': {name: _source(scores[name], whose[name]) for name in sources},
        'kruskal_wallis': _kruskal_wallis(list(scores.values())),
        'pairs': [pair(a, b) for a, b in pairs],
        'alpha': alpha,
    }


def _source(scores: np.ndarray, listeners: np.ndarray) -> dict[str, Any]:
    wins = (scores > 0).astype(int)
    count = len(scores)
    return {
        'comparisons': count,
        'wins': int(wins.sum()),
        'ties': int((scores == 0).sum()),
        'win_share': float(wins.mean()) if count else None,
        'win_interval': _interval(wins, listeners, 0, 1),
        'mean': float(scores.mean()) if count else None,
        'mean_interval': _interval(scores, listeners, -2, 2),
    }


def _interval(
    values: np.ndarray, listeners: np.ndarray, low: float, high: float
) -> tuple[float, float] | None:
    """95% interval of the mean of values [N], by listeners [N]; None with fewer than two."""
    _, place = np.unique(listeners, return_inverse=True)
    sums, counts = np.bincount(place, values), np.bincount(place)
    size = len(counts)
    if size < 2:
        return None
    mean = values.mean()
    error = np.sqrt(size / (size - 1) * ((sums - mean * counts) ** 2).sum()) / len(values)
    reach = stats.t.ppf(0.975, size - 1) * error
    return float(max(low, mean - reach)), float(min(high, mean + reach))


def _kruskal_wallis(samples: list[np.ndarray]) -> dict[str, Any]:
    result: dict[str, Any] = {'h': None, 'df': len(samples) - 1, 'p': None, 'reason': None}
    fewest = min(map(len, samples))
    if fewest < _FEWEST_SCORES:
        return result | {
            'reason': f'too few answers: a source was in {fewest} comparisons, '
            f'at least {_FEWEST_SCORES} are needed'
        }
    if len(np.unique(np.concatenate(samples))) == 1:
        return result | {'reason': 'all scores are 0'}
    test = stats.kruskal(*samples)
    return result | {'h': float(test.statistic), 'p': float(test.pvalue)}


def _pair(scores: np.ndarray, alpha: float) -> dict[str, Any]:
    """Wins and the Wilcoxon test of sources a and b.

    scores [N]: of a, in its comparisons with b. Those of b are their negatives, so that differences
    are twice as large.
    """
    wins_a, wins_b = int((scores > 0).sum()), int((scores < 0).sum())
    decided = wins_a + wins_b
    result: dict[str, Any] = {
        'comparisons': len(scores),
        'wins_a': wins_a,
        'wins_b': wins_b,
        'ties': len(scores) - decided,
    }
    result |= {'w': None, 'p': None, 'significant': None, 'reason': None}
    if decided < _FEWEST_DIFFERENCES:
        return result | {
            'reason': f'too few answers: {decided} that are no tie, '
            f'at least {_FEWEST_DIFFERENCES} are needed'
        }
    test = stats.wilcoxon(2 * scores[scores != 0])
    return result | {
        'w': float(test.statistic),
        'p': float(test.pvalue),
        'significant': bool(test.pvalue < alpha),
    }
