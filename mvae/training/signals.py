"""Signals that ask training to stop."""

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TypeAlias

_Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | signal.Handlers | None

_SAME = 1.0  # seconds


class StopSignals:
    """Notes the first SIGTERM or SIGINT while it is entered. A later one raises KeyboardInterrupt.

    Within a second of the first it is the same one, arriving twice: from a group and from `make`.
    Handlers of before come back at the end. Off the main thread, where Python takes no signals, it
    notes none.
    """

    def __init__(self) -> None:
        self.seen = 0  # the number of the signal, 0 where none came
        self._when = 0.0
        self._before: dict[int, _Handler] = {}

    def _note(self, number: int, _: FrameType | None) -> None:
        if not self.seen:
            self.seen, self._when = number, time.monotonic()
        elif time.monotonic() - self._when > _SAME:
            raise KeyboardInterrupt

    def __enter__(self) -> 'StopSignals':
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
