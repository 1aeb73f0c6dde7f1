import random

from hypothesis import given
from hypothesis import strategies as st

from mvae.demo.form import BREAKDOWN, HIGH, plan

AABB = ((1, 'A'), (9, 'A'), (17, 'B'), (25, 'B'))


@given(
    st.integers(0, 2**32), st.lists(st.integers(1, 24), min_size=1, max_size=6), st.integers(0, 1)
)
def test_phrases_cover_all_bars_once(seed, lengths, upbeat):
    firsts = [upbeat + sum(lengths[:k]) for k in range(len(lengths))]
    bars = upbeat + sum(lengths)
    sections = tuple((first, 'ABC'[k % 3]) for k, first in enumerate(firsts))
    intro, phrases = plan(sections, bars, random.Random(seed))
    covered = [bar for phrase in phrases for bar in range(phrase.first, phrase.first + phrase.bars)]
    assert covered == list(range(intro + bars))
    assert all(phrase.bars <= 12 for phrase in phrases)
    assert {intro + first for first in firsts} <= {phrase.first for phrase in phrases}
    assert all(
        BREAKDOWN <= phrase.energy <= HIGH and phrase.fill in (4, 8, 12, 16) for phrase in phrases
    )


def test_the_second_pass_is_never_quieter_but_in_a_breakdown():
    breakdowns = stops = 0
    for seed in range(200):
        _, phrases = plan(AABB, 33, random.Random(seed))
        breakdowns += any(p.energy == BREAKDOWN for p in phrases if p.label != 'intro')
        stops += any(p.stop for p in phrases)
        first, second = [p.energy for p in phrases if p.label == 'A']
        assert second > first or second == BREAKDOWN or second == HIGH
    assert 50 < breakdowns < 150
    assert 20 < stops < 100


def test_the_same_seed_gives_the_same_plan():
    assert plan(AABB, 33, random.Random(5)) == plan(AABB, 33, random.Random(5))
