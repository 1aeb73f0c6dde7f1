"""A stream of two columns a step, drums with a velocity, goes all the way: from notes into a store,
out of it in batches, through a model, and back to notes. Nothing but the registry knows of it.
"""

import dataclasses
from collections import Counter
from typing import ClassVar

import numpy as np
import pytest
from midi_maker import beat, low, midi, tune
from run_maker import tiny_config

import mvae
from mvae.dataset import merge, parts
from mvae.dataset.corpus import find_links, read_corpus
from mvae.dataset.loader import Loader
from mvae.dataset.local import Local
from mvae.dataset.store import SPLITS, Store
from mvae.errors import InputError
from mvae.music.codec import Codec, GridNotes
from mvae.music.drums import DRUM_CLASSES, DrumCodec
from mvae.music.extract import ExtractSettings, extract
from mvae.music.form import Sound, Stream
from mvae.music.forms import FORMS, STREAMS, make_form
from mvae.music.midi import read_midi, write_midi
from mvae.music.notation import Notation
from mvae.music.notes import Notes, Score
from mvae.music.tracks import AllDrums
from mvae.training.loop import train_and_evaluate

LEVELS = 4  # of velocity, 1 to 4; 0 where nothing is hit


@dataclasses.dataclass(frozen=True)
class LoudDrums(Codec):
    """The classes hit at a step, and how loud the loudest of them is."""

    drum_map: str = 'current'

    head: ClassVar[str] = 'columns'
    droppable: ClassVar[int] = DRUM_CLASSES

    @property
    def plain(self):
        return DrumCodec(self.drum_map)

    @property
    def sizes(self):
        return (2**DRUM_CLASSES, LEVELS + 1)

    def expresses(self, pitch):
        return self.plain.expresses(pitch)

    def voice(self, notes):
        return self.plain.voice(notes)

    def encode(self, notes, length):
        notes = notes.select(notes.start < length)
        levels = np.zeros(length, np.uint16)
        np.maximum.at(levels, notes.start, (1 + notes.velocity * LEVELS // 128).astype(np.uint16))
        return np.concatenate([self.plain.encode(notes, length), levels[:, None]], 1)

    def decode(self, columns):
        notes = self.plain.decode(columns[:, :1])
        level = np.maximum(columns[notes.start, 1], 1)
        return GridNotes.make(notes.start, notes.end, notes.pitch, 128 // LEVELS * level - 16)

    def events(self, columns):
        return self.plain.events(columns[..., :1])

    def canonical(self, columns):
        hit, level = columns[:, 0] > 0, columns[:, 1]
        return np.stack([columns[:, 0], np.where(hit, np.maximum(level, 1), 0)], 1)

    def drop(self, windows, kept):
        result = windows.copy()
        result[..., :1] = self.plain.drop(windows[..., :1], kept)
        result[..., 1] *= result[..., 0] > 0
        return result


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    def loud(notation: Notation) -> Stream:
        codec = LoudDrums(notation.drum_map)
        return Stream('loud', codec, AllDrums(), Sound(0, 9, is_drum=True), tonal=False)

    monkeypatch.setitem(STREAMS, 'loud', loud)
    monkeypatch.setitem(FORMS, 'loud', ('loud',))
    # Between two lines, so that its columns have neighbours on both sides.
    monkeypatch.setitem(FORMS, 'combo', ('melody', 'loud', 'bass'))


def band(number, bars=8):
    """A song whose drums are as loud as their place says."""
    score = read_midi(midi(tune(number, bars), low(tune(number + 50, bars)), beat(number, bars)))
    notes, columns = score.notes, vars(score.notes)
    velocity = 1 + (np.arange(len(notes)) * 37 + number) % 127
    notes = Notes(**columns | {'velocity': np.where(notes.is_drum, velocity, 90).astype(np.int16)})
    return dataclasses.replace(score, notes=notes)


@pytest.fixture
def store(tmp_path, registry):
    """Built in this process, as workers would not know the registry's new form."""
    settings = ExtractSettings(forms=('melody', 'loud', 'drums', 'combo'), bars=(1, 2))
    names = [f'melody {number} of the test.mid' for number in range(8)]
    targets = [tmp_path / f'part-{number}.npz' for number in range(2)]
    for number, target in enumerate(targets):
        results = [
            parts.FileResult(digest=str(song), extraction=extract(band(song), settings))
            for song in range(4 * number, 4 * number + 4)
        ]
        parts.write_part(str(target), results)
    links = find_links(targets, settings.keys, tmp_path)
    corpus = read_corpus(names, targets, {}, (0.8, 0.1, 0.1), links)
    meta = {
        'notation': settings.notation.to_dict(),
        'forms': {form.name: form.fingerprint() for form in settings.make_forms()},
    }
    (tmp_path / 'out').mkdir()
    merge.merge(tmp_path / 'out', corpus, targets, settings.keys, meta, Local(), tmp_path)
    return Store.open(tmp_path / 'out')


def own_windows(form):
    """Of all songs every window at a bar, as the form itself reads it."""
    found = set()
    for number in range(8):
        whole = make_form(form.name, 8).read(band(number))[0]
        for begin in range(0, len(whole) - form.steps + 1, 16):
            found.add(form.clean(whole[None, begin : begin + form.steps]).tobytes())
    return found


def test_extract_stores_rows_of_two():
    extraction = extract(band(1), ExtractSettings(forms=('loud',), bars=(1, 2)))
    assert len(extraction.tokens) == 8 * 16 * 2
    assert (extraction.windows['loud', 2] % 32 == 0).all()
    columns = extraction.tokens.reshape(-1, 2)
    np.testing.assert_array_equal(columns, make_form('loud', 8).read(band(1))[0])
    assert set(columns[:, 1].tolist()) == {0, 1, 2, 3, 4}
    np.testing.assert_array_equal(columns[:, 0] > 0, columns[:, 1] > 0)


def test_windows_that_differ_in_loudness_alone_are_two():
    hits = [(36, n / 2, n / 2 + 0.1, 20 if n < 4 else 120) for n in range(8)]
    pitch, start, end, velocity = (np.array(column) for column in zip(*hits, strict=True))
    score = Score(Notes.make(start, end, pitch, velocity, 0, True, 0), [0.0], [120.0], [], [], [])
    extraction = extract(score, ExtractSettings(forms=('loud', 'drums'), bars=(1,)))
    assert len(extraction.windows['loud', 1]) == 2 and len(extraction.windows['drums', 1]) == 1


def test_gather_gives_each_stream_its_columns(store):
    tokens = len(store.tokens)
    assert tokens == 8 * 8 * 16 * (1 + 1 + 2 + 1)  # melody, bass, loud, and plain drums
    for name, bars in store.forms:
        form, found = store.form(name, bars), Counter()
        for split in SPLITS:
            offsets = store.windows(form, split)
            assert offsets.shape == (store.count(form, split), len(form.streams))
            windows = store.gather(offsets, form)
            assert windows.shape == (len(offsets), 16 * bars, len(form.sizes))
            found.update(window.tobytes() for window in windows)
        assert set(found) == own_windows(form) and set(found.values()) == {1}


def test_batches_have_two_columns_for_it(store):
    form = store.form('combo', 2)
    loader = Loader(store, form, 8, 0, transpose=(-5, 6), drop_drums=0.4)
    plain = Loader(store, form, 8, 0)
    dropped = 0
    for step in range(10):
        melody, loud, bass = loader.batch(step).streams
        assert [own.shape for own in (melody, loud, bass)] == [(8, 32, 1), (8, 32, 2), (8, 32, 1)]
        before = plain.batch(step).streams
        np.testing.assert_array_equal(melody > 1, before[0] > 1)
        assert set(np.unique((melody - before[0])[melody > 1])) <= set(range(-5, 7))
        kept = loud[..., 0] > 0
        np.testing.assert_array_equal(loud[..., 1], before[1][..., 1] * kept)
        dropped += (before[1][..., 0] != loud[..., 0]).sum()
        form.check(form.join([melody, loud, bass]))
    assert dropped > 100
    (batch,) = list(loader.evaluation_batches('train', 4, limit=4))
    assert batch.streams[1].shape == (4, 32, 2)


def test_write_then_read_gives_the_same_piece(store):
    form = store.form('combo', 2)
    random = np.random.default_rng(0)
    for piece in [
        *store.gather(store.windows(form, 'train')[:5], form),
        form.canonical(np.stack([random.integers(0, size, 32) for size in form.sizes], 1)),
    ]:
        piece = form.canonical(piece)
        notes = form.write(piece, 97.0)
        assert len(np.unique(notes.velocity[notes.is_drum])) > 1
        score = Score(notes, [0.0], [97.0], [], [], [])
        for again in (score, read_midi(write_midi(notes, 97.0))):
            np.testing.assert_array_equal(form.read(again)[0], piece)
            np.testing.assert_array_equal(form.read_all(again)[0], form.clean(piece[None])[0])


@pytest.mark.parametrize(
    'name, variant', [('loud', 'flat'), pytest.param('combo', 'hierdec', marks=pytest.mark.slow)]
)
def test_a_model_is_trained_on_it_and_plays_it(store, tmp_path, name, variant):
    c = tiny_config(name, 2, variant)
    c.data.path, c.training.steps, c.training.batch_size = str(store.path), 3, 2
    metrics = train_and_evaluate(c, tmp_path / 'run')
    assert np.isfinite(metrics['loss'])
    model = mvae.load(tmp_path / 'run')
    (piece,) = model.sample(1, temperature=1.0, seed=0)
    loudness = {note.velocity for note in piece.notes if note.is_drum}
    assert len(loudness) > 1 and loudness <= {16, 48, 80, 112}


def test_split_and_join_keep_the_two_columns_together():
    form = make_form('combo', 1)
    pieces = np.arange(2 * 16 * 4).reshape(2, 16, 4)
    melody, loud, bass = form.split(pieces)
    assert (melody.shape, loud.shape, bass.shape) == ((2, 16, 1), (2, 16, 2), (2, 16, 1))
    np.testing.assert_array_equal(loud, pieces[..., 1:3])
    np.testing.assert_array_equal(form.join([melody, loud, bass]), pieces)
    assert form.sizes == (130, 512, 5, 130)
    with pytest.raises(InputError, match=r'loud tokens lie in 0\.\.4, these in 0\.\.5'):
        form.check(np.tile([0, 0, 1, 0], (1, 16, 1)) * np.arange(16)[:, None] % 6)


def test_a_store_remembers_what_its_columns_were(store, monkeypatch):
    """Where the registry gives a name to another codec, the store is refused, not misread."""
    form = store.form('loud', 2)
    store.require(form)
    monkeypatch.setitem(STREAMS, 'loud', STREAMS['drums'])
    with pytest.raises(InputError, match='another notation'):
        Store.open(store.path).require(make_form('loud', 2))
    monkeypatch.delitem(FORMS, 'loud')
    with pytest.raises(InputError, match="form 'loud', which this version of mvae does not know"):
        Store.open(store.path)
