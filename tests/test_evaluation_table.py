"""The table from hand-made evaluations."""

import copy
from pathlib import Path

import pytest

from mvae.errors import InputError
from mvae.evaluation import table
from mvae.evaluation.runs import read_evaluation
from mvae.music.forms import FORMS


def evaluation(form='melody', bars=16, variant='flat', accuracy=0.7, onset=0.5, **changes):
    modes = {
        mode: {'accuracy': accuracy - 0.1 * n, 'interval': [accuracy - 0.1 * n - 0.01, 0.9]}
        for n, mode in enumerate(table.MODES)
    }
    onsets = {
        'share': 0.4,
        'baseline': 0.2,
        'teacher_forced': onset,
        'sampled': onset,
        'greedy': onset,
    }
    curve = {'mean': [onset] * bars, 'low': [onset - 0.1] * bars, 'high': [onset + 0.1] * bars}
    rest = {'classes': {'onset': onsets}, 'onsets_by_bar': dict.fromkeys(table.MODES, curve)}
    streams = {stream: copy.deepcopy({'baseline': 0.55, **modes, **rest}) for stream in FORMS[form]}
    about = {
        'run': f'runs/{form}{bars}-{variant}',
        'experiment': f'{form}{bars}',
        'form': form,
        'bars': bars,
        'variant': variant,
        'scale': 'tiny',
    }
    made = {
        'notation': {'min_pitch': 0},
        'split': 'test',
        'windows': 100,
        'songs': 9,
        'limit': None,
        'seed': 0,
        'corpus': 'abc',
        'data': 'data/x',
    }
    model = {
        'parameters': 1000,
        'step': 5,
        'planned_steps': 10,
        'training_batch_size': 8,
        'training_seed': 0,
        'reconstruction': 200.0,
    }
    return (
        about
        | made
        | model
        | {'kl_bits': 250.0, 'active_units': 8, 'latent_size': 8, 'streams': streams}
        | changes
    )


def test_rows_stand_in_the_order_of_the_paper_with_its_values_beside():
    rows = table.build(
        [
            evaluation('trio'),
            evaluation(variant='hierdec', accuracy=0.8),
            evaluation(),
            evaluation('drums', 2),
        ]
    )
    assert [table.label(row) for row in rows] == [
        '2-bar drums',
        '16-bar melody',
        '16-bar trio, melody',
        '16-bar trio, bass',
        '16-bar trio, drums',
    ]
    melody = rows[1]
    assert {
        name: cell['accuracy']
        for name, cell in melody['cells'].items()
        if name.startswith('sampled')
    } == pytest.approx({'sampled flat': 0.6, 'sampled hierarchical': 0.7})
    assert melody['reported']['sampled hierarchical'] == 0.812 and melody['baseline'] == 0.55
    assert 'teacher_forced hierarchical' not in rows[0]['reported'], (
        'the paper has no hierarchical model of 2 bars'
    )


def test_a_model_that_only_guesses_is_said_not_filled_in():
    text = table.to_markdown(table.build([evaluation(onset=0.2)]), [])
    assert 'guessed (.700) [.883]' in text and 'guessed (.600) [.620]' in text and '**' not in text
    assert '**.700** .690-.900 [.883]' in table.to_markdown(
        table.build([evaluation(onset=0.21)]), []
    )


def test_one_experiment_on_two_stores_is_two_rows():
    assert [
        row['data'] for row in table.build([evaluation(), evaluation(corpus='def', data='data/y')])
    ] == ['data/x', 'data/y']


def test_another_encoder_is_another_row():
    evaluations = [
        evaluation(variant=v, accuracy=a)
        for v, a in (('hier', 0.8), ('flat', 0.6), ('hierenc', 0.7), ('hierdec', 0.65))
    ]
    first, second = table.build(evaluations)
    assert [table.label(row) for row in (first, second)] == [
        '16-bar melody',
        '16-bar melody, encoder by bars',
    ]
    accuracies = [
        {d: row['cells'][f'teacher_forced {d}']['accuracy'] for d in table.DECODERS}
        for row in (first, second)
    ]
    assert accuracies == [{'flat': 0.6, 'hierarchical': 0.65}, {'flat': 0.7, 'hierarchical': 0.8}]


