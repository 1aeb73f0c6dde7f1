"""Folders on object storage: a copy of each machine, and the storage (here fsspec's memory)."""

import fsspec
import pytest

from mvae import remote
from mvae.errors import InputError

ADDRESS = 'memory://bucket/runs/x'


@pytest.fixture
def storage():
    system = fsspec.filesystem('memory')
    system.store.clear()
    yield system
    system.store.clear()


@pytest.fixture
def machine(tmp_path, monkeypatch, storage):
    """Goes to a machine of a name: each has a disk of its own."""

    def go(name):
        monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / name))
        return remote.local(ADDRESS)

    return go


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace('__', '/').replace('_', '.')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def read(folder):
    files = (path for path in folder.rglob('*') if path.is_file())
    names = {path.relative_to(folder).as_posix(): path.read_text() for path in files}
    return {name: text for name, text in names.items() if '.remote.' not in name}


@pytest.mark.parametrize(
    'path, address',
    [
        *(
            ('gs://bucket/x', 'gs://bucket/x'),
            ('gs:/bucket/x', 'gs://bucket/x'),
            ('s3://b/x', 's3://b/x'),
            *(('file:/a/b', 'file:///a/b'), ('file:///a/b', 'file:///a/b')),
        ),
        *(('runs/x', None), ('hf://owner/name', None), ('C:/x', None), ('localhost:80', None)),
        ('https://example.org/x', None),
    ],
)
def test_addresses_are_told_from_paths(path, address):
    assert remote.is_address(path) == (address is not None)
    assert remote.address_of(path) == (address or path)


def test_a_folder_goes_from_machine_to_machine(machine, storage):
    first = machine('first')
    assert read(first) == {} and not remote.push(first)
    write(first, a_txt='1', sub__b_txt='2')
    assert remote.push(first) and not remote.push(first)
    assert storage.cat('/bucket/runs/x/sub/b.txt') == b'2'
    second = machine('second')
    assert read(second) == {'a.txt': '1', 'sub/b.txt': '2'} and not remote.push(second)
    write(second, a_txt='changed', c_txt='3')
    (second / 'sub/b.txt').unlink()
    assert remote.push(second)
    assert read(machine('first')) == read(second) == {'a.txt': 'changed', 'c.txt': '3'}
    assert not storage.exists('/bucket/runs/x/sub/b.txt')


def test_what_was_not_sent_stays_where_nobody_else_has_sent(machine):
    folder = machine('one')
    write(folder, a_txt='1')
    remote.push(folder)
    write(folder, a_txt='newer')
    assert read(machine('one')) == {'a.txt': 'newer'}
    assert remote.push(folder)


def test_two_that_write_are_told(machine):
    first, second = machine('first'), machine('second')
    write(first, a_txt='1')
    write(second, a_txt='2')
    remote.push(first)
    with pytest.raises(InputError, match='another machine has written'):
        remote.push(second)
    assert read(second) == {'a.txt': '2'}  # nothing is lost


def test_a_machine_that_dies_while_it_sends_leaves_the_moment_before(machine, storage, monkeypatch):
    first = machine('first')
    write(first, a_txt='1')
    remote.push(first)
    write(first, b_txt='2', c_txt='3')
    whole = type(storage).put_file

    def dies(self, local, there, **more):
        if there.endswith('c.txt'):
            raise OSError('gone')
        return whole(self, local, there, **more)

    monkeypatch.setattr(type(storage), 'put_file', dies)
    with pytest.raises(remote.Unreachable, match='gone; all is whole in .*, and the same command'):
        remote.push(first)
    monkeypatch.undo()
    assert read(first) == {'a.txt': '1', 'b.txt': '2', 'c.txt': '3'}
    assert storage.exists('/bucket/runs/x/b.txt')
    monkeypatch.setenv('XDG_CACHE_HOME', str(first.parents[4] / 'second'))
    assert read(remote.local(ADDRESS)) == {'a.txt': '1'}
    assert remote.push(first)


def test_folders_that_others_filled_have_no_list(machine, storage):
    storage.pipe('/bucket/runs/x/a.txt', b'1')
    folder = machine('one')
    assert read(folder) == {'a.txt': '1'}
    storage.pipe('/bucket/runs/x/a.txt', b'two')
    assert read(machine('one')) == {'a.txt': 'two'}


def test_halves_and_locks_are_not_sent(machine, storage):
    folder = machine('one')
    write(folder, a_txt='1', b_txt_partial='half')
    (folder / '.lock').write_text('me')
    (folder / '7.orbax-checkpoint-tmp').mkdir()
    (folder / '7.orbax-checkpoint-tmp/x').write_text('half')
    remote.push(folder)
    there = storage.find('/bucket/runs/x')
    assert [name.removeprefix('/bucket/runs/x/') for name in there] == ['.manifest.json', 'a.txt']


@pytest.mark.parametrize(
    'address, why',
    [
        *(('memory://bucket/../x', 'names no folder'), ('memory://a//b', 'names no folder')),
        ('nowhere://bucket/x', 'nowhere:// needs a package|names no storage'),
        ('memory://bucket/file', 'is a file; name a folder'),
    ],
)
def test_what_is_no_folder_of_a_storage_is_said(address, why, machine, storage):
    machine('one')
    storage.pipe('/bucket/file', b'1')
    with pytest.raises(InputError, match=why):
        remote.local(address)


def test_names_that_lead_out_of_the_folder_are_refused(machine, storage):
    storage.store['/bucket/runs/x/../../evil'] = storage.open('/bucket/y', 'wb')
    with pytest.raises(InputError, match='has a file that no folder can hold'):
        machine('one')


@pytest.fixture
def s3(monkeypatch):
    """A server of S3 on the loopback, with a bucket."""
    server = pytest.importorskip('moto.server', reason='moto is not installed')
    pytest.importorskip('s3fs', reason='s3fs is not installed')
    running = server.ThreadedMotoServer('127.0.0.1', 0)
    running.start()
    host, port = running.get_host_and_port()
    monkeypatch.setenv('AWS_ENDPOINT_URL', f'http://{host}:{port}')
    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'):
        monkeypatch.setenv(name, 'testing')
    monkeypatch.setenv('AWS_DEFAULT_REGION', 'us-east-1')
    fsspec.filesystem('s3').mkdir('bucket')
    yield fsspec.filesystem('s3')
    running.stop()


def test_a_server_of_s3_holds_a_folder(s3, tmp_path, monkeypatch):
    address, read_back = 's3://bucket/runs/x', []
    for disk in ('first', 'second'):
        monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / disk))
        folder = remote.local(address)
        read_back.append(read(folder))
        write(folder, a_txt=disk, **{f'sub__{disk}_txt': '1'})
        assert remote.push(folder) and not remote.push(folder)
    assert read_back == [{}, {'a.txt': 'first', 'sub/first.txt': '1'}]
    names = [name.removeprefix('bucket/runs/x/') for name in s3.find('bucket/runs/x')]
    assert names == ['.manifest.json', 'a.txt', 'sub/first.txt', 'sub/second.txt']
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'first'))
    assert read(remote.local(address))['a.txt'] == 'second'
    nowhere = remote.local('s3://nowhere/x')
    write(nowhere, a_txt='1')
    with pytest.raises(remote.Unreachable, match='cannot write s3://nowhere/x'):
        remote.push(nowhere)


def test_a_copy_without_its_storage_is_no_copy(tmp_path):
    assert not remote.push(tmp_path)
    assert remote.local(tmp_path) == tmp_path
