"""What lies between two pieces: distance and cost along the path (paper section 5.2, figure 4)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from mvae.errors import InputError
from mvae.evaluation.ngram import NGram
from mvae.evaluation.statistics import mean_interval
from mvae.model.interpolation import slerp
from mvae.musicvae import MusicVAE

_PAIRS_AT_ONCE = 64


def draw_pairs(songs: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Rows of windows in pairs of different songs, none twice: int64 [P, 2].

    P is count, or less where there are fewer. songs: of every window, int [N]. Raises InputError
    where there are not two songs.
    """
    if len(np.unique(songs)) < 2:
        raise InputError(
            'an interpolation goes from one song to another, and here is one song at most; '
            'add music and rebuild the store'
        )
    rng = np.random.default_rng(seed)
    # A place for every song, so that the seed decides which songs meet.
    place = rng.permutation(songs.max() + 1)
    order = rng.permutation(len(songs))
    # Songs together: half a turn away lies another one, unless a song fills half.
    order = order[np.argsort(place[songs[order]], kind='stable')]
    half = len(order) // 2
    pairs = np.stack([order[:half], order[half : 2 * half]], 1)
    pairs = pairs[songs[pairs[:, 0]] != songs[pairs[:, 1]]]
    return rng.permutation(pairs)[:count]


def decoded_paths(
    model: MusicVAE,
    a: np.ndarray,
    b: np.ndarray,
    alphas: np.ndarray,
    temperature: float,
    seed: int,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> np.ndarray:
    """The model's music on the sphere between the posterior means of a and b.

    a, b: tokens int [P, T, K] each. alphas: float [A]. progress: wraps the iterable of the work,
    for a bar. Returns int16 [P, A, T, K].
    """
    result = []
    for first in progress(range(0, len(a), _PAIRS_AT_ONCE)):
        own = [tokens[first : first + _PAIRS_AT_ONCE] for tokens in (a, b)]
        ends = [model.encode_tokens(tokens).mu for tokens in own]
        z = np.stack([slerp(x, y, alphas) for x, y in zip(*ends, strict=True)])  # [p, A, Z]
        nearer = np.where((alphas < 0.5)[:, None, None], own[0][:, None], own[1][:, None])
        told = model.told_of(nearer.reshape(-1, *nearer.shape[2:]))
        own_seed = (seed + first) % 2**32  # no noise twice
        tokens = model.decode_tokens(z.reshape(-1, z.shape[-1]), temperature, own_seed, told)
        result.append(tokens.reshape(len(z), len(alphas), *tokens.shape[1:]).astype(np.int16))
    return np.concatenate(result)


def mixed_paths(a: np.ndarray, b: np.ndarray, alphas: np.ndarray, seed: int) -> np.ndarray:
    """The paper's baseline "Data": every token is b's with probability alpha, else a's.

    int [P, T, K] -> int16 [P, A, T, K].
    """
    draws = np.random.default_rng(seed).random((len(a), len(alphas), *a.shape[1:]))
    return np.where(draws < alphas[:, None, None], b[:, None], a[:, None]).astype(np.int16)


def cost(language: Sequence[NGram], tokens: np.ndarray) -> np.ndarray:
    """Cost of pieces in nats: int [..., T, K] -> float64 [...].

    language: an n-gram model for each of the K columns.
    """
    flat = tokens.reshape(-1, *tokens.shape[-2:])
    costs = (model.cost(flat[..., k]) for k, model in enumerate(language))
    return sum(costs, np.zeros(len(flat))).reshape(tokens.shape[:-2])


def curves(
    paths: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    alphas: np.ndarray,
    language: Sequence[NGram],
    seed: int,
) -> dict[str, Any]:
    """Means over pairs at every alpha, with 95% intervals (bootstrap over pairs).

    paths: int [P, A, T, K], between a and b [P, T, K]. alphas: from 0 to 1, float [A]. Returns
    {'mean': [A], 'low': [A], 'high': [A]} for
        distance: normalised Hamming distance (share of tokens that differ) to the path's own
            beginning, so that every curve starts at 0;
        distance_to_data: to a itself, which is the error of reconstruction at alpha 0;
        cost: C / ((1 - alpha) C_0 + alpha C_1) with the costs of the path's own ends, 1 at both;
        cost_to_data: the same with the costs of a and b;
    and {'mean': [A]} for cost_nats, the cost itself.
    """
    costs = cost(language, paths)
    own = _between(costs[:, 0], costs[:, -1], alphas)
    data = _between(cost(language, a), cost(language, b), alphas)
    measured = {
        'distance': (paths != paths[:, :1]).mean((2, 3)),
        'distance_to_data': (paths != a[:, None]).mean((2, 3)),
        'cost': costs / own,
        'cost_to_data': costs / data,
    }
    result = {}
    for name, values in measured.items():
        low, high = mean_interval(values, seed)
        result[name] = {'mean': values.mean(0).tolist(), 'low': low.tolist(), 'high': high.tolist()}
    return result | {'cost_nats': {'mean': costs.mean(0).tolist()}}


def _between(start: np.ndarray, end: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    return (1 - alphas) * start[:, None] + alphas * end[:, None]
