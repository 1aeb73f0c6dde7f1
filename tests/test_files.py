"""Files: a folder that one process at a time may own."""

import os
import signal
import subprocess
import sys

import pytest

from mvae.errors import InputError
from mvae.files import owned

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
