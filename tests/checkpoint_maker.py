"""Checkpoints in TensorFlow's formats made by hand, whole or broken in a chosen way."""

import io
import json
import struct
import tarfile
from pathlib import Path

import numpy as np

from mvae.interop.crc32c import masked_crc32c


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def entry(shape, shard=0, offset=0, size=0, crc=0, dtype=1) -> bytes:
    """A BundleEntryProto."""
    dimensions = b''.join(
        b'\x12' + varint(len(d)) + d for d in (b'\x08' + varint(n) for n in shape)
    )
    fields = b'\x08' + varint(dtype) + b'\x12' + varint(len(dimensions)) + dimensions
    fields += b'\x18' + varint(shard) + b'\x20' + varint(offset) + b'\x28' + varint(size)
    return fields + b'\x35' + struct.pack('<I', crc)


def block(pairs) -> bytes:
    """A block of a table with its trailer; keys share no beginnings."""
    body = b''.join(varint(0) + varint(len(k)) + varint(len(v)) + k + v for k, v in pairs)
    body += struct.pack('<II', 0, 1)
    return body + b'\x00' + struct.pack('<I', masked_crc32c(body + b'\x00'))


def index(entries: dict[str, bytes], header: bytes = b'\x08\x01') -> bytes:
    """An .index file."""
    data = block(
        [(b'', header), *((name.encode(), value) for name, value in sorted(entries.items()))]
    )
    places = block([(b'\xff', varint(0) + varint(len(data) - 5))])
    footer = varint(0) + varint(0) + varint(len(data)) + varint(len(places) - 5)
    return data + places + footer.ljust(40, b'\x00') + struct.pack('<Q', 0xDB4775248B80FB57)


def write_bundle(prefix: Path, tensors: dict[str, np.ndarray]) -> None:
    entries, data = {}, b''
    for name, values in tensors.items():
        raw = np.ascontiguousarray(values).tobytes()
        entries[name] = entry(
            values.shape,
            0,
            len(data),
            len(raw),
            masked_crc32c(raw),
            9 if values.dtype == np.int64 else 1,
        )
        data += raw
    prefix.parent.mkdir(parents=True, exist_ok=True)
    prefix.with_name(prefix.name + '.index').write_bytes(index(entries))
    prefix.with_name(prefix.name + '.data-00000-of-00001').write_bytes(data)


def write_tar(path: Path, files: dict[str, bytes], links: dict[str, str] | None = None) -> None:
    with tarfile.open(path, 'w') as tar:
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def write_tfjs(
    folder: Path,
    tensors: dict[str, np.ndarray],
    quantise: dict[str, str] | None = None,
    shard_bytes: int = 1000,
) -> None:
    """quantise: {name: 'uint8' or 'uint16'}; the others are plain float32.

    Shards end anywhere, also inside a tensor.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights, data = [], b''
    for name, values in tensors.items():
        about = {'name': name, 'shape': list(values.shape), 'dtype': 'float32'}
        if dtype := (quantise or {}).get(name):
            low, high = float(values.min()), float(values.max())
            scale = (high - low) / np.iinfo(dtype).max
            about['quantization'] = {'dtype': dtype, 'scale': scale, 'min': low}
            data += (
                np.rint((values - low) / scale).astype(np.dtype(dtype).newbyteorder('<')).tobytes()
            )
        else:
            data += values.astype('<f4').tobytes()
        weights.append(about)
    pieces = [data[i : i + shard_bytes] for i in range(0, len(data), shard_bytes)]
    names = [f'group1-shard{n + 1}of{len(pieces)}' for n in range(len(pieces))]
    for name, piece in zip(names, pieces, strict=True):
        (folder / name).write_bytes(piece)
    (folder / 'weights_manifest.json').write_text(
        json.dumps([{'paths': names, 'weights': weights}])
    )
