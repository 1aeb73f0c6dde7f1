"""Some bars given, the rest drawn: what stays and what does not, and `mvae infill`."""

import argparse
import dataclasses
import json

import numpy as np
import pytest
from midi_maker import song
from run_maker import save_tiny, tiny_config, tiny_model, tiny_prior

from mvae import commands
from mvae.commands import compute
from mvae.commands.infill import bars
from mvae.errors import InputError
from mvae.latent.infill import infill
from mvae.music.midi import read_midi
from mvae.runs import learned

BARS, N = 8, 5


@pytest.fixture(scope='module')
def model():
    return _with_prior(tiny_model('melody', BARS, 'hier'))


def _with_prior(plain):
    """A model with a prior by whose only plan no bar comes back."""
    prior = tiny_prior(plain)
    first = prior.outlines.take(slice(1))
    return dataclasses.replace(plain, learned=dataclasses.replace(prior, outlines=first))


@pytest.fixture(scope='module')
def piece(model):
    return model.read(song(seed=1))[0]


@pytest.mark.parametrize('kept', [[0], [1, 2, 7], range(1, 8)])
def test_kept_bars_stay_note_for_note_and_the_others_are_drawn(model, piece, kept):
    tokens, z = infill(model, piece, kept, N, seed=5)
    assert tokens.shape == (N, 128, 1) and tokens.dtype == np.int32 and z.shape == (N, 8)
    others, whole = np.delete(np.arange(BARS), kept), np.tile(piece.reshape(BARS, 16), (N, 1, 1))
    by_bar = tokens.reshape(whole.shape)
    np.testing.assert_array_equal(by_bar[:, kept], whole[:, kept])
    decoded = model.decode_tokens(z).reshape(whole.shape)
    np.testing.assert_array_equal(by_bar[:, others], decoded[:, others])
    mu = np.tile(model.encode_tokens(piece[None]).mu, (N, 1))  # a number for each bar
    np.testing.assert_allclose(z[:, kept], mu[:, kept], rtol=1e-4, atol=1e-5)
    assert (np.abs(z - mu)[:, others] > 1e-5).all()
    assert len(np.unique(z[:, others], axis=0)) == N


def test_a_piece_depends_on_the_seed_and_not_on_their_number(model, piece):
    tokens, z = infill(model, piece, [0], N, 1.0, seed=5)
    np.testing.assert_array_equal(infill(model, piece, [0], N + 1, 1.0, seed=5)[0][:N], tokens)
    assert not np.array_equal(infill(model, piece, [0], N, 1.0, seed=6)[1], z)


def test_with_no_bar_kept_all_is_new(model, piece):
    tokens, z = infill(model, piece, [], N, seed=5)
    np.testing.assert_array_equal(z, model.learned.draw(N, 5))
    np.testing.assert_array_equal(tokens, model.decode_tokens(z))


@pytest.mark.parametrize(
    'arguments, message',
    [
        ({'keep': [8]}, 'there is no bar 9: the piece has 8'),
        ({'keep': [-1]}, 'there is no bar 0'),
        ({'keep': [*range(8), 1]}, 'all 8 bars are to be kept'),
        ({'keep_parts': ['melody']}, 'all 8 bars are to be kept'),
        ({'keep_parts': ['flute']}, "there is no part 'flute': this model has melody"),
        ({'n': 0}, 'a number of pieces is at least 1'),
        ({'temperature': -1}, 'the temperature'),
        ({'seed': -1}, 'a seed'),
        ({'tokens': np.zeros((127, 1), int)}, r'\[B, 128, 1\]'),
    ],
)
def test_wrong_input_is_refused(model, piece, arguments, message):
    with pytest.raises(InputError, match=message):
        infill(**{'model': model, 'tokens': piece, 'keep': [0]} | arguments)


def test_models_that_cannot_are_refused(model, piece):
    with pytest.raises(InputError, match='no learned prior.*mvae prior RUN learns one'):
        infill(dataclasses.replace(model, learned=None), piece, [0])
    c = tiny_config('melody', BARS, 'hier', bar_codes=False)
    one = dataclasses.replace(model, config=c)
    with pytest.raises(InputError, match='one code for all bars.*model.bar_codes'):
        infill(dataclasses.replace(one, learned=tiny_prior(one)), piece, [0])


