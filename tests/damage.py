"""Damage to files and folders, drawn by a generator: what the fuzzing program hands to readers."""

import copy
import io
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

Rng = np.random.Generator
_ODD: list[Any] = [
    None, True, 0, -1, 1, 7, 0.5, -2.5, 2**31, 2**63, 10**30, 1e308, float('nan'), float('inf'), '',
    'x', '²', '١٢', '12', '../../x', '/etc/passwd', 'a' * 3000, 'a\x00b', '\ud800', '\n\x1b[2J',
    [], {}, [[]], [1, 2, 3], ['a'], {'a': 1}, list(range(1000)),
]  # fmt: skip
_NAMES = ['²', '١٢', '٣', '-1', '007', '9' * 30, '1e3', ' 0', '0.orbax-checkpoint-tmp', '\udcff']


def draw(rng: Rng, choices: Any) -> Any:
    """One of a sequence."""
    return choices[int(rng.integers(len(choices)))]


def flip(rng: Rng, data: bytes) -> bytes:
    """One bit."""
    place = int(rng.integers(8 * len(data)))
    return data[: place // 8] + bytes([data[place // 8] ^ 1 << place % 8]) + data[place // 8 + 1 :]


def spoil(rng: Rng, data: bytes) -> bytes:
    """Bytes that were cut, flipped, overwritten or doubled."""
    start, end = sorted(int(x) for x in rng.integers(len(data) + 1, size=2))
    how = int(rng.integers(6))
    if how == 0:
        return data[:start]
    if how == 1:
        return data[:start] + rng.bytes(min(end - start, 64)) + data[start + min(end - start, 64) :]
    if how == 2:
        return data[:start] + data[end:]
    if how == 3:
        return data[:end] + data[start:]
    if how == 4:
        return data + rng.bytes(int(rng.integers(1, 100)))
    return flip(rng, data) if data else b'\x00'


def spoil_midi(rng: Rng, data: bytes, other: bytes) -> bytes:
    """As `spoil`; or spliced with another file, or with lengths and times that cannot be."""
    data = _spoil_midi(rng, data, other)
    return _mend_lengths(data) if rng.integers(3) else data


def _spoil_midi(rng: Rng, data: bytes, other: bytes) -> bytes:
    how, place = int(rng.integers(10)), int(rng.integers(14, len(data)))
    if how == 0:
        return data[:place] + other[int(rng.integers(len(other))) :]
    if how == 1:  # the length of a chunk
        chunk = draw(rng, [i for i in range(len(data)) if data[i : i + 2] == b'MT'] or [0])
        return data[: chunk + 4] + rng.bytes(4) + data[chunk + 8 :]
    if how == 2:  # a number of variable length
        absurd = draw(rng, [b'\xff\xff\xff\x7f', b'\xff' * 9 + b'\x7f', b'\xff' * 500, b'\x80' * 8])
        return data[:place] + absurd + data[place:]
    if how == 3:  # format, number of tracks, division
        header = draw(rng, [rng.bytes(6), b'\x00\x01' + rng.bytes(4), b'\x00\x00\x00\x03\x00\x01'])
        return data[:8] + header + data[14:]
    if how == 4:  # a meta event: tempo, meter, key, text
        kind = bytes([0, 255, draw(rng, [1, 3, 0x20, 0x2F, 0x51, 0x54, 0x58, 0x59, 0x7F])])
        return data[:22] + kind + rng.bytes(int(rng.integers(1, 12))) + data[22:]
    if how == 5:
        return data[:14] + rng.bytes(int(rng.integers(200)))
    if how == 6:
        return spoil(rng, data)
    events = np.frombuffer(data, np.uint8).copy()  # other values; what was a status stays one
    places = rng.integers(22, len(events), size=int(rng.integers(1, 30)))
    events[places] ^= rng.integers(128, size=len(places), dtype=np.uint8)
    return events.tobytes()


def _mend_lengths(data: bytes) -> bytes:
    """Lengths of tracks as they are now, so that what lies in them is reached."""
    head, *tracks = data.split(b'MTrk')
    bodies = (track[4:] + b'\x00\xff\x2f\x00' for track in tracks)
    return head + b''.join(b'MTrk' + len(b).to_bytes(4, 'big') + b for b in bodies)


def spoil_json(rng: Rng, text: bytes) -> bytes:
    """JSON with fields that are missing, of another type or absurd, or nested deeply."""
    if rng.integers(10) == 0:
        depth = draw(rng, [40, 900, 5_000, 200_000])
        return draw(rng, [b'[', b'{"a":']) * depth + draw(rng, [b'', b']' * depth])
    value = {'': json.loads(text)}
    for _ in range(int(rng.integers(1, 4))):
        inside, key = value, ''
        while isinstance(inside[key], dict | list) and inside[key] and rng.integers(4):
            inside = inside[key]
            key = draw(rng, list(inside) if isinstance(inside, dict) else range(len(inside)))
        if rng.integers(3) == 0 and inside is not value:
            del inside[key]
        else:
            inside[key] = copy.deepcopy(draw(rng, _ODD))
    return json.dumps(value['']).encode()


def spoil_npz(rng: Rng, data: bytes) -> bytes:
    """An archive with other metadata, or an array that is missing, of another kind, or claimed."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        members = {name: old.read(name) for name in old.namelist()}
    name = draw(rng, list(members))
    array = np.load(io.BytesIO(members[name]))
    how = int(rng.integers(7))
    if how < 3 and 'meta.json.npy' in members:
        name, old_meta = 'meta.json.npy', np.load(io.BytesIO(members['meta.json.npy']))
        array = np.frombuffer(spoil_json(rng, old_meta.tobytes()), np.uint8)
    elif how == 3:
        array = array.astype(draw(rng, ['f2', 'f8', 'i8', 'c16', 'S3', '?']))
    elif how == 4:
        none = np.atleast_1d(array)[:0]
        array = draw(rng, [array[..., None], array.reshape(-1), none, np.float32(3)])
    elif how == 5 and array.dtype.kind == 'f':
        array = np.where(rng.random(array.shape) < 0.5, array, draw(rng, [np.nan, np.inf, -1e4]))
    members[name] = _npy(np.asarray(array))
    if how == 6:
        shape = draw(rng, [(10**12,), (2**40, 2**40), (-5,), (10**6, 100), ()])
        members[name] = members[name].replace(str(array.shape).encode(), str(shape).encode())
    if rng.integers(8) == 0:
        del members[name]
    if rng.integers(20) == 0:
        members[draw(rng, [name, 'a' * 3000, '../x.npy'])] = bytes(2**26)  # a bomb
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
    return buffer.getvalue()


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def replace(rng: Rng, path: Path) -> str:
    """Puts something else in the place of a file or folder, and says what."""
    what = draw(rng, ['nothing', 'empty', 'folder', 'pipe', 'loop', 'link', 'name', 'huge', 'shut'])
    if what == 'name':
        path.rename(path.with_name(draw(rng, _NAMES)))
    elif what == 'shut':
        path.chmod(0)
    else:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        if what == 'empty':
            path.write_bytes(b'')
        elif what == 'folder':
            path.mkdir()
        elif what == 'pipe':
            os.mkfifo(path)
        elif what == 'loop':
            path.symlink_to(path.name)
        elif what == 'link':
            path.symlink_to(draw(rng, ['/dev/zero', '/dev/full', '/', '/nowhere', '/etc/passwd']))
        elif what == 'huge':
            with path.open('wb') as file:
                file.truncate(2**40)
    return what


def damage(rng: Rng, place: Path) -> str:
    """Damages one file of a folder, or a file, and says what was done."""
    paths = sorted(place.rglob('*')) if place.is_dir() else [place]
    files = [path for path in paths if path.is_file() and path.stat().st_size]
    if rng.integers(4) == 0:
        path = draw(rng, paths)
        return f'{replace(rng, path)} in place of {path.relative_to(place.parent)}'
    kept = [path for path in files if _is_json(path) or path.suffix == '.npz']
    path = draw(rng, kept if kept and rng.integers(4) else files)
    how = spoil
    if path in kept and rng.integers(6):
        how = spoil_npz if path.suffix == '.npz' else spoil_json
    path.write_bytes(how(rng, path.read_bytes()))
    return f'{how.__name__} {path.relative_to(place.parent)}'


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True
