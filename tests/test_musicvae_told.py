"""Models that are told something at every step: chords from a file or a user, to the music."""

import json

import numpy as np
import pytest
import symusic
from midi_maker import midi
from run_maker import lively, save_tiny, tiny_model

from mvae.commands import main
from mvae.dataset.build import BuildSettings, build_store
from mvae.dataset.loader import Loader
from mvae.errors import InputError
from mvae.evaluation.harmony import ROWS, _in_chord, _others, evaluate_harmony
from mvae.music.extract import ExtractSettings
from mvae.music.forms import make_form
from mvae.music.symbols import triad_of
from mvae.runs.load import load
from mvae.training.loss import _hide, keys_of

LEAD = make_form('lead', 2)
CHORDS = {'chords': 'C . Bdim . | Eb'}


@pytest.fixture(scope='module', params=['flat', 'hier'])
def model(request):
    return lively(tiny_model('lead', 2, request.param))


def test_what_is_told_changes_the_music_and_stands_in_it(model):
    z = np.random.default_rng(0).standard_normal((3, model.latent_size)).astype(np.float32)
    told, untold = model.decode_tokens(z, told=CHORDS), model.decode_tokens(z)
    assert told.shape == (3, 32, 2) and (told[..., 0] != untold[..., 0]).any()
    assert LEAD.symbols(told[0]) == [(0, 'C'), (8, 'Bdim'), (16, 'Eb')] and not untold[..., 1].any()
    annotations = model.decode(z, told=CHORDS)[0].text_annotations
    assert [(note.time, note.text) for note in annotations] == [(0, 'C'), (1, 'Bdim'), (2, 'Eb')]


def test_a_row_depends_on_what_it_is_told_alone(model):
    rng = np.random.default_rng(1)
    z = rng.standard_normal((5, model.latent_size)).astype(np.float32)
    chords = rng.integers(0, 49, (5, 32, 1))
    together = model.decode_tokens(z, told={'chords': chords})
    alone = model.decode_tokens(z[:2], told={'chords': chords[:2]})
    np.testing.assert_array_equal(together[:2], alone)
    with pytest.raises(InputError, match='told are 5 pieces, but there are 2 codes'):
        model.decode_tokens(z[:2], told={'chords': chords})


def test_the_encoder_hears_it_too(model):
    piece = LEAD.join([np.full((1, 32, 1), 2), np.zeros((1, 32, 1), int)])
    other = LEAD.join([*LEAD.split(piece), LEAD.tell(CHORDS)[0][None]])
    assert (model.encode_tokens(piece).mu != model.encode_tokens(other).mu).any()
    np.testing.assert_array_equal(
        model.reconstruct_tokens(other),
        model.decode_tokens(model.encode_tokens(other).mu, told=CHORDS),
    )


def test_a_path_follows_the_chords_of_the_nearer_end_or_those_given(model):
    notes = [(0, 16, 60), (16, 16, 62)]
    a, b = (midi(notes, markers=[(0, one), (16, one)]) for one in ('C', 'Am'))
    steps = [{note.text for note in piece.text_annotations} for piece in model.interpolate(a, b, 4)]
    assert steps == [{'C'}, {'C'}, {'Am'}, {'Am'}]
    given = model.interpolate(a, b, 2, told={'chords': 'F'})
    assert [[note.text for note in piece.text_annotations] for piece in given] == [['F'], ['F']]


def test_some_examples_are_told_nothing_in_training():
    import jax

    keys = keys_of(jax.random.key(0), np.arange(400))
    (hidden,) = _hide((np.ones((400, 4, 1), np.int32),), keys, 0.25)
    share = 1 - np.asarray(hidden).mean((1, 2))
    assert set(share.tolist()) == {0.0, 1.0} and 0.15 < share.mean() < 0.35
    assert _hide((1,), keys, 0.0) == (1,)


