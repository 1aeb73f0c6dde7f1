import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvae.dataset import grouped as module
from mvae.dataset.grouped import grouped

RECORD = np.dtype([('key', np.uint64), ('row', np.int64)])


@pytest.mark.parametrize('held', [1, 7, 10**6])
@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 3), max_size=9), max_size=9))
def test_every_record_comes_once_with_all_of_its_key_in_their_order(tmp_path_factory, held, keys):
    scratch, chunks, row = tmp_path_factory.mktemp('scratch'), [], 0
    for own in keys:
        chunk = np.empty(len(own), RECORD)
        chunk['key'], chunk['row'] = own, np.arange(row, row + len(own))
        row += len(own)
        chunks.append(chunk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, '_HELD', held)
        groups = list(grouped(chunks, scratch))
    rows = {key: [] for own in keys for key in own}
    for group in groups:
        assert len(group) and group.dtype == RECORD
        for key in np.unique(group['key']).tolist():
            assert not rows[key]
            rows[key] = group['row'][group['key'] == key].tolist()
    flat = [key for own in keys for key in own]
    assert rows == {key: [n for n, own in enumerate(flat) if own == key] for key in rows}
    assert not list(scratch.iterdir())
