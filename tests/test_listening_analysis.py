"""The analysis: formulas of statistics against textbook and scipy."""

import itertools
import json
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from mvae.errors import InputError
from mvae.listening.analysis import analyse
from mvae.listening.answers import Answer
from mvae.listening.report import draw_wins, to_text


def _comparisons(spec):
    """[(listener, left, right, score)] as answers."""
    counts = Counter()
    for listener, left, right, score in spec:
        yield Answer(listener, counts[listener], '', left, 0, right, 0, score)
        counts[listener] += 1


# Scores of data against flat, data against hier and hier against flat, as seen from the first of
# each.
DF, DH, HF = [2, 2, 1, 1, 1, -1, 0, 2], [1, -1, 0, 1, -2, 1, 1, -1], [2, 1, 1, 2, 1, 1, 2, 1]


@pytest.fixture(scope='module')
def result():
    spec = []
    for n, (df, dh, hf) in enumerate(zip(DF, DH, HF, strict=True)):
        listener = n % 4
        # Every other comparison with sides exchanged: what is left and right must not matter.
        for first, second, score in (
            ('data', 'flat', df),
            ('data', 'hier', dh),
            ('hier', 'flat', hf),
        ):
            spec.append(
                (listener, first, second, score) if n % 2 else (listener, second, first, -score)
            )
    return analyse(list(_comparisons(spec)), ['data', 'flat', 'hier'])


def test_wins_and_means_are_counted_on_either_side(result):
    assert (result['listeners'], result['comparisons']) == (4, 24)
    data, flat, hier = result['sources'].values()
    assert [s['comparisons'] for s in (data, flat, hier)] == [16] * 3
    assert (data['wins'], data['ties'], flat['wins'], flat['ties'], hier['wins'], hier['ties']) == (
        10,
        2,
        1,
        1,
        11,
        1,
    )
    assert (
        data['mean'] == 8 / 16
        and flat['mean'] == -19 / 16
        and hier['mean'] == 11 / 16
        and data['win_share'] == 10 / 16
    )


def test_intervals_are_students_over_listeners_where_all_answer_equally_often(result):
    means = [np.mean([DF[n], DF[n + 4], DH[n], DH[n + 4]]) for n in range(4)]
    wins = [np.mean(np.array([DF[n], DF[n + 4], DH[n], DH[n + 4]]) > 0) for n in range(4)]
    for name, values in (('mean_interval', means), ('win_interval', wins)):
        expected = stats.ttest_1samp(values, 0).confidence_interval()
        assert result['sources']['data'][name] == pytest.approx(
            (max(expected.low, -2), min(expected.high, 1 if name[0] == 'w' else 2))
        )
    one = analyse(list(_comparisons([(0, 'data', 'flat', 1)] * 8)), ['data', 'flat'])
    assert one['sources']['data']['mean_interval'] is None, (
        'of one listener nothing is known of others'
    )


def test_h_is_the_textbooks_with_its_correction_for_ties(result):
    scores = {'data': DF + DH, 'flat': [-x for x in DF + HF], 'hier': [-x for x in DH] + HF}
    values = np.concatenate(list(scores.values()))
    rank = {
        v: np.mean([n + 1 for n, w in enumerate(np.sort(values)) if w == v])
        for v in set(values.tolist())
    }
    size = len(values)
    h = 12 / (size * (size + 1)) * sum(
        sum(rank[v] for v in group) ** 2 / len(group) for group in scores.values()
    ) - 3 * (size + 1)
    h /= 1 - sum(t**3 - t for t in Counter(values.tolist()).values()) / (size**3 - size)
    found = result['kruskal_wallis']
    assert (
        found['df'] == 2
        and found['h'] == pytest.approx(h)
        and found['p'] == pytest.approx(np.exp(-h / 2))
    ), 'chi-squared with 2 degrees'


def test_wilcoxon_is_exact_and_corrected_for_the_number_of_pairs(result):
    # Of DF without its tie: four 1s share rank 2.5 and three 2s rank 6; the one negative is a 1.
    ranks = [6, 6, 2.5, 2.5, 2.5, 2.5, 6]
    signs = list(itertools.product((0, 1), repeat=7))
    extreme = np.mean([min(w, sum(ranks) - w) <= 2.5 for w in (np.dot(s, ranks) for s in signs)])
    (df, dh, fh) = result['pairs']
    assert (df['a'], df['b'], df['wins_a'], df['wins_b'], df['ties']) == ('data', 'flat', 6, 1, 1)
    assert df['w'] == 2.5 and df['p'] == pytest.approx(extreme) and df['significant'] is False
    assert (dh['wins_a'], dh['wins_b'], dh['ties']) == (4, 3, 1)
    assert fh['w'] == 0 and fh['p'] == 2 / 2**8 and result['alpha'] == pytest.approx(0.01 / 3)
    assert fh['significant'] is False, '0.0078 is below 0.01, but not below a third of it'
    two = analyse(
        list(_comparisons([(n % 2, 'flat', 'hier', -x) for n, x in enumerate(HF)])),
        ['flat', 'hier'],
    )
    assert (
        two['alpha'] == 0.01
        and two['pairs'][0]['p'] == 2 / 2**8
        and two['pairs'][0]['significant'] is True
    )


def test_too_few_answers_are_said_and_never_nan(tmp_path):
    with pytest.raises(InputError, match='no answers yet'):
        analyse([], ['data', 'flat'])
    few = list(_comparisons([(0, 'data', 'flat', 2)]))
    ties = list(_comparisons([(n, 'data', 'flat', 0) for n in range(9)]))
    for answers, said in ((few, 'in 0 comparisons'), (ties, 'in 0 comparisons')):
        result = analyse(answers, ['data', 'flat', 'hier'])
        assert said in result['kruskal_wallis']['reason'] and all(
            'too few answers' in pair['reason'] for pair in result['pairs']
        )
        assert 'NaN' not in json.dumps(result) and 'nan' not in to_text(result)
        draw_wins(tmp_path / 'wins.png', result)
    assert 'all scores are 0' in to_text(analyse(ties, ['data', 'flat']))
