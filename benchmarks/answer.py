"""How a timed program talks, in lines of JSON.

It says that it is ready, then answers each word on its standard input with the seconds of one call.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping


def serve(calls: Mapping[str, Callable[[], object]], about: dict) -> None:
    """Answers until 'quit' or the end of input.

    Each call runs once before, so that everything is compiled and warm. A call has to return when
    its result is computed, not when it is under way.
    """
    first = {}
    for word, call in calls.items():
        start = time.perf_counter()
        call()
        first[word] = time.perf_counter() - start
    print(json.dumps({'ready': True, 'first': first, **about}), flush=True)
    for line in sys.stdin:
        word = line.strip()
        if word == 'quit':
            return
        start = time.perf_counter()
        calls[word]()
        print(json.dumps({'seconds': time.perf_counter() - start}), flush=True)
