"""A build on Beam makes the same store as a build on this machine."""

import csv
import json

import numpy as np
import pytest
from faulty_readers import faulty_reader
from midi_maker import low, midi, song, tune

pytest.importorskip('apache_beam')

from mvae.dataset.beam import Beam
from mvae.dataset.build import BuildSettings, build_store
from mvae.dataset.loader import Loader
from mvae.dataset.store import META_FILE, SPLITS


@pytest.fixture(scope='module')
def stores(tmp_path_factory):
    """A local store and one of Beam.

    Of the same music with copies, retold songs, broken files and an official split.
    """
    folder = tmp_path_factory.mktemp('beam')
    files = {f'melody {number} of the test.mid': song(number) for number in range(12)}
    files |= {f'live/melody {n} of the test (live).mid': song(n, 24) for n in range(3)}
    files |= {
        f'{name * 5}.mid': midi(tune(n, 15), low(tune(n + 90))) for n, name in enumerate('abc')
    }
    files |= {'copy.mid': song(5), 'broken.mid': b'nothing', 'empty.mid': midi(), 'note.txt': b''}
    files['info.csv'] = b'midi_filename,split\nmelody 7 of the test.mid,validation\n'
    for name, content in files.items():
        (folder / 'midi' / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / 'midi' / name).write_bytes(content)
    local = build_store(folder / 'midi', folder / 'local', workers=1, quiet=True)
    beam = build_store(folder / 'midi', folder / 'beam', quiet=True, runner=Beam())
    assert not (folder / 'beam.building').exists()
    return local, beam


def test_all_files_but_the_tokens_are_the_same(stores):
    local, beam = stores
    own, other = ({path.name for path in store.path.iterdir()} for store in stores)
    tokens = {f'tokens-{number:05d}-of-00021.npy' for number in range(21)}
    assert other - own == tokens and own - other == {'tokens.npy'}
    for name in own & other - {META_FILE}:
        assert (local.path / name).read_bytes() == (beam.path / name).read_bytes()
    meta = json.loads((beam.path / META_FILE).read_text())
    assert sum(meta.pop('shards')) == meta['tokens']
    assert meta == local.meta
    assert meta['funnel']['files']['rejected'] == {'unreadable': 1, 'duplicate_file': 1, 'empty': 1}


def test_windows_and_batches_are_the_same(stores):
    local, beam = stores
    np.testing.assert_array_equal(np.concatenate(beam.tokens.files), local.tokens.files[0])
    for key in local.forms:
        form = local.form(*key)
        for split in SPLITS:
            pieces = [store.gather(store.windows(form, split), form) for store in stores]
            np.testing.assert_array_equal(*pieces)
        one, two = (Loader(store, form, 4, 0, (-5, 6)).batch(2) for store in stores)
        for ours, theirs in zip(one.streams, two.streams, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_file_that_hangs_or_dies_costs_that_file_alone(tmp_path):
    files = {f'melody {number} of the test.mid': song(number) for number in range(4)}
    files |= {'a hangs.mid': b'HANG', 'b dies.mid': b'DIE'}
    (tmp_path / 'midi').mkdir()
    for name, content in files.items():
        (tmp_path / 'midi' / name).write_bytes(content)
    store = build_store(
        tmp_path / 'midi',
        tmp_path / 'out',
        BuildSettings(time_limit=1.5),
        reader=faulty_reader,
        quiet=True,
        runner=Beam(),
    )
    assert store.meta['funnel']['files']['used'] == 4
    with open(tmp_path / 'out' / 'rejected.csv', newline='') as file:
        reasons = {row['path']: row['reason'] for row in csv.DictReader(file)}
    assert reasons == {'a hangs.mid': 'timeout', 'b dies.mid': 'crashed'}
