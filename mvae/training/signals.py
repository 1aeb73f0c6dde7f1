"""Signals that ask training to stop."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TypeAlias

_Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | signal.Handlers | None


class StopSignals:
    """Notes the first SIGTERM or SIGINT while it is entered. The second raises KeyboardInterrupt.

    Handlers of before come back at the end. Off the main thread, where Python takes no signals, it
    notes none.
    """

    def __init__(self) -> None:
        self.seen = 0  # the number of the signal, 0 where none came
        self._before: dict[int, _Handler] = {}

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.seen:
            raise KeyboardInterrupt
        self.seen = number

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