def test_kept_parts_and_bars_stay_and_the_rest_is_drawn():
    band = _with_prior(tiny_model('trio', 2, 'hier'))
    piece = np.concatenate([np.full((32, 1), value) for value in (50, 30, 7)], 1)
    mu = band.encode_tokens(piece[None]).mu.reshape(2, 3, -1)
    tokens, z = infill(band, piece, [1], N, 1.0, keep_parts=['melody'])
    codes, known = z.reshape(N, 2, 3, -1), np.array([[1, 0, 0], [1, 1, 1]], bool)
    np.testing.assert_allclose(codes[:, known], np.tile(mu[known], (N, 1, 1)), rtol=1e-4, atol=1e-5)
    assert (np.abs(codes - mu)[:, ~known] > 1e-5).all()
    by_bar, whole = tokens.reshape(N, 2, 16, 3), piece.reshape(2, 16, 3)
    assert (by_bar == whole)[:, 1].all() and (by_bar == whole)[:, 0, :, 0].all()
    decoded = band.decode_tokens(z, 1.0).reshape(by_bar.shape)
    np.testing.assert_array_equal(by_bar[:, 0, :, 1:], decoded[:, 0, :, 1:])


@pytest.mark.parametrize(
    'text, found',
    [
        ('1', [0]),
        ('1-4,9', [0, 1, 2, 3, 8]),
        (' 2 - 3 , 1', [1, 2, 0]),
        ('16,16', [15, 15]),
        ('9999', [9998]),
    ],
)
def test_bars_are_counted_from_1(text, found):
    assert bars(text) == found


@pytest.mark.parametrize(
    'text',
    ['', '0', '0-3', '4-1', '1-', '-3', '1,,2', '1,', 'a', '1.5', '1-2-3', '²', '٣', '99999'],
)
def test_texts_that_are_no_bars_are_said(text):
    with pytest.raises(argparse.ArgumentTypeError, match='are no bars such as 1-4,9-12,16'):
        bars(text)


@pytest.fixture(scope='module')
def place(model, tmp_path_factory):
    """A folder with a run, with its learned prior, and a song."""
    folder = tmp_path_factory.mktemp('infill')
    run = save_tiny(folder / 'run', 'melody', BARS, 'hier')
    learned.write(run, model.learned, model.params)
    (folder / 'song.mid').write_bytes(song(seed=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compute, 'prepare', lambda: None)
        yield folder


def _onsets(notes, start, end):
    """(second, pitch) of all notes that start within."""
    pairs = zip(np.round(notes.start, 3).tolist(), notes.pitch.tolist(), strict=True)
    return sorted((second, pitch) for second, pitch in pairs if start <= second < end)


def test_the_command_writes_pieces_with_the_kept_bars(place, model, piece, capsys):
    out, given = place / 'out', ['infill', place / 'run', place / 'song.mid', '--keep', '2-7']
    command = [*given, '--n', N, '--temperature', 1, '--seed', 3, '--no-wav', '--out', out]
    assert commands.main(list(map(str, command))) == 0
    names = [f'infill_{n}.mid' for n in range(1, N + 1)]
    made = {path.name for path in out.iterdir()} - {'.collection', 'index.html'}
    assert made == {*names, 'given_1_song.mid', 'infill.png', 'infill.json'}
    about = json.loads((out / 'infill.json').read_text())
    assert (about['kept_bars'], about['seed']) == ([2, 3, 4, 5, 6, 7], 3) and len(about['z']) == N
    expected = _onsets(model.form.write(piece), 2, 14)  # seconds: two a bar
    for name in names:
        assert _onsets(read_midi((out / name).read_bytes()).notes, 2, 14) == expected != []
    assert 'song.mid: ' in capsys.readouterr().out


def test_the_command_says_what_is_wrong(place, capsys):
    run, file = str(place / 'run'), str(place / 'song.mid')
    for arguments, message in (
        (['--keep', '1'], 'say which MIDI file'),
        ([run, file], 'say what stays, bars or parts: --keep 1-8'),
        ([run, file, '--keep-parts', 'bass'], "no part 'bass': this model has melody"),
        ([run, file, '--keep-parts', 'melody'], 'nothing is left to draw'),
        ([run, file, '--keep', '1-8'], 'all 8 bars'),
        ([run, file, '--keep', '9'], 'there is no bar 9'),
        ([run, file, '--keep', 'x'], "'x' are no bars"),
    ):
        assert commands.main(['infill', *arguments]) == 2
        said = capsys.readouterr().err
        assert message in said and said.count('\n') == 1
    assert not (place / 'run' / 'infill').exists()
