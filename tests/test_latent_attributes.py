"""Attributes on bars written by hand; vectors and their effects on a linear toy whose answers are
known exactly.
"""

import json
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

from mvae.errors import InputError
from mvae.latent import attribute_vectors, attributes
from mvae.latent.attribute_vectors import AttributeVector, Fitted
from mvae.latent.attributes import DRUMS, LINE, attributes_of, read_attribute, values_of
from mvae.music.forms import make_form
from mvae.music.notes import Notes
from mvae.render.heatmap import draw_heat_maps

MELODY, DRUM_KIT, TRIO = (make_form(name, 2) for name in ('melody', 'drums', 'trio'))
KICK, SNARE, CLOSED, OPEN = 36, 38, 42, 46


def line(*notes: tuple[int, int]) -> Notes:
    """Notes at (step, pitch) of a step each."""
    start, pitch = np.array(notes).reshape(-1, 2).T
    return Notes.make(start, start + 1, pitch, 80, 0, False, 0)


def at(*steps: int) -> Notes:
    return line(*((step, 60) for step in steps))


def kit(**drums: list[int]) -> Notes:
    pitches = {'kick': KICK, 'snare': SNARE, 'closed': CLOSED, 'open': OPEN}
    return line(*((step, pitches[name]) for name, steps in drums.items() for step in steps))


@pytest.mark.parametrize(
    'name, notes, expected',
    [
        (
            'c_diatonic',
            line((0, 60), (4, 61), (8, 64), (10, 66), (12, 67)),
            3 / 5,
        ),  # C and E and G of C, C sharp, E, F sharp, G
        ('note_density', at(0, 4, 8, 12), 4 / 16),
        ('note_density', line((0, 60), (0, 64), (8, 67)), 2 / 16),  # a chord is one onset
        ('mean_interval', line((0, 60), (4, 64), (8, 62), (12, 62)), (4 + 2 + 0) / 3),
        (
            'mean_interval',
            line((12, 62), (0, 60), (4, 64)),
            (4 + 2) / 2,
        ),  # whatever the order of the columns
        ('syncopation_16th', at(0, 1, 3, 6, 7, 9), 2 / 6),  # 3 and 9; 1 follows 0, 7 follows 6
        (
            'syncopation_8th',
            at(0, 2, 6, 9, 10, 14),
            2 / 6,
        ),  # 6 and 14; 2 follows 0 by an eighth, 10 follows 9 by a sixteenth
        ('syncopation_8th', at(4, 5, 6), 0),
        (
            'drum_density',
            kit(kick=[0, 8], snare=[4, 12], closed=list(range(0, 16, 2)), open=[14]),
            13 / 16,
        ),
        (
            'hi_hat_density',
            kit(kick=[0, 8], snare=[4, 12], closed=list(range(0, 16, 2)), open=[14]),
            9 / 16,
        ),
        ('backbeat', kit(kick=[0, 8], snare=[4, 12]), 1),
        ('backbeat', kit(kick=[4, 12], snare=[4, 7, 8, 12]), 2 / 4),
        (
            'drum_syncopation_16th',
            kit(kick=[0, 3, 6], snare=[11], closed=list(range(0, 16, 2))),
            2 / 4,
        ),  # 3 and 11: the hi-hat does not count
        (
            'drum_syncopation_8th',
            kit(kick=[0, 3, 6], snare=[14], closed=list(range(0, 16, 2))),
            2 / 4,
        ),  # 6 and 14
    ],
)
def test_a_bar_by_hand(name, notes, expected):
    assert (LINE | DRUMS)[name](notes, 16) == pytest.approx(expected)


def test_nothing_gives_zero_and_one_note_has_no_interval():
    assert {f(Notes.empty(), steps) for f in (LINE | DRUMS).values() for steps in (0, 32)} == {0}
    assert attributes.mean_interval(at(3), 16) == 0


melodies = st.lists(
    st.tuples(st.integers(0, 31), st.integers(24, 100)),
    min_size=1,
    max_size=20,
    unique_by=lambda note: note[0],
)


