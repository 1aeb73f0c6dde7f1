"""Who hears what: the trials of each listener, balanced, in an order of their own.

They are a pure function of (seed, listener).
"""

import itertools
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np


class PieceNumber(NamedTuple):
    """Number of a source, and of one of its pieces."""

    source: int
    piece: int


class Trial(NamedTuple):
    """Two pieces of different sources; left is played as A, right as B."""

    left: PieceNumber
    right: PieceNumber


def design(seed: int, listener: int, trials: int, sources: int, pieces: int) -> list[Trial]:
    """The trials of one listener, in their order.

    Every unordered pair of sources comes equally often, and every source stands equally often left
    and right, each up to one where the numbers do not divide. What a listener lacks, their
    successors get: listeners 2m and 2m + 1 hear the same pairs with sides exchanged, and the pairs
    that come once more move on from couple to couple. A listener hears all pieces of a source
    before one of them comes again.

    Args:
        seed: of the listening test, at least 0.
        listener: their number, from 0.
        trials: how many.
        sources: how many, at least 2.
        pieces: how many of each source, at least 1.
    """
    sides = _sides(seed, listener, trials, sources)
    rng = np.random.default_rng([seed, 1, listener])
    queues = [
        itertools.chain.from_iterable(rng.permutation(pieces).tolist() for _ in itertools.count())
        for _ in range(sources)
    ]

    def next_of(source: int) -> PieceNumber:
        return PieceNumber(source, next(queues[source]))

    order = [sides[n] for n in rng.permutation(len(sides))]
    return [Trial(next_of(a), next_of(b)) for a, b in order]


def _sides(seed: int, listener: int, trials: int, sources: int) -> list[tuple[int, int]]:
    """Sources (left, right) of a listener's trials, not yet in their order."""
    couple, second = divmod(listener, 2)
    pairs = list(itertools.combinations(range(sources), 2))
    numbers = range(couple * trials, (couple + 1) * trials)
    counts = Counter(pairs[number % len(pairs)] for number in numbers)
    sides = [side for (a, b), count in counts.items() for side in [(a, b), (b, a)] * (count // 2)]
    sides += _orient([pair for pair, count in counts.items() if count % 2])
    mirror = np.random.default_rng([seed, 0, couple]).integers(2)  # either of the two, by chance
    return sides if second == mirror else [(b, a) for a, b in sides]


def _orient(edges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Directs the edges of a simple graph so that as many leave each node as enter it, up to one.

    Closed walks do it; one more node, -1, takes up the odd ends. All degrees are then even: a walk
    ends where it began, and goes round again while there is an edge left.
    """
    neighbours: dict[int, list[int]] = {}
    for a, b in edges:
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    odd = [node for node, others in neighbours.items() if len(others) % 2]
    for node in odd:
        neighbours[node].append(-1)
    neighbours[-1] = odd
    directed = []
    for start in list(neighbours):
        node = start
        while neighbours[node]:
            following = neighbours[node].pop()
            neighbours[following].remove(node)
            directed.append((node, following))
            node = following
    return [(a, b) for a, b in directed if a >= 0 and b >= 0]
