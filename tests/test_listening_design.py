"""The listening test: who hears what, balanced over listeners, pairs and sides."""

import itertools
from collections import Counter

import pytest
from scipy import stats

from mvae.listening.design import design


def _sides(trials):
    return Counter(t.left[0] for t in trials), Counter(t.right[0] for t in trials)


@pytest.mark.parametrize('sources', [2, 3, 4, 5])
@pytest.mark.parametrize('trials', [1, 3, 7, 16, 20])
def test_every_listener_hears_pairs_and_sides_equally_often(sources, trials):
    pairs = list(itertools.combinations(range(sources), 2))
    for listener in range(12):
        heard = design(1, listener, trials, sources, 5)
        assert len(heard) == trials and all(t.left[0] != t.right[0] for t in heard)
        counts = Counter(tuple(sorted((t.left[0], t.right[0]))) for t in heard)
        assert max(counts.values()) - min(counts[pair] for pair in pairs) <= 1
        left, right = _sides(heard)
        assert all(abs(left[s] - right[s]) <= 1 for s in range(sources))
        ordered = Counter((t.left[0], t.right[0]) for t in heard)
        assert all(abs(ordered[a, b] - ordered[b, a]) <= 1 for a, b in pairs)


@pytest.mark.parametrize('sources, trials', [(2, 3), (3, 16), (4, 5), (5, 7)])
def test_listeners_make_up_for_each_other(sources, trials):
    pairs = list(itertools.combinations(range(sources), 2))
    everyone = [design(2, listener, trials, sources, 4) for listener in range(2 * len(pairs))]
    for first, second in zip(everyone[::2], everyone[1::2], strict=True):
        left, right = _sides(first + second)
        assert left == right, 'a couple hears every source equally often left and right'
    counts = Counter(tuple(sorted((t.left[0], t.right[0]))) for t in itertools.chain(*everyone))
    assert set(counts.values()) == {2 * trials}, (
        'and as many couples as there are pairs hear every pair equally often'
    )


def test_no_piece_comes_again_before_all_of_its_source_were_heard():
    for listener in range(6):
        heard = [piece for trial in design(0, listener, 24, 3, 5) for piece in trial]
        for source in range(3):
            mine = [n for s, n in heard if s == source]
            for start in range(0, len(mine) - 4, 5):
                assert sorted(mine[start : start + 5]) == [0, 1, 2, 3, 4]


def test_designs_follow_seed_and_listener_alone():
    assert design(0, 5, 16, 3, 16) == design(0, 5, 16, 3, 16)
    assert (
        len(
            {tuple(design(seed, listener, 16, 3, 16)) for seed in range(3) for listener in range(8)}
        )
        == 24
    )
    first = [design(0, listener, 3, 3, 16)[0] for listener in range(300)]
    pairs = Counter((t.left[0], t.right[0]) for t in first)
    assert len(pairs) == 6 and stats.chisquare(list(pairs.values())).pvalue > 1e-4, (
        'the order is shuffled: any pair may come first, either way round'
    )