@given(melodies)
def test_octaves_silence_and_whole_bars_change_what_they_should(melody):
    step, pitch = np.array(melody).T
    before, octave, later = (
        line(*melody),
        line(*zip(step, pitch + 12, strict=True)),
        line(*zip(step + 16, pitch, strict=True)),
    )
    for name, f in LINE.items():
        assert (
            0 <= f(before, 32)
            and f(octave, 32) == pytest.approx(f(before, 32))
            and f(later, 32) == pytest.approx(f(before, 32))
        )
        assert f(before, 64) == pytest.approx(f(before, 32) / (2 if name == 'note_density' else 1))


def test_a_trio_has_those_of_its_melody_and_of_its_drums():
    rng = np.random.default_rng(0)
    melody, bass = (rng.choice([0, 0, 1, 62, 63, 66], (5, 32, 1)) for _ in range(2))
    drums = rng.integers(0, 512, (5, 32, 1))
    trio = values_of(np.concatenate([melody, bass, drums], -1), TRIO, attributes_of(TRIO))
    parts = [
        values_of(part, form, attributes_of(form))
        for part, form in ((melody, MELODY), (drums, DRUM_KIT))
    ]
    np.testing.assert_array_equal(trio, np.concatenate(parts, -1))
    assert list(attributes_of(TRIO)) == [*LINE, *DRUMS] and len(np.unique(trio[:, 0])) > 1


def test_holds_and_note_offs_are_no_onsets():
    tokens = np.array([62, 0, 0, 0, 1, 0, 62, 0])[None, :, None]
    assert values_of(tokens, MELODY, {'note_density': attributes.note_density}).tolist() == [
        [2 / 8]
    ]


def test_a_function_of_the_users_own(tmp_path):
    file = tmp_path / 'mine.py'
    file.write_text(
        'import numpy as np\n\n\n'
        'def ambitus(notes, steps):\n'
        '    return np.ptp(notes.pitch) if len(notes) else 0\n'
    )
    name, function = read_attribute(f'{file}:ambitus')
    tokens = np.array([[62, 0, 69, 0], [0, 0, 0, 0]])[..., None]
    assert values_of(tokens, MELODY, {name: function}).tolist() == [[7], [0]]


