import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = 'import argparse, sys, command; sys.exit(command.run(lambda options: print("line\\n" * {lines}), argparse.ArgumentParser()))'


@pytest.mark.parametrize('lines', [1, 100_000])
def test_output_that_nobody_reads_ends_the_program_without_a_traceback(lines):
    reader, writer = os.pipe()
    os.close(reader)
    environment = os.environ | {'PYTHONPATH': str(Path(__file__).parents[1] / 'experiments')}
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM.format(lines=lines)],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b'')
