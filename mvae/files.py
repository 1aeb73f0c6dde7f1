"""Files written whole or not at all."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from mvae.errors import InputError


def write_atomically(path: str | Path, data: bytes) -> None:
    """Writes beside, then renames. Raises InputError naming the path and the reason."""
    path = Path(path)
    beside = path.with_name(path.name + '.partial')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        os.replace(beside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise InputError(f'cannot write {path}: {error.strerror}') from None


def write_json(path: str | Path, value: Any) -> None:
    write_atomically(path, (json.dumps(value, indent=1) + '\n').encode())