def test_notes_in_the_chord_by_hand():
    """C E F over C, then C over no chord, which is not judged."""
    tokens = np.zeros((1, 32, 1), np.int32)
    for step, pitch in ((0, 60), (4, 64), (8, 65), (20, 60)):
        tokens[0, step] = pitch + 2
    chords = np.repeat([1, 0], 16)[None]
    pieces = LEAD.join([tokens, chords[..., None]])
    np.testing.assert_array_equal(_in_chord(pieces, chords, LEAD, 0), [[2, 3]])
    assert _others(np.array([0, 0, 1, 1])).tolist() == [2, 3, 0, 1]


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp('lead')
    (folder / 'midi').mkdir()
    names = ('C', 'Dm', 'G7', 'Am')
    for n in range(12):
        chords = [(16 * bar, names[(bar + n) % 4]) for bar in range(4)]
        notes = [(4 * step, 4, 60 + (step * (n + 1)) % 12) for step in range(16)]
        file = folder / 'midi' / f'song {chr(97 + n)}.mid'
        file.write_bytes(midi(notes, markers=chords))
    settings = BuildSettings(ExtractSettings(forms=('lead',), bars=(2,)))
    return build_store(folder / 'midi', folder / 'store', settings, 1, quiet=True)


def test_a_store_keeps_chords_and_they_move_with_the_music(store):
    plain, moved = (Loader(store, LEAD, 8, 0, transpose=(-by, by)).batch(0) for by in (0, 5))
    triads = {triad_of(name) for name in ('C', 'Dm', 'G7', 'Am')}
    assert set(np.unique(plain.conditions[0])) <= triads
    for before, after in zip(*(LEAD.join(batch.parts) for batch in (plain, moved)), strict=True):
        (low, high), chords = (LEAD.write(x).pitch for x in (before, after)), (before, after)
        roots = [(int(piece[0, 1]) - 1) % 12 for piece in chords]
        assert (roots[1] - roots[0] - int(high[0]) + int(low[0])) % 12 == 0


def test_commands_tell_chords(store, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = save_tiny(tmp_path / 'run', 'lead', 2, 'flat')
    assert main(['sample', str(run), '--n', '1', '--no-wav', '--chords', 'Am | F G']) == 0
    (file,) = (tmp_path / 'run').glob('samples/*/sample_1.mid')
    markers = symusic.Score(file).markers
    assert [(mark.time // 120, mark.text) for mark in markers] == [(0, 'Am'), (16, 'F'), (24, 'G')]
    assert json.loads((file.parent / 'samples.json').read_text())['chords'] == 'Am | F G'
    assert main(['sample', str(run), '--chords', 'Am Q']) == 2
    assert "'Q' is no chord symbol" in capsys.readouterr().err
    other = save_tiny(tmp_path / 'other', 'melody', 2, 'flat')
    assert main(['sample', str(other), '--chords', 'Am']) == 2
    assert 'not told chords' in capsys.readouterr().err
    found = evaluate_harmony(load(run), store, 'train')['melody']
    assert list(found) == list(ROWS) and found[ROWS[0]]['share'] != found[ROWS[1]]['share']
    assert evaluate_harmony(load(other), store, 'train') == {}


def test_mvae_train_learns_it(store, tmp_path, monkeypatch, capsys):
    """With pictures and samples at its evaluation, which are told the chords of the originals."""
    monkeypatch.chdir(tmp_path)
    options = '--scale tiny --steps 4 --run run --config.training.batch_size=4'.split()
    settings = ['--config.evaluation.every=4', '--config.training.told_dropout=0.5']
    arguments = ['--exp', 'lead2', '--data', str(store.path), *options, *settings]
    assert main(['train', *arguments]) == 0, capsys.readouterr().err
    (sample, original) = (
        next((tmp_path / 'run').glob(f'samples/*/{name}_1.mid')) for name in ('sample', 'original')
    )
    texts = [[mark.text for mark in symusic.Score(file).markers] for file in (sample, original)]
    assert texts[0] == texts[1] and texts[0]
