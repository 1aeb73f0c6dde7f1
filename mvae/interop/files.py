"""Stretches of files, read by offset; files in a tar; the latest checkpoint of a folder."""

import os
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

from mvae.errors import InputError
from mvae.files import Missing, open_regular, read

_MOST_LIST = 2**20  # bytes of a `checkpoint` file


@dataclass(frozen=True)
class Stretch:
    """`size` bytes of a file from `start` on.

    It is a file of its own, or a member of a tar, which is never unpacked.
    """

    path: Path
    start: int
    size: int

    @classmethod
    def of_file(cls, path: Path) -> 'Stretch':
        """The whole file. Raises InputError where there is no such file."""
        with open_regular(path) as file:
            return cls(path, 0, os.fstat(file.fileno()).st_size)

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on. Raises InputError where the stretch has no such bytes."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise InputError(f'{self.path} has no {size} bytes at {offset}; it is truncated')
        try:
            with open_regular(self.path) as file:
                file.seek(self.start + offset)
                data = file.read(size)
        except OSError as error:
            raise InputError(f'cannot read {self.path}: {error.strerror}') from None
        if len(data) != size:
            raise InputError(f'{self.path} is truncated')
        return data


def tar_members(path: Path) -> dict[str, Stretch]:
    """The plain files in an uncompressed tar by name, as places in it.

    Links, devices and folders are passed over. Raises InputError.
    """
    members: dict[str, Stretch] = {}
    try:
        with open_regular(path) as file, tarfile.open(fileobj=file, mode='r:') as tar:
            total = os.fstat(file.fileno()).st_size
            for member in tar:
                if member.isreg() and not member.issparse():
                    if member.offset_data + member.size > total:
                        raise InputError(f'{path} is truncated: {member.name} ends behind its end')
                    members[member.name] = Stretch(path, member.offset_data, member.size)
    except (tarfile.TarError, OSError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(f'{path} is not an uncompressed tar file, or damaged ({error})') from None
    return members


def latest_checkpoint(folder: Path) -> Path | None:
    """The prefix that the folder's `checkpoint` file names, None where it names none.

    It lies inside the folder, whatever the file says.
    """
    try:
        text = read(folder / 'checkpoint', _MOST_LIST).decode('utf-8', 'replace')
    except Missing:
        return None
    found = re.search(r'^model_checkpoint_path:\s*"([^"\n]*)"', text, re.MULTILINE)
    if not found:
        return None
    name = Path(found.group(1)).name  # an absolute path is that of the machine that trained
    return folder / name
