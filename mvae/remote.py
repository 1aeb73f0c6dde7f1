"""Folders on object storage, such as gs://bucket/runs/x: a copy on this disk, kept up to date.

What works with folders works with the copy. `local` brings it up to date, `push` sends what is new
in it. A machine that comes back with an empty disk so goes on where the last one stopped. The
storage is any that fsspec knows (gs, s3, file, memory, ...).

A list of the files, `.manifest.json`, is sent last, and what is gone is removed behind it. So a
reader finds all files of one moment, also where a machine died while it sent. Each list has a
number of its own. A machine that finds another number than the one it knows is not alone, and
stops.
"""

import os
import re
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from mvae.errors import InputError
from mvae.files import locked, parse_json, read_json, reason, write_json
from mvae.progress import progress

# Of the two slashes a Path leaves one. Windows' drives have one letter; a hub has models, and the
# web is no storage.
_ADDRESS = re.compile(r'(?!hf:|https?:)([a-z][a-z0-9]+):/{1,2}(.+)', re.ASCII)
_EXTRAS = {'gs': 'gs', 'gcs': 'gs', 's3': 's3'}
_MANIFEST = '.manifest.json'
_INDEX, _LOCK = '.remote.json', '.remote.lock'  # endings of what lies beside a copy
_OWN = {_MANIFEST, '.lock'}
_HALF = ('.partial', '.orbax-checkpoint-tmp')
# By which storages say that a file is another one.
_VERSION = ('etag', 'ETag', 'md5Hash', 'generation', 'mtime', 'LastModified', 'created', 'size')


class Unreachable(InputError):
    """The storage did not answer, or refused."""


class _File(msgspec.Struct):
    """A file as it was when copy and storage agreed. changed: here, in nanoseconds."""

    size: int
    changed: int
    version: str


class _Index(msgspec.Struct):
    """What this copy is of, and when they agreed last. edition: of the manifest, '' without."""

    address: str
    edition: str = ''
    files: dict[str, _File] = {}


class _Manifest(msgspec.Struct):
    edition: str
    files: list[str]


class _Folder(NamedTuple):
    """A folder of a storage: its file system (of fsspec), and its path there."""

    address: str
    system: Any
    root: str

    def path(self, name: str) -> str:
        return f'{self.root}/{name}'


def is_address(path: object) -> bool:
    """Whether it names a folder or file on a storage."""
    return _ADDRESS.fullmatch(str(path)) is not None


def address_of(path: str | Path) -> str:
    """A path or an address as one writes it, with both slashes."""
    found = _ADDRESS.fullmatch(str(path))
    if not found:
        return str(path)
    scheme, rest = found.groups()
    return f'{scheme}:///{rest.lstrip("/")}' if scheme == 'file' else f'{scheme}://{rest}'


def local(path: str | Path) -> Path:
    """The path itself, or the up-to-date copy of the folder that an address names.

    There is no copy of what does not exist yet. Copies lie in ~/.cache/mvae (or
    XDG_CACHE_HOME). Raises InputError where the storage cannot be reached.
    """
    return fetch(str(path)) if is_address(path) else Path(path)


def fetch(address: str) -> Path:
    """See `local`. Where nobody else has sent anything, what is new in the copy stays."""
    there = _connect(address)
    cache = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    scheme, rest = there.address.split('://', 1)
    here = cache / 'mvae' / scheme / rest.lstrip('/')
    with locked(_beside(here, _LOCK), f'waiting for another process that fetches {there.address}'):
        try:
            _fetch(there, here)
        except (InputError, KeyboardInterrupt):
            raise
        except Exception as error:  # of a network or a storage: each has its own
            raise Unreachable(f'cannot read {there.address}: {_why(error)}') from None
    return here


def _fetch(there: _Folder, here: Path) -> None:
    index, manifest = _read_index(there, here), _read_manifest(there)
    if manifest and manifest.edition == index.edition:
        return  # nobody sent anything since
    listed = _list(there)
    wanted = sorted(manifest.files) if manifest else sorted(listed)
    if lacking := [name for name in wanted if name not in listed]:
        raise InputError(
            f'{there.address} lacks {lacking[0]}, which its list names: somebody writes there or '
            'has removed it; try again'
        )
    new = [name for name in wanted if not _agrees(here, name, index, listed[name])]
    for name in progress(new, desc=f'fetching {there.address}', unit='file', disable=not new):
        _download(there, here, name)
        _take_down(here, index, name, listed[name])
    for name in set(index.files) - set(wanted):
        (here / name).unlink(missing_ok=True)
        del index.files[name]
    index.edition = manifest.edition if manifest else ''
    write_json(_beside(here, _INDEX), msgspec.to_builtins(index))


