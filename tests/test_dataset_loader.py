import itertools

import numpy as np
import pytest
from midi_maker import midi, song, tune

from mvae.batch import Batch
from mvae.dataset.build import build_store
from mvae.dataset.loader import Loader, _uniform
from mvae.errors import InputError
from mvae.music.forms import make_form
from mvae.music.notation import Notation


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp('loader')
    (folder / 'midi').mkdir()
    for number in range(6):
        (folder / 'midi' / f'melody {number} of the test.mid').write_bytes(song(number))
    return build_store(folder / 'midi', folder / 'out', workers=1, quiet=True)


def joined(form, batch):
    """The pieces int32 [B, T, K] of a batch, which must have the shape that the form says."""
    assert isinstance(batch, Batch) and batch.conditions == ()
    for own, stream in zip(batch.streams, form.streams, strict=True):
        assert own.shape == (len(batch.mask), form.steps, len(stream.codec.sizes))
        assert own.dtype == np.int32
    assert batch.mask.dtype == np.float32
    return form.join(batch.streams)


def load(loader, step):
    """The batch of a step as pieces; in training every row counts."""
    batch = loader.batch(step)
    assert batch.mask.tolist() == [1] * loader.local_batch_size
    return joined(loader.form, batch)


def everything(store, form, split='train'):
    return store.gather(store.windows(form, split), form)


def contents(batches):
    return [row.tobytes() for batch in batches for row in batch]


MELODY, DRUMS, TRIO = (make_form(name, 2) for name in ('melody', 'drums', 'trio'))


