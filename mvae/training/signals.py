"""Signals that ask training to stop."""

import signal
import threading
from types import TracebackType


class StopSignals:
    """While it is entered, the first SIGTERM or SIGINT is noted, the second raises KeyboardInterrupt.

    Handlers of before come back at the end. Off the main thread, where Python takes no signals, it
    notes none.
    """

    def __init__(self) -> None:
        self.seen = 0  # the number of the signal, 0 where none came
        self._before: dict[int, object] = {}

    def _note(self, number: int, _: object) -> None:
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
            signal.signal(number, handler)  # type: ignore[arg-type]
