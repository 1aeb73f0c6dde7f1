"""What users hand in is opened in one place: it may be anything, and one line says why not."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from mvae.errors import InputError
from mvae.files import (
    Missing,
    check_name,
    check_tree,
    conform,
    owned,
    parse_json,
    read,
    read_json,
    write_folder,
)


def test_a_regular_file_is_read_also_through_a_link(tmp_path):
    (tmp_path / 'a').write_bytes(b'abc')
    (tmp_path / 'link').symlink_to(tmp_path / 'a')
    assert read(tmp_path / 'a') == read(tmp_path / 'link') == b'abc'
    with pytest.raises(InputError, match='too large: 3 bytes, where 2 are the most'):
        read(tmp_path / 'a', 2)


@pytest.mark.parametrize('name', ['none', 'file/inside', 'dangling'])
def test_what_is_not_there_is_missing(tmp_path, name):
    (tmp_path / 'file').write_bytes(b'')
    (tmp_path / 'dangling').symlink_to(tmp_path / 'nowhere')
    with pytest.raises(Missing, match='does not exist'):
        read(tmp_path / name)


def test_nothing_waits_for_a_pipe_or_reads_a_device(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'zeros').symlink_to('/dev/zero')
    (tmp_path / 'circle').symlink_to(tmp_path / 'circle')
    begin = time.monotonic()
    for path, why in (
        (tmp_path / 'pipe', 'no regular file'),
        (tmp_path / 'zeros', 'no regular file'),
        ('/proc/self/status', 'changes while it is read'),
        (tmp_path, 'Is a directory'),
        (tmp_path / 'circle', 'symbolic links'),
        (tmp_path / ('a' * 3000), 'name too long'),
        ('a\x00b', 'null byte'),
    ):
        with pytest.raises(InputError, match=why):
            read(path)
    assert time.monotonic() - begin < 5, 'a pipe was waited for'


@pytest.mark.parametrize(
    'text', ['', '{', '[' * 100_000, '[' * 40 + ']' * 40, '"\\', '1' * 5000, b'\xff\xfe\xff']
)
def test_no_json_is_one_line(text):
    with pytest.raises(InputError, match=r'^x is damaged \(.*\); y$') as error:
        parse_json(text, dict, 'x', 'y')
    assert len(str(error.value)) < 300


def test_json_of_another_kind_is_said_with_its_place(tmp_path):
    (tmp_path / 'a.json').write_text(json.dumps({'a': [1, 'two']}))
    assert read_json(tmp_path / 'a.json') == {'a': [1, 'two']}
    with pytest.raises(InputError, match=r'a.json is damaged .Expected `int`, got `str`.*a|\$'):
        read_json(tmp_path / 'a.json', dict[str, list[int]])
    with pytest.raises(InputError, match='got `bool`'):
        conform(True, int, 'x')


def test_a_tree_is_regular_files_and_folders(tmp_path):
    (tmp_path / 'in').mkdir()
    (tmp_path / 'in' / 'a').write_bytes(bytes(10))
    (tmp_path / 'b').symlink_to(tmp_path / 'in' / 'a')
    assert check_tree(tmp_path, 20) == 20
    with pytest.raises(InputError, match='too large: 20 bytes'):
        check_tree(tmp_path, 19)
    for make, why in (
        (os.mkfifo, 'no regular file'),
        (lambda path: path.symlink_to('/dev/zero'), 'no regular file'),
        (lambda path: path.symlink_to('/dev'), 'a link to a folder'),
        (lambda path: path.symlink_to(tmp_path / 'nowhere'), 'No such file'),
    ):
        make(tmp_path / 'in' / 'odd')
        with pytest.raises(InputError, match=f'in/odd.*{why}'):
            check_tree(tmp_path, 1000)
        (tmp_path / 'in' / 'odd').unlink()


def test_names_that_are_no_text(tmp_path):
    check_name(tmp_path / 'süß')
    with pytest.raises(InputError, match='no UTF-8; a run folder needs another name'):
        check_name(os.fsdecode(b'a\xff'))


HOLD = """
import sys, time
from mvae.files import owned
with owned(sys.argv[1], 'trains'):
    print('in', flush=True)
    time.sleep(60)
"""


def test_a_folder_has_one_owner_who_is_named_and_a_dead_one_leaves_no_lock(tmp_path):
    command = [sys.executable, '-c', HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b'in\n'
        named = f'process {other.pid} on .* trains in {tmp_path}; wait for it or stop it'
        with pytest.raises(InputError, match=named), owned(tmp_path, 'trains'):
            pass
        other.send_signal(signal.SIGKILL)
    with owned(tmp_path, 'trains'):
        assert (tmp_path / '.lock').read_text().startswith(f'process {os.getpid()} on ')


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match='cannot write'), owned(tmp_path / 'file', 'trains'):
        pass


def test_a_folder_is_written_whole_and_replaces_nothing(tmp_path):
    write_folder(tmp_path / 'a' / 'b', {'x': b'1', 'y': b'2'})
    assert {p.name: p.read_bytes() for p in (tmp_path / 'a/b').iterdir()} == {'x': b'1', 'y': b'2'}
    (tmp_path / 'empty').mkdir()
    write_folder(tmp_path / 'empty', {'x': b'3'})
    (tmp_path / 'file').write_bytes(b'mine')
    for name in ('a/b', 'empty', 'file'):
        with pytest.raises(InputError, match='exists and is not empty; name another folder'):
            write_folder(tmp_path / name, {'x': b'4'})
    for name in ('file/below', '.'):
        with pytest.raises(InputError):
            write_folder(tmp_path / name, {'x': b'4'})
    with pytest.raises(InputError, match='cannot write .*new'):
        write_folder(tmp_path / 'new', {'no/such/folder': b''})
    assert sorted(os.listdir(tmp_path)) == ['a', 'empty', 'file']
    assert (tmp_path / 'file').read_bytes() == b'mine'
