"""Arrays in files of anybody: what they claim is checked before memory is taken."""

import io
import zipfile

import numpy as np
import pytest

from mvae.arrays import Npz, read_header
from mvae.errors import InputError


def _npy(header: bytes, values: bytes = b'') -> bytes:
    return b'\x93NUMPY\x01\x00' + len(header).to_bytes(2, 'little') + header + values


def _archive(path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, 'w', method) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def test_arrays_come_back(tmp_path):
    arrays = {'a': np.arange(6, dtype=np.float16).reshape(2, 3), 'none': np.zeros((0, 3), np.int8)}
    np.savez_compressed(tmp_path / 'a.npz', **arrays)
    found = Npz(tmp_path / 'a.npz')
    assert found.headers['a'] == ((2, 3), np.dtype(np.float16)) and found.headers['a'].bytes == 12
    for name, values in arrays.items():
        np.testing.assert_array_equal(found.read(name), values)


@pytest.mark.parametrize(
    'header',
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}\n",
        b"{'descr': '|O', 'fortran_order': False, 'shape': ()}\n",
        b"{'descr': '<f4'}\n",
        b'(' * 9000,
        b'',
    ],
)
def test_headers_that_do_not_fit_their_bytes(tmp_path, header):
    path = _archive(tmp_path / 'a.npz', {'a.npy': _npy(header, bytes(4))})
    with pytest.raises(InputError, match='a.npz is no archive of numpy arrays, or is damaged'):
        Npz(path)
    if header:
        with pytest.raises(ValueError):
            read_header(io.BytesIO(_npy(header)), len(_npy(header)) + 4)


def test_a_bomb_is_not_unpacked(tmp_path):
    values = np.zeros(2**26, np.uint8)
    np.savez_compressed(tmp_path / 'bomb.npz', a=values)
    with pytest.raises(InputError, match=r'it claims 1 arrays of 67,\d+,\d+ bytes'):
        Npz(tmp_path / 'bomb.npz')


def test_other_compressions_and_other_members_are_refused(tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        path = _archive(tmp_path / 'a.npz', {'a.npy': buffer.getvalue()}, method)
        with pytest.raises(InputError, match='another compression than deflate'):
            Npz(path)
    with pytest.raises(InputError, match='damaged'):
        Npz(_archive(tmp_path / 'a.npz', {'readme': b'text'}))