@pytest.mark.parametrize(
    'place, message',
    [
        ('mine.py', 'is written path/to/file.py:function'),
        ('none.py:f', 'none.py does not exist'),
        ('mine.py:g', 'mine.py has no function g; it has f'),
        ('broken.py:f', 'broken.py does not run: SyntaxError'),
    ],
)
def test_a_file_without_the_function_is_refused(tmp_path, monkeypatch, place, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine.py').write_text('f = max\ng = 3\n')
    (tmp_path / 'broken.py').write_text('def f(:\n')
    with pytest.raises(InputError, match=message):
        read_attribute(place)


@pytest.mark.parametrize(
    'body, message',
    [
        ('1 / (len(notes) - 1)', 'ZeroDivisionError'),
        ('float("nan")', 'nan for window two'),
        ('float("inf")', 'inf for window two'),
        ('None', 'TypeError'),
    ],
)
def test_a_function_that_fails_is_named_with_file_and_piece(tmp_path, body, message):
    (tmp_path / 'mine.py').write_text(
        f'def odd(notes, steps):\n    return {body} if len(notes) == 1 else 0.5\n'
    )
    name, function = read_attribute(f'{tmp_path / "mine.py"}:odd')
    tokens = np.array([[62, 62], [62, 0]])[..., None]
    with pytest.raises(InputError, match=message) as error:
        values_of(tokens, MELODY, {name: function}, ['window one', 'window two'].__getitem__)
    assert (
        'window two' in str(error.value)
        and f'{tmp_path / "mine.py"}:odd' in str(error.value)
        and '\n' not in str(error.value)
    )


# A toy: z = (number of notes, semitones above C4), decoded to that many repeated notes on the first
# of 16 steps, encoded back exactly.


class _Mu(NamedTuple):
    mu: np.ndarray


class Toy:
    form = MELODY

    def __init__(self, *samples: tuple[float, float]):
        self.samples = np.array(samples, np.float32)

    def encode_tokens(self, tokens):
        on = tokens[..., 0] > 1
        return _Mu(np.stack([on.sum(1), tokens[..., 0].max(1) - 62], -1).astype(np.float32))

    def decode_tokens(self, z, temperature=0.0, seed=0):
        notes = np.clip(np.rint(z[:, :1]), 0, 16)
        return np.where(np.arange(16) < notes, 62 + np.rint(z[:, 1:]), 0).astype(np.int32)[
            ..., None
        ]

    def sample_tokens(self, n, temperature=1.0, seed=0, prior=None):
        assert prior == 'standard'  # effects are measured as the paper does
        return self.decode_tokens(self.samples[:n]), self.samples[:n]


DENSITY = {'note_density': attributes.note_density}


def test_a_vector_by_hand():
    """Eight pieces of 1 to 8 notes, the two densest an octave up: quarters {1, 2} and {7, 8}, 6
    notes and 12 semitones apart.
    """
    toy = Toy()
    tokens = toy.decode_tokens(
        np.array([[n, 12 * (n > 6)] for n in (5, 1, 8, 4, 2, 6, 3, 7)], float)
    )
    fitted = attribute_vectors.fit(toy, tokens, DENSITY)
    vector = fitted.vectors['note_density']
    assert vector.vector.dtype == np.float32 and vector.vector.tolist() == [6, 12]
    assert (vector.low, vector.high, vector.bottom, vector.top) == (2 / 16, 7 / 16, 2, 2)


@pytest.mark.parametrize(
    'counts, expected',
    [
        ([1, 1, 1, 2, 2, 3, 3, 3], 2.0),  # ties at both edges all belong: {1, 1, 1} and {3, 3, 3}
        ([0] * 8 + [2, 4], 3.0),  # most are equal: 0 against those above
        ([5] * 8 + [2, 4], 2.0),  # those below, mean 3, against 5
        ([1] + [5] * 8 + [7], 6.0),  # one below and one above
        (
            [5] * 299 + [2] + [9] * 4,
            4.0 + 3 / 300,
        ),  # one in 304 is no group: it goes with those at 5
    ],
)
def test_ties_go_by_value_whatever_the_order(counts, expected):
    toy = Toy()
    for order in (counts, counts[::-1]):
        tokens = toy.decode_tokens(np.array([[n, 0] for n in order], float))
        assert attribute_vectors.fit(toy, tokens, DENSITY).vectors['note_density'].vector[
            0
        ] == pytest.approx(expected)


def test_an_attribute_that_hardly_varies_has_no_vector():
    toy = Toy()
    tokens = toy.decode_tokens(np.array([[n % 5 + 1, 0] for n in range(200)] + [[3, 1]], float))
    fitted = attribute_vectors.fit(toy, tokens, LINE)
    assert list(fitted.vectors) == ['note_density']
    assert fitted.skipped['c_diatonic'] == '200 of 201 pieces have the same c_diatonic, 1'
    with pytest.raises(InputError, match='no attribute varies enough'):
        attribute_vectors.fit(toy, tokens, {'c_diatonic': attributes.c_diatonic})


def test_moving_is_adding():
    z = attribute_vectors.apply(np.array([[1.0, 2], [3, 4]]), np.array([2.0, -4]), -0.5)
    assert z.dtype == np.float32 and z.tolist() == [[0, 4], [2, 6]]
    for amount in (np.nan, -np.inf, 1e300):
        with pytest.raises(InputError, match='an amount is a finite number'):
            attribute_vectors.apply(z, np.ones(2), amount)


def test_effects_by_hand():
    """Pieces of 2 and 4 notes C, mean 3; 6 notes more make 8 and 10, mean 9: 200% more.

    6 fewer make none, and nothing is diatonic then.
    """
    fitted = Fitted(
        {'note_density': AttributeVector(np.array([6, 0], np.float32), 0, 1, 1, 1)}, {}, 2
    )
    effects = attribute_vectors.measure(Toy((2, 0), (4, 0)), fitted, LINE, n=2)
    assert effects['before'] == {
        'c_diatonic': 1,
        'note_density': 3 / 16,
        'mean_interval': 0,
        'syncopation_16th': 0,
        'syncopation_8th': 0,
    }
    undefined = {
        'mean_interval': None,
        'syncopation_16th': None,
        'syncopation_8th': None,
    }  # zero before
    assert (
        effects['add']['change']['note_density']
        == {'c_diatonic': 0, 'note_density': pytest.approx(200)} | undefined
    )
    assert (
        effects['subtract']['change']['note_density']
        == {'c_diatonic': -100, 'note_density': -100} | undefined
    )
    # Resampled, both pieces may be the first (2 to 8, 300%) or the second (4 to 10, 150%).
    assert effects['add']['interval']['note_density']['note_density'] == pytest.approx((150, 300))
    assert effects['add']['interval']['note_density']['mean_interval'] is None
    assert (
        '+200.0' in attribute_vectors.format_effects(effects)
        and json.loads(json.dumps(effects))['add']['change'] == effects['add']['change']
    )


def test_half_an_amount_does_half_and_a_negative_mean_keeps_the_sign():
    fitted = Fitted({'pitch': AttributeVector(np.array([0, 4], np.float32), 0, 1, 1, 1)}, {}, 2)
    below_c5 = {'pitch': lambda notes, steps: notes.pitch.mean() - 72}  # -12 before, -10 after
    effects = attribute_vectors.measure(Toy((2, 0), (4, 0)), fitted, below_c5, n=2, amount=0.5)
    assert effects['add']['change']['pitch']['pitch'] == pytest.approx(100 * 2 / 12)
    assert effects['subtract']['change']['pitch']['pitch'] == pytest.approx(-100 * 2 / 12)


def test_vectors_come_back_from_their_file_and_are_refused_elsewhere(tmp_path):
    path, checkpoint = tmp_path / 'attributes.json', {'step': 10, 'latent_size': 2}
    vector = np.array([0.1, 1 / 3], np.float32)
    fitted = Fitted(
        {'note_density': AttributeVector(vector, 0.25, 0.5, 6, 5)}, {'backbeat': 'constant'}, 20
    )
    with pytest.raises(InputError, match='find the vectors first'):
        attribute_vectors.load(path, checkpoint)
    attribute_vectors.save(path, fitted, checkpoint | {'seed': 3})
    back, about = attribute_vectors.load(path, checkpoint)
    assert back.vectors['note_density'].vector.tobytes() == vector.tobytes() and back.vectors[
        'note_density'
    ][1:] == (0.25, 0.5, 6, 5)
    assert (back.skipped, back.pieces, about['seed']) == (fitted.skipped, 20, 3)
    for other, message in (
        ({'step': 11}, 'step 10 instead of 11'),
        ({'latent_size': 8}, 'latent_size 2 instead of 8'),
    ):
        with pytest.raises(InputError, match=f'another checkpoint .{message}'):
            attribute_vectors.load(path, checkpoint | other)
    whole = path.read_text()
    for damaged in (
        whole[:-30],
        whole.replace('0.25', '"x"').replace('"low"', '"lo"'),
        whole.replace('[', '[1.5,', 1),
        '[]',
    ):
        path.write_text(damaged)
        with pytest.raises(InputError, match='damaged'):
            attribute_vectors.load(path, checkpoint)


def test_heat_maps_show_their_numbers(tmp_path):
    """Red where all is above zero and blue below; every number changes the picture, also one beyond
    the colours' end, and one that is not there.
    """
    for sign in (1, -1):
        draw_heat_maps(
            tmp_path / 'map.png',
            [('add', np.full((2, 3), sign * 40.0))],
            ['a', 'b'],
            ['c', 'd', 'e'],
            ('rows', 'columns'),
        )
        red, _, blue, _ = np.moveaxis(imread(tmp_path / 'map.png'), -1, 0)
        assert np.sign((red > blue + 0.1).sum() - (blue > red + 0.1).sum()) == sign
    pictures = []
    for number in (5.0, 50.0, 500.0, np.nan):
        matrix = np.array([[number, -20.0], [np.nan, 30.0]])
        draw_heat_maps(
            tmp_path / 'map.png',
            [('add', matrix), ('subtract', -matrix)],
            ['a', 'b'],
            ['c', 'd'],
            ('rows', 'columns'),
            'note',
        )
        pictures.append((tmp_path / 'map.png').read_bytes())
    assert len(set(pictures)) == 4
    draw_heat_maps(
        tmp_path / 'map.png', [('none', np.full((1, 1), np.nan))], ['a'], ['b'], ('', '')
    )
