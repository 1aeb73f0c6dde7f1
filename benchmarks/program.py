"""Programs that answer with seconds (`answer.serve`), seen from the other side."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
# glibc then asks for huge pages: arrays of tens of MB are made anew at every step, and each page of
# 4 KiB costs a fault. The same for every peer.
ENVIRONMENT = {'GLIBC_TUNABLES': 'glibc.malloc.hugetlb=1', **os.environ}


class Failed(Exception):
    """A program ended without an answer."""


class Program:
    """One running program.

    `about` is what it said when it was ready: seconds of the first calls, parameters.
    """

    def __init__(self, name: str, argument: str):
        self.name = name
        command = [sys.executable, HERE / name, argument]
        self._process = subprocess.Popen(
            command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin and self._process.stdout
        self._words, self._answers = self._process.stdin, self._process.stdout
        self.about = self._answer()

    def seconds(self, word: str) -> float:
        """How long one call takes."""
        self._words.write(f'{word}\n')
        self._words.flush()
        return self._answer()['seconds']

    def close(self) -> None:
        self._words.close()
        self._process.wait()

    def _answer(self) -> dict:
        line = self._answers.readline()
        if not line:
            raise Failed(f'{self.name} ended with exit code {self._process.wait()}')
        return json.loads(line)


def output_of(name: str, *arguments: str) -> dict:
    """What a program that ends by itself prints as its last line, JSON."""
    command = [sys.executable, HERE / name, *arguments]
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise Failed(f'{name} ended with exit code {done.returncode}')
    return json.loads(done.stdout.splitlines()[-1])