def push(folder: str | Path) -> bool:
    """Sends what is new in a copy that `fetch` made; whether anything was. Others have nothing.

    Raises InputError where the storage cannot be written, or another machine has written there
    since: the copy stays as it is.
    """
    here = Path(folder)
    if not _beside(here, _INDEX).is_file():
        return False
    address = read_json(_beside(here, _INDEX), _Index).address
    there = _connect(address)
    with locked(_beside(here, _LOCK), f'waiting for another process that sends to {address}'):
        try:
            return _push(there, here)
        except (InputError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise Unreachable(
                f'cannot write {address}: {_why(error)}; all is whole in {here}, and the same '
                'command sends it'
            ) from None


def _push(there: _Folder, here: Path) -> bool:
    index = _read_index(there, here)
    names = set(_walk(here))
    new = [name for name in sorted(names) if not _is_sent(here, name, index)]
    gone = sorted(set(index.files) - names)
    if not new and not gone:
        return False
    manifest = _read_manifest(there)
    if manifest and manifest.edition != index.edition:
        raise InputError(
            f'another machine has written to {there.address} since this one read it; stop one of '
            f'them. What was made here is in {here}'
        )
    for name in new:
        try:
            there.system.put_file(str(here / name), there.path(name))
        except FileNotFoundError:
            if (here / name).exists():  # it is the storage that lacks something
                raise
            continue  # removed here meanwhile, as old checkpoints are
        _take_down(here, index, name, there.system.info(there.path(name)))
    for name in gone:
        del index.files[name]
    index.edition = uuid.uuid4().hex
    _write_manifest(there, _Manifest(index.edition, sorted(index.files)))
    write_json(_beside(here, _INDEX), msgspec.to_builtins(index))
    for name in gone:
        if there.system.exists(there.path(name)):
            there.system.rm_file(there.path(name))
    return True


def _connect(address: str) -> _Folder:
    address = address_of(address).rstrip('/')
    scheme, rest = address.split('://', 1)
    if not _is_below(rest.lstrip('/')):
        raise InputError(f'{address} names no folder of a storage')
    from fsspec.core import url_to_fs

    more = {'auto_mkdir': True} if scheme == 'file' else {}  # others have no folders to make
    try:
        system, root = url_to_fs(address, **more)
    except ImportError as error:
        extra = _EXTRAS.get(scheme)
        how = f"pip install 'mvae[{extra}]'" if extra else _why(error)
        raise InputError(f'{scheme}:// needs a package that is not installed here: {how}') from None
    except Exception as error:
        raise InputError(f'{address} names no storage: {_why(error)}') from None
    system.invalidate_cache()
    return _Folder(address, system, root.rstrip('/'))


def _list(there: _Folder) -> dict[str, dict[str, Any]]:
    """What fsspec says of each file, by its name below the folder."""
    try:
        found = there.system.find(there.root, detail=True)
    except FileNotFoundError:
        return {}
    names = {path[len(there.root) :].lstrip('/'): info for path, info in found.items()}
    if wrong := [name for name in names if not _is_below(name)]:
        what = f'has a file that no folder can hold, {wrong[0]!r}' if wrong[0] else 'is a file'
        raise InputError(f'{there.address} {what}; name a folder')
    return {name: info for name, info in names.items() if not _is_own(name)}


def _is_below(name: str) -> bool:
    """Whether a name leads to something below a folder, and not out of it."""
    return bool(name) and not {'', '.', '..'} & set(name.split('/'))


def _read_manifest(there: _Folder) -> _Manifest | None:
    try:
        data = there.system.cat_file(there.path(_MANIFEST))
    except FileNotFoundError:
        return None
    return parse_json(data, _Manifest, f'{there.address}/{_MANIFEST}', 'remove it')


def _write_manifest(there: _Folder, manifest: _Manifest) -> None:
    """In one step, as storages write an object; a disk (file://) does it by a new name."""
    path, data = there.path(_MANIFEST), msgspec.json.encode(manifest)
    if there.address.startswith('file:'):
        there.system.pipe_file(path + '.partial', data)
        there.system.mv(path + '.partial', path)
    else:
        there.system.pipe_file(path, data)


def _read_index(there: _Folder, here: Path) -> _Index:
    if not _beside(here, _INDEX).is_file():
        return _Index(there.address)
    return read_json(_beside(here, _INDEX), _Index, f'remove {here}')


def _download(there: _Folder, here: Path, name: str) -> None:
    target = here / name
    beside = target.with_name(target.name + '.partial')
    target.parent.mkdir(parents=True, exist_ok=True)
    there.system.get_file(there.path(name), str(beside))
    os.replace(beside, target)


def _take_down(here: Path, index: _Index, name: str, info: dict[str, Any]) -> None:
    state = (here / name).stat()
    index.files[name] = _File(state.st_size, state.st_mtime_ns, _version(info))


def _agrees(here: Path, name: str, index: _Index, info: dict[str, Any]) -> bool:
    """Whether the copy of a file is what the storage has."""
    return _is_sent(here, name, index) and index.files[name].version == _version(info)


def _is_sent(here: Path, name: str, index: _Index) -> bool:
    """Whether a file is as it was when copy and storage agreed."""
    known = index.files.get(name)
    try:
        state = (here / name).stat()
    except FileNotFoundError:
        return False
    return known is not None and (known.size, known.changed) == (state.st_size, state.st_mtime_ns)


def _version(info: dict[str, Any]) -> str:
    return ' '.join(str(info[key]) for key in _VERSION if info.get(key) is not None)


def _walk(here: Path) -> Iterable[str]:
    for place, folders, names in os.walk(here):
        folders[:] = [name for name in folders if not any(half in name for half in _HALF)]
        for name in names:
            if not _is_own(name):
                yield (Path(place) / name).relative_to(here).as_posix()


def _is_own(name: str) -> bool:
    return name.rsplit('/', 1)[-1] in _OWN or name.endswith((*_HALF, _INDEX, _LOCK))


def _beside(here: Path, ending: str) -> Path:
    return here.with_name(f'.{here.name}{ending}')


def _why(error: Exception) -> str:
    return reason(error).splitlines()[0][:200]
