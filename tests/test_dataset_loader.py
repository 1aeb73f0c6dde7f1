import itertools

import numpy as np
import pytest
from midi_maker import midi, song, tune

from mvae.dataset.build import build_store
from mvae.dataset.loader import Loader, _uniform
from mvae.errors import InputError


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp('loader')
    (folder / 'midi').mkdir()
    for number in range(6):
        (folder / 'midi' / f'melody {number} of the test.mid').write_bytes(song(number))
    return build_store(folder / 'midi', folder / 'out', workers=1, quiet=True)


def contents(batches):
    return [row.tobytes() for batch in batches for row in batch]


def test_an_epoch_holds_every_window_once_and_shards_are_disjoint(store):
    count = store.count('trio', 2, 'train')
    everything = contents([store.gather(store.windows('trio', 2, 'train'), 32, 'trio')])
    assert len(set(everything)) == count  # the build left no duplicates
    batch = 6
    shards = [
        Loader(store, 'trio', 2, batch, 7, process_index=p, process_count=3) for p in range(3)
    ]
    # count epochs of batch windows = batch epochs: a whole number of batches
    seen = [contents(shard.batch(step) for step in range(count)) for shard in shards]
    assert all(len(shard) == 2 * count for shard in seen)
    flat = sorted(itertools.chain(*seen))
    assert flat == sorted(everything * batch)
    first = [
        row
        for step in range(count // batch)
        for shard in shards
        for row in contents([shard.batch(step)])
    ]
    assert len(set(first)) == len(
        first
    )  # within the first epoch no process gives what another gave


def test_epochs_run_into_each_other_without_losing_a_window(store):
    count = store.count('melody', 2, 'train')
    loader = Loader(store, 'melody', 2, 10, 3)
    assert count % 10, 'the test wants a remainder'
    rows = contents(loader.batch(step) for step in range(-(-2 * count // 10)))
    everything = sorted(contents([store.gather(store.windows('melody', 2, 'train'), 32, 'melody')]))
    assert sorted(rows[:count]) == everything and sorted(rows[count : 2 * count]) == everything
    assert rows[:count] != rows[count : 2 * count]  # each epoch has its own order
    assert loader.steps_per_epoch == count / 10


def test_two_processes_give_what_one_gives(store):
    options = dict(batch_size=8, seed=11, transpose=(-5, 6), drop_drums=0.2)
    whole = Loader(store, 'trio', 2, **options)
    halves = [
        Loader(store, 'trio', 2, **options, process_index=p, process_count=2) for p in range(2)
    ]
    for step in (0, 1, 19, 1000):
        np.testing.assert_array_equal(
            whole.batch(step), np.concatenate([half.batch(step) for half in halves])
        )


def test_iterating_resumes_exactly(store):
    loader = Loader(store, 'trio', 16, 4, 5, transpose=(-3, 3))
    straight = list(itertools.islice(loader.iterate(), 9))
    resumed = list(
        itertools.islice(Loader(store, 'trio', 16, 4, 5, transpose=(-3, 3)).iterate(5), 4)
    )
    for step, batch in enumerate(straight):
        assert batch.shape == (4, 256, 3) and batch.dtype == np.int32
        np.testing.assert_array_equal(batch, loader.batch(step))
    for one, other in zip(straight[5:], resumed, strict=True):
        np.testing.assert_array_equal(one, other)


def test_seeds_shuffle_differently(store):
    one, other = (Loader(store, 'drums', 2, 16, seed) for seed in (0, 1))
    assert not np.array_equal(one.batch(0), other.batch(0))
    np.testing.assert_array_equal(one.batch(3), Loader(store, 'drums', 2, 16, 0).batch(3))


def test_transposition_moves_melody_and_bass_together_and_never_drums(store):
    count, batch = store.count('trio', 2, 'train'), 8
    plain, moved = (
        Loader(store, 'trio', 2, batch, 2),
        Loader(store, 'trio', 2, batch, 2, transpose=(-5, 6)),
    )
    shifts = {}
    for step in range(2 * count // batch):
        before, after = plain.batch(step), moved.batch(step)
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
    drums = Loader(store, 'drums', 2, 16, 0), Loader(store, 'drums', 2, 16, 0, transpose=(-5, 6))
    np.testing.assert_array_equal(drums[0].batch(0), drums[1].batch(0))


def test_transposition_stays_inside_the_vocabulary(tmp_path):
    (tmp_path / 'midi').mkdir()
    for number in range(4):
        high = [(start, length, 115 + pitch - 60) for start, length, pitch in tune(number)]
        deep = [(start, length, pitch - 60) for start, length, pitch in tune(number + 50)]
        (tmp_path / 'midi' / f'high and deep {number} tune.mid').write_bytes(midi(high, []))
        (tmp_path / 'midi' / f'deepest of all {number} tune.mid').write_bytes(midi(deep, []))
    store = build_store(tmp_path / 'midi', tmp_path / 'out', workers=1, quiet=True)
    loader = Loader(store, 'melody', 2, 8, 0, transpose=(-30, 30))
    batches = np.concatenate([loader.batch(step) for step in range(40)])
    assert batches.max() == 129 and batches.min() == 0
    before = np.concatenate([Loader(store, 'melody', 2, 8, 0).batch(step) for step in range(40)])
    np.testing.assert_array_equal(before >= 2, batches >= 2)


@pytest.mark.parametrize('kind', ['drums', 'trio'])
def test_drum_classes_are_left_out_of_whole_examples_and_nothing_else_changes(store, kind):
    plain, thinned = Loader(store, kind, 2, 8, 2), Loader(store, kind, 2, 8, 2, drop_drums=0.3)
    expected, left_out = 0.0, 0
    for step in range(2 * store.count(kind, 2, 'train') // 8):
        before, after = plain.batch(step), thinned.batch(step)
        np.testing.assert_array_equal(before[..., :-1], after[..., :-1])
        was, now = ((x[..., -1, None] >> np.arange(9)) & 1 for x in (before, after))
        used, kept = was.any(1), now.any(1)
        np.testing.assert_array_equal(
            now, was * kept[:, None]
        )  # a class is there as it was, or not at all
        assert kept.any(1).sum() == used.any(1).sum()  # where there were drums there are some
        n = used.sum(1)
        expected, left_out = (
            expected + (n * (0.3 - 0.3**n)).sum(),
            left_out + (used & ~kept).sum(),
        )  # dropped, but not all n at once
    assert expected > 100 and left_out == pytest.approx(expected, rel=0.25)
    np.testing.assert_array_equal(
        thinned.batch(3), Loader(store, kind, 2, 8, 2, drop_drums=0.3).batch(3)
    )


def test_the_uniform_stream_can_be_entered_anywhere():
    whole = _uniform(3, 0, 50)
    assert ((whole >= 0) & (whole < 1)).all() and len(set(whole)) == 50
    for first in range(20):
        np.testing.assert_array_equal(_uniform(3, first, 7), whole[first : first + 7])


def test_evaluation_covers_a_split_once_with_a_mask(store):
    loader = Loader(store, 'trio', 2, 8, 1, transpose=(-5, 6))
    count = store.count('trio', 2, 'validation')
    batches = list(loader.evaluation_batches('validation', 7))
    assert all(
        tokens.shape == (7, 32, 3) and mask.shape == (7,) and mask.dtype == np.float32
        for tokens, mask in batches
    )
    assert sum(mask.sum() for _, mask in batches) == count and len(batches) == -(-count // 7)
    kept = np.concatenate([tokens[mask == 1] for tokens, mask in batches])
    np.testing.assert_array_equal(
        kept, store.gather(store.windows('trio', 2, 'validation'), 32, 'trio')
    )


def test_limited_evaluation_is_a_fixed_subset_that_processes_share(store):
    loader = Loader(store, 'trio', 2, 8, 1)
    whole = list(loader.evaluation_batches('train', 4, limit=10))
    assert [mask.tolist() for _, mask in whole] == [[1] * 4, [1] * 4, [1, 1, 0, 0]]
    rows = contents(tokens[mask == 1] for tokens, mask in whole)
    assert len(set(rows)) == 10
    assert rows == contents(
        tokens[mask == 1] for tokens, mask in loader.evaluation_batches('train', 4, limit=10)
    )
    halves = [Loader(store, 'trio', 2, 8, 1, process_index=p, process_count=2) for p in range(2)]
    shares = [list(half.evaluation_batches('train', 4, limit=10)) for half in halves]
    for (tokens, mask), *parts in zip(whole, *shares, strict=True):
        np.testing.assert_array_equal(tokens, np.concatenate([part[0] for part in parts]))
        np.testing.assert_array_equal(mask, np.concatenate([part[1] for part in parts]))


def test_fewer_windows_than_a_batch(store):
    count = store.count('trio', 16, 'train')
    with pytest.raises(
        InputError,
        match=f'{count} training windows of 16-bar trio, fewer than a batch of 4096.*batch_size=',
    ):
        Loader(store, 'trio', 16, 4096, 0)


def test_an_empty_split_is_refused_at_the_call(tmp_path):
    (tmp_path / 'midi').mkdir()
    (tmp_path / 'midi' / 'only one song.mid').write_bytes(song(1))
    store = build_store(tmp_path / 'midi', tmp_path / 'out', workers=1, quiet=True)
    empty = next(
        split for split in ('validation', 'test', 'train') if store.count('drums', 2, split) == 0
    )
    if store.count('drums', 2, 'train'):
        with pytest.raises(InputError, match=f'no 2-bar drums windows in {empty}'):
            Loader(store, 'drums', 2, 2, 0).evaluation_batches(empty, 2)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(batch_size=9, process_count=2), 'batch of 9 cannot be shared evenly by 2 processes'),
        (dict(batch_size=0), 'batch of 0'),
        (dict(batch_size=8, process_index=2, process_count=2), 'process 2 of 2'),
        (dict(batch_size=8, transpose=(1, 5)), 'must hold 0'),
        (dict(batch_size=8, drop_drums=1.0), 'probability below 1'),
        (dict(batch_size=8, seed=-1), 'must not be negative'),
    ],
)
def test_wrong_options(store, options, message):
    with pytest.raises(InputError, match=message):
        Loader(store, 'trio', 2, **({'seed': 0} | options))