def test_an_epoch_holds_every_window_once_and_shards_are_disjoint(store):
    count = store.count(TRIO, 'train')
    every = contents([everything(store, TRIO)])
    assert len(set(every)) == count  # the build left no duplicates
    batch = 6
    shards = [Loader(store, TRIO, batch, 7, process_index=p, process_count=3) for p in range(3)]
    # count epochs of batch windows = batch epochs: a whole number of batches
    seen = [contents(load(shard, step) for step in range(count)) for shard in shards]
    assert all(len(shard) == 2 * count for shard in seen)
    flat = sorted(itertools.chain(*seen))
    assert flat == sorted(every * batch)
    first = [
        row
        for step in range(count // batch)
        for shard in shards
        for row in contents([load(shard, step)])
    ]
    # Within the first epoch no process gives what another gave.
    assert len(set(first)) == len(first)


def test_epochs_run_into_each_other_without_losing_a_window(store):
    count = store.count(MELODY, 'train')
    loader = Loader(store, MELODY, 10, 3)
    assert count % 10, 'the test wants a remainder'
    rows = contents(load(loader, step) for step in range(-(-2 * count // 10)))
    every = sorted(contents([everything(store, MELODY)]))
    assert sorted(rows[:count]) == every and sorted(rows[count : 2 * count]) == every
    assert rows[:count] != rows[count : 2 * count]  # each epoch has its own order
    assert loader.steps_per_epoch == count / 10


def test_two_processes_give_what_one_gives(store):
    options = dict(batch_size=8, seed=11, transpose=(-5, 6), drop_drums=0.2, mix_drums=0.5)
    whole = Loader(store, TRIO, **options)
    halves = [Loader(store, TRIO, **options, process_index=p, process_count=2) for p in range(2)]
    for step in (0, 1, 19, 1000):
        np.testing.assert_array_equal(
            load(whole, step), np.concatenate([load(half, step) for half in halves])
        )


def test_a_process_of_512_reads_its_own_rows_alone(store, monkeypatch):
    many = np.resize(store.windows(TRIO, 'train'), (2048, 3))
    gather, read = type(store).gather_parts, []

    def counted(self, offsets, form):
        read.append(len(offsets))
        return gather(self, offsets, form)

    monkeypatch.setattr(type(store), 'windows', lambda *_: many)
    monkeypatch.setattr(type(store), 'gather_parts', counted)
    one = Loader(store, TRIO, 1024, 0, (-5, 6), process_index=311, process_count=512)
    own = load(one, 3)
    assert read == [2]
    whole = load(Loader(store, TRIO, 1024, 0, (-5, 6)), 3)
    np.testing.assert_array_equal(own, whole[622:624])


def test_iterating_resumes_exactly(store):
    options = dict(form=make_form('trio', 16), batch_size=4, seed=5, transpose=(-3, 3))
    loader = Loader(store, **options)
    straight = list(itertools.islice(loader.iterate(), 9))
    resumed = list(itertools.islice(Loader(store, **options).iterate(5), 4))
    for step, batch in enumerate(straight):
        assert joined(loader.form, batch).shape == (4, 256, 3)
        np.testing.assert_array_equal(joined(loader.form, batch), load(loader, step))
    for one, other in zip(straight[5:], resumed, strict=True):
        for a, b in zip(one.streams, other.streams, strict=True):
            np.testing.assert_array_equal(a, b)


def test_seeds_shuffle_differently(store):
    one, other = (Loader(store, DRUMS, 16, seed) for seed in (0, 1))
    assert not np.array_equal(load(one, 0), load(other, 0))
    np.testing.assert_array_equal(load(one, 3), load(Loader(store, DRUMS, 16, 0), 3))


def test_transposition_moves_melody_and_bass_together_and_never_drums(store):
    count, batch = store.count(TRIO, 'train'), 8
    plain, moved = (
        Loader(store, TRIO, batch, 2),
        Loader(store, TRIO, batch, 2, transpose=(-5, 6)),
    )
    shifts = {}
    for step in range(2 * count // batch):
        before, after = load(plain, step), load(moved, step)
        np.testing.assert_array_equal(before[:, :, 2], after[:, :, 2])
        tonal, changed = before[:, :, :2], after[:, :, :2]
        np.testing.assert_array_equal(tonal < 2, changed < 2)
        np.testing.assert_array_equal(tonal[tonal < 2], changed[tonal < 2])
        for row in range(batch):
            difference = (changed - tonal)[row][tonal[row] >= 2]
            assert len(set(difference.tolist())) == 1  # one shift per example, for both streams
            shifts.setdefault(before[row].tobytes(), []).append(int(difference[0]))
    every = list(itertools.chain(*shifts.values()))
    assert set(every) == set(range(-5, 7))
    pairs = [pair for pair in shifts.values() if len(pair) == 2]
    assert np.mean([one != other for one, other in pairs]) > 0.5  # drawn anew in the next epoch
    drums = Loader(store, DRUMS, 16, 0), Loader(store, DRUMS, 16, 0, transpose=(-5, 6))
    np.testing.assert_array_equal(load(drums[0], 0), load(drums[1], 0))


def test_transposition_stays_inside_the_notation(tmp_path):
    (tmp_path / 'midi').mkdir()
    for number in range(4):
        high = [(start, length, 115 + pitch - 60) for start, length, pitch in tune(number)]
        deep = [(start, length, pitch - 60) for start, length, pitch in tune(number + 50)]
        (tmp_path / 'midi' / f'high and deep {number} tune.mid').write_bytes(midi(high, []))
        (tmp_path / 'midi' / f'deepest of all {number} tune.mid').write_bytes(midi(deep, []))
    store = build_store(tmp_path / 'midi', tmp_path / 'out', workers=1, quiet=True)
    loader = Loader(store, MELODY, 8, 0, transpose=(-30, 30))
    batches = np.concatenate([load(loader, step) for step in range(40)])
    assert batches.max() == 129 and batches.min() == 0
    plain = Loader(store, MELODY, 8, 0)
    before = np.concatenate([load(plain, step) for step in range(40)])
    np.testing.assert_array_equal(before >= 2, batches >= 2)


@pytest.mark.parametrize('form', [DRUMS, TRIO], ids=str)
def test_drum_classes_are_left_out_of_whole_examples_and_nothing_else_changes(store, form):
    plain, thinned = Loader(store, form, 8, 2), Loader(store, form, 8, 2, drop_drums=0.3)
    expected, left_out = 0.0, 0
    for step in range(2 * store.count(form, 'train') // 8):
        before, after = load(plain, step), load(thinned, step)
        np.testing.assert_array_equal(before[..., :-1], after[..., :-1])
        was, now = ((x[..., -1, None] >> np.arange(9)) & 1 for x in (before, after))
        used, kept = was.any(1), now.any(1)
        # A class is there as it was, or not at all.
        np.testing.assert_array_equal(now, was * kept[:, None])
        assert kept.any(1).sum() == used.any(1).sum()  # where there were drums there are some
        n = used.sum(1)
        expected += (n * (0.3 - 0.3**n)).sum()  # dropped, but not all n at once
        left_out += (used & ~kept).sum()
    assert expected > 100 and left_out == pytest.approx(expected, rel=0.25)
    np.testing.assert_array_equal(
        load(thinned, 3), load(Loader(store, form, 8, 2, drop_drums=0.3), 3)
    )


@pytest.mark.parametrize('form', [DRUMS, TRIO], ids=str)
def test_drum_classes_are_exchanged_for_those_of_another_window_of_the_training_split(store, form):
    plain, mixing = Loader(store, form, 8, 2), Loader(store, form, 8, 2, mix_drums=0.5)

    def rows_of(window):
        return [row.tobytes() for row in ((window[:, -1, None] >> np.arange(9)) & 1).T]

    every = {row for window in everything(store, form) for row in rows_of(window)}
    changed = 0
    steps = 2 * store.count(form, 'train') // 8
    for step in range(steps):
        before, after = load(plain, step), load(mixing, step)
        np.testing.assert_array_equal(before[..., :-1], after[..., :-1])
        assert all(row in every for window in after for row in rows_of(window))
        changed += (before[..., -1] != after[..., -1]).any(1).sum()
    assert 0.3 < changed / (8 * steps) < 0.5  # half of the examples, some with drums alike
    np.testing.assert_array_equal(
        load(mixing, 3), load(Loader(store, form, 8, 2, mix_drums=0.5), 3)
    )


def test_a_batch_that_is_not_varied_has_the_music_as_it_is(store):
    options = dict(batch_size=8, seed=2)
    varied = Loader(store, TRIO, **options, transpose=(-5, 6), drop_drums=0.3, mix_drums=0.5)
    as_it_is = load(Loader(store, TRIO, **options), 3)
    np.testing.assert_array_equal(joined(TRIO, varied.batch(3, varied=False)), as_it_is)
    assert not np.array_equal(load(varied, 3), as_it_is)


def test_the_uniform_stream_can_be_entered_anywhere():
    whole = _uniform(3, 0, 50)
    assert ((whole >= 0) & (whole < 1)).all() and len(set(whole)) == 50
    for first in range(20):
        np.testing.assert_array_equal(_uniform(3, first, 7), whole[first : first + 7])


def counted(batches):
    """The pieces of evaluation batches that count."""
    return np.concatenate([joined(TRIO, batch)[batch.mask == 1] for batch in batches])


def test_evaluation_covers_a_split_once_with_a_mask(store):
    loader = Loader(store, TRIO, 8, 1, transpose=(-5, 6))
    count = store.count(TRIO, 'validation')
    batches = list(loader.evaluation_batches('validation', 7))
    assert all(joined(TRIO, batch).shape == (7, 32, 3) for batch in batches)
    assert sum(batch.mask.sum() for batch in batches) == count and len(batches) == -(-count // 7)
    np.testing.assert_array_equal(counted(batches), everything(store, TRIO, 'validation'))
    songs = loader.evaluation_songs('validation')
    np.testing.assert_array_equal(songs, store.songs(TRIO, 'validation'))


def test_limited_evaluation_is_a_fixed_subset_that_processes_share(store):
    loader = Loader(store, TRIO, 8, 1)
    whole = list(loader.evaluation_batches('train', 4, limit=10))
    assert [batch.mask.tolist() for batch in whole] == [[1] * 4, [1] * 4, [1, 1, 0, 0]]
    rows = contents([counted(whole)])
    assert len(set(rows)) == 10
    assert rows == contents([counted(loader.evaluation_batches('train', 4, limit=10))])
    halves = [Loader(store, TRIO, 8, 1, process_index=p, process_count=2) for p in range(2)]
    shares = [list(half.evaluation_batches('train', 4, limit=10)) for half in halves]
    for batch, *parts in zip(whole, *shares, strict=True):
        tokens = [joined(TRIO, part) for part in parts]
        np.testing.assert_array_equal(joined(TRIO, batch), np.concatenate(tokens))
        np.testing.assert_array_equal(batch.mask, np.concatenate([part.mask for part in parts]))


def test_fewer_windows_than_a_batch(store):
    form = make_form('trio', 16)
    count = store.count(form, 'train')
    words = f'{count} training windows of 16-bar trio, fewer than a batch of 4096.*batch_size='
    with pytest.raises(InputError, match=words):
        Loader(store, form, 4096, 0)


def test_a_form_in_another_notation_is_refused(store):
    with pytest.raises(InputError, match='another notation .*steps_per_bar 16 instead of 8'):
        Loader(store, make_form('trio', 2, Notation(steps_per_quarter=2)), 8, 0)
    with pytest.raises(InputError, match='no 3-bar trio windows for train'):
        Loader(store, make_form('trio', 3), 8, 0)


def test_an_empty_split_is_refused_at_the_call(tmp_path):
    (tmp_path / 'midi').mkdir()
    (tmp_path / 'midi' / 'only one song.mid').write_bytes(song(1))
    store = build_store(tmp_path / 'midi', tmp_path / 'out', workers=1, quiet=True)
    empty = next(
        split for split in ('validation', 'test', 'train') if not store.count(DRUMS, split)
    )
    if store.count(DRUMS, 'train'):
        with pytest.raises(InputError, match=f'no 2-bar drums windows in {empty}'):
            Loader(store, DRUMS, 2, 0).evaluation_batches(empty, 2)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(batch_size=9, process_count=2), 'batch of 9 cannot be shared evenly by 2 processes'),
        (dict(batch_size=0), 'batch of 0'),
        (dict(batch_size=8, process_index=2, process_count=2), 'process 2 of 2'),
        (dict(batch_size=8, transpose=(1, 5)), 'must hold 0'),
        (dict(batch_size=8, drop_drums=1.0), 'drop_drums=1.0 must be a probability below 1'),
        (dict(batch_size=8, mix_drums=-0.1), 'mix_drums=-0.1 must be a probability below 1'),
        (dict(batch_size=8, seed=-1), 'must not be negative'),
    ],
)
def test_wrong_options(store, options, message):
    with pytest.raises(InputError, match=message):
        Loader(store, TRIO, **({'seed': 0} | options))


def test_a_store_with_test_windows_alone_can_be_evaluated(tmp_path):
    (tmp_path / 'midi').mkdir()
    rows = ['midi_filename,split', *(f'song {number}.mid,test' for number in range(3))]
    (tmp_path / 'midi' / 'info.csv').write_text('\n'.join(rows))
    for number in range(3):
        (tmp_path / 'midi' / f'song {number}.mid').write_bytes(song(number))
    store = build_store(tmp_path / 'midi', tmp_path / 'out', workers=1, quiet=True)
    assert not store.count(TRIO, 'train')
    loader = Loader(store, TRIO, None, 0)
    batches = loader.evaluation_batches('test', 10)
    np.testing.assert_array_equal(counted(batches), everything(store, TRIO, 'test'))
    with pytest.raises(InputError, match='0 training windows of 2-bar trio'):
        Loader(store, TRIO, 1, 0)
    with pytest.raises(InputError, match='no 2-bar trio windows in train'):
        loader.evaluation_batches('train', 10)
