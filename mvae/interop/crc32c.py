"""CRC-32C (Castagnoli), the checksum of TensorFlow's files, over numpy buffers.

It takes many stretches of a buffer side by side, since Python is slow byte by byte.
"""

import functools

import numpy as np

_POLYNOMIAL = 0x82F63B78  # reflected
_WORDS = 64  # of 8 bytes: the least stretch that is worth a lane
_MASK_DELTA = 0xA282EAD8


@functools.cache
def _tables() -> np.ndarray:
    """uint32 [8, 256]: row k is what a byte does to the register that k more bytes follow."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
    rows = [table]
    for _ in range(7):
        rows.append((rows[-1] >> 8) ^ table[rows[-1] & 0xFF])
    return np.stack(rows)


def crc32c(data: bytes | np.ndarray) -> int:
    """The checksum of a buffer."""
    data = np.frombuffer(data, np.uint8)
    register = 0xFFFFFFFF
    while len(data) >= 8 * _WORDS:
        lanes = 1 << (len(data) // (8 * _WORDS)).bit_length() - 1
        lanes = min(lanes, 1 << 14)
        size = len(data) // (8 * lanes) * 8
        register = _advance(data[: lanes * size].reshape(lanes, size), register)
        data = data[lanes * size :]
    table = _tables()[0]
    for byte in data.tolist():
        register = (register >> 8) ^ int(table[(register ^ byte) & 0xFF])
    return register ^ 0xFFFFFFFF


def masked_crc32c(data: bytes | np.ndarray) -> int:
    """As TensorFlow stores it: rotated by 15 bits, a constant added.

    The rotation keeps the checksum good for data that hold checksums themselves.
    """
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def _advance(lanes: np.ndarray, register: int) -> int:
    """The register behind lanes uint8 [a power of two, 8 n] that follow each other.

    All lanes but the first begin at zero; their registers are joined pairwise.
    """
    tables = _tables()[::-1]
    registers = np.zeros(len(lanes), np.uint32)
    registers[0] = register
    for start in range(0, lanes.shape[1], 8 * _WORDS):
        block = np.ascontiguousarray(lanes[:, start : start + 8 * _WORDS].view('<u8').T)
        for words in block:
            octets = (words ^ registers).view(np.uint8).reshape(-1, 8)
            effects = (table.take(octets[:, n]) for n, table in enumerate(tables))
            registers = functools.reduce(np.bitwise_xor, effects)
    shift = _shift(lanes.shape[1])
    while len(registers) > 1:
        registers = _apply(shift, registers[0::2]) ^ registers[1::2]
        shift = _apply(shift, shift)
    return int(registers[0])


def _shift(zeros: int) -> np.ndarray:
    """What so many zero bytes do to a register.

    It is a matrix over GF(2): uint32 [32], the images of single bits.
    """
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    power, result = (bits >> 8) ^ _tables()[0][bits & 0xFF], bits
    while zeros:
        if zeros & 1:
            result = _apply(power, result)
        power, zeros = _apply(power, power), zeros >> 1
    return result


def _apply(matrix: np.ndarray, registers: np.ndarray) -> np.ndarray:
    chosen = (registers[:, None] >> np.arange(32, dtype=np.uint32)) & 1
    return np.bitwise_xor.reduce(np.where(chosen, matrix, np.uint32(0)), axis=1)
