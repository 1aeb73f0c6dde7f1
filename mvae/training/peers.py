"""The other processes of a training: those that do not come, and those that are gone.

jax itself would end this process by an abort, without a word about who is missing.
"""

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, cast

import jax
from jax._src import distributed

from mvae.errors import InputError, Interrupted

_KEYS = 'mvae/alive/'
_BEAT = 1.0  # seconds between signs of life
_SURE = 10.0  # seconds without one after which a process is taken for gone, once something failed
_LEFT = 'left'
# What jax and its transport say where another process does not answer.
_LOST = re.compile(r'gloo|nccl|heartbeat|UNAVAILABLE|connection (closed|reset)', re.IGNORECASE)


def _leave(why: str) -> None:
    """Ends this process with a line, at once: nothing can be agreed with those who are gone."""
    print(f'error: {why}', file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(2)


@contextlib.contextmanager
def in_time(limit: float, missing: str) -> Iterator[None]:
    """Ends this process with a line where what is inside takes longer than limit seconds."""
    said = f'{missing} within {limit:g} s; start all processes, or wait longer with --patience'
    timer = threading.Timer(limit, _leave, [said])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Watch:
    """Ends this process with a line that names the others that are gone, while it is entered.

    Each process gives a sign of life now and then. Who gave none for `limit` seconds is gone, and
    sooner where something that needs all of them has failed. Alone, nothing is watched.
    """

    def __init__(self, limit: float):
        self._limit, self._client = limit, cast(Any, distributed.global_state.client)
        self._me, self._done = jax.process_index(), threading.Event()
        others = [n for n in range(jax.process_count()) if n != self._me]
        self._seen = {n: ('', time.monotonic()) for n in others}

    def __enter__(self) -> 'Watch':
        if self._seen:
            threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        failed = isinstance(error, Exception) and not isinstance(error, (InputError, Interrupted))
        if failed and self._me and _LOST.search(str(error)):
            # At once: if it is process 0 that is gone, jax aborts this one in a moment.
            others = list(self._seen)
            _leave(_said(others) if len(others) == 1 else _said(others, 'one of '))
        if failed and self._seen and (gone := self._wait_for_gone()):
            if self._me == 0:
                time.sleep(3 * _BEAT)  # or the others would miss this one
            _leave(_said(gone))
        self._done.set()
        if self._seen:
            with contextlib.suppress(Exception):  # process 0 may have left before
                self._tell(_LEFT)

    def _beat(self) -> None:
        count = 0
        while not self._done.wait(_BEAT):
            count += 1
            try:
                self._tell(str(count))
                signs = dict(self._client.key_value_dir_get(_KEYS))
            except Exception:  # process 0, which keeps them, does not answer
                signs = {f'{_KEYS}{n}': str(count) for n in self._seen if n}
            for n, (sign, _) in self._seen.items():
                new = signs.get(f'{_KEYS}{n}', '')
                if new == _LEFT or new != sign:
                    self._seen[n] = new, time.monotonic()
            if (gone := self._gone(self._limit)) and not self._done.is_set():
                _leave(_said(gone))

    def _tell(self, sign: str) -> None:
        self._client.key_value_set(f'{_KEYS}{self._me}', sign, allow_overwrite=True)

    def _gone(self, limit: float) -> list[int]:
        now = time.monotonic()
        return [n for n, (_, when) in self._seen.items() if now - when > limit]

    def _wait_for_gone(self) -> list[int]:
        end, limit = time.monotonic() + _SURE + 3 * _BEAT, min(_SURE, self._limit)
        while not (gone := self._gone(limit)) and time.monotonic() < end:
            time.sleep(_BEAT / 4)
        return gone


def _said(gone: list[int], which: str = '') -> str:
    names = ', '.join(map(str, gone))
    return (
        f'{which}process {names} is gone; start all processes again by the same command: the '
        'training goes on from its last checkpoint'
    )
