"""Names of pieces, for people."""

import pytest

from mvae.render.names import of_file, of_step


@pytest.mark.parametrize(
    'steps, names',
    [
        (1, ['the start']),
        (2, ['the start', 'the end']),
        (3, ['the start', 'half of the way', 'the end']),
        (
            5,
            ['the start', 'one quarter of the way', 'half of the way']
            + ['three quarters of the way', 'the end'],
        ),
        (4, ['the start', 'one third of the way', 'two thirds of the way', 'the end']),
    ],
)
def test_steps_in_words(steps, names):
    assert [of_step(n, steps) for n in range(1, steps + 1)] == names


def test_all_steps_have_names_of_their_own():
    for steps in range(2, 40):
        assert len({of_step(n, steps) for n in range(1, steps + 1)}) == steps
    assert of_step(13, 13) == 'the end' and of_step(12, 13) == 'eleven twelfths of the way'
    assert of_step(2, 14) == '1/13 of the way'


@pytest.mark.parametrize(
    'stem, name',
    [
        ('step_03', 'two thirds of the way'),
        ('step_05', 'step 05'),
        ('step_00', 'step 00'),
        ('joined', 'all steps in a row'),
        ('given_1_my_song', 'given: my song'),
        ('given_1_a\nb', 'given: a\nb'),
        ('sample_12', 'sample 12'),
        ('reconstruction_-1.0', 'reconstruction, less (-1)'),
        ('sample_1_+0.5', 'sample 1, more (+0.5)'),
    ],
)
def test_files(stem, name):
    assert of_file(stem, 4) == name