@pytest.mark.parametrize(
    'other, message',
    [
        (
            evaluation(run='runs/again'),
            r'two runs for one place.*16-bar melody, flat.*runs/melody16-flat and runs/again',
        ),
        (evaluation(variant='hierdec', notation={'min_pitch': 21}), 'notation'),
        (evaluation(variant='hierdec', windows=50), 'windows 100 and 50'),
    ],
)
def test_what_cannot_be_compared_is_refused(other, message):
    with pytest.raises(InputError, match=message):
        table.build([evaluation(), other])


def test_classes_and_models_have_tables_of_their_own():
    evaluations = [evaluation(), evaluation('trio', variant='hierdec')]
    text = table.to_markdown(table.build(evaluations), evaluations)
    assert '| trio16 hierdec (x), bass | onset | .400 | .200 | .500 | .500 | .500 |' in text
    assert '| melody16 flat (x) | tiny | 1,000 | 5 of 10 | 8 | 0 | 200.0 | 250 | 8 of 8 |' in text


def _sung(evaluation, hits, steps):
    """The evaluation of a melody with so many hits in each song, whatever the mode."""
    melody = evaluation['streams']['melody']
    melody['steps_of_songs'] = steps
    for mode in table.MODES:
        melody[mode]['hits_of_songs'] = hits
    return evaluation


def test_decoders_are_compared_song_by_song():
    """Songs are far apart (.2 and .8) and their own intervals wide; the second model has 5 of 100
    steps more right in every one of them.
    """
    flat, more = [20, 80] * 10, [25, 85] * 10
    pair = [
        _sung(evaluation(), flat, [100] * 20),
        _sung(evaluation(variant='hierdec'), more, [100] * 20),
    ]
    (row,) = table.build(pair)
    found = row['differences']['sampled']
    assert [found['difference'], *found['interval']] == pytest.approx([0.05] * 3)
    assert '| 16-bar melody (data/x) | **+.050** +.050 to +.050 |' in table.to_markdown([row], pair)
    assert table.build(pair[::-1])[0]['differences'] == row['differences'], (
        'whichever run is given first'
    )


def test_a_difference_that_changes_sign_from_song_to_song_is_none():
    pair = [
        _sung(evaluation(), [50] * 20, [100] * 20),
        _sung(evaluation(variant='hierdec'), [60, 41] * 10, [100] * 20),
    ]
    difference = table.build(pair)[0]['differences']['greedy']
    assert (
        difference['difference'] == pytest.approx(0.005)
        and difference['interval'][0] < 0 < difference['interval'][1]
    )
    assert '**+.005** -.0' in table.to_markdown(table.build(pair), pair)


def test_evaluations_without_songs_and_single_decoders_have_no_difference():
    (row,) = table.build([_sung(evaluation(), [5], [10]), evaluation(variant='hierdec')])
    assert row['differences'] == {} and 'less flat' not in table.to_markdown([row], [])
    assert table.build([_sung(evaluation(), [5] * 9, [10] * 9)])[0]['differences'] == {}


def test_curves_by_bar_stand_beside_the_most_frequent_onset_and_leave_2_bars_out():
    rows = table.build(
        [evaluation(onset=0.5), evaluation(variant='hierdec', onset=0.7), evaluation('drums', 2)]
    )
    ((label, curves),) = table.curves_by_bar(rows)
    assert label == '16-bar melody (x)' and list(curves) == [
        'flat',
        'hierarchical',
        'most frequent',
    ]
    assert (
        curves['hierarchical']['mean'] == [0.7] * 16
        and curves['most frequent']['mean'] == [0.2] * 16
    )
    assert table.curves_by_bar(table.build([evaluation('drums', 2)])) == []


def test_what_the_results_say_was_measured():
    """Every cell of an evaluation that is kept in docs stands in the table of results."""
    docs = Path(__file__).parent.parent / 'docs' / 'evaluations'
    results = (docs.parent / 'results.md').read_text()
    rows = table.build([read_evaluation(path) for path in sorted(docs.glob('*.json'))])
    assert len(rows) >= 8
    for row in rows:
        for name, cell in row['cells'].items():
            assert table.cell_text(cell) in results, (table.label(row), name)
