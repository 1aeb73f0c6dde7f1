"""Worker processes that read MIDI files: one that hangs or dies costs one file."""

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, as_completed
from multiprocessing import get_all_start_methods, get_context, resource_tracker
from multiprocessing.context import BaseContext

from pebble import ProcessExpired, ProcessPool

from mvae.dataset import parts
from mvae.music.reasons import Reason

# A chunk has many files and takes about a second; where it takes longer than this many files may,
# its files are tried singly.
_CHUNK_TIME = 3


def extract(
    tasks: Sequence[parts.PartTask],
    time_limit: float,
    memory_limit: int,
    workers: int,
    done: Callable[[int], object] = lambda _: None,
) -> None:
    """Runs the tasks in worker processes until every part is written.

    Args:
        tasks: one or more. time_limit: seconds for one file. memory_limit: MiB that a worker may
            take beyond what it starts with. workers: processes.
        done: called with the number of files of each part.

    Raises OSError if a part cannot be written.
    """
    memory = memory_limit << 20
    pool = ProcessPool(
        max_workers=workers, context=_context(), initializer=parts.limit_memory, initargs=(memory,)
    )
    try:
        suspects = []
        limit = time_limit * _CHUNK_TIME
        futures: dict[Future[None], parts.PartTask] = {
            pool.schedule(parts.build_part, args=(task,), timeout=limit): task for task in tasks
        }
        for future in as_completed(futures):
            try:
                future.result()
            except Exception as error:
                # A part that cannot be written ends the build. These two are OSErrors too.
                mine = isinstance(error, TimeoutError | ProcessExpired)
                if isinstance(error, OSError) and not mine:
                    raise
                suspects.append(futures[future])
            else:
                done(len(futures[future].paths))
        for task in sorted(suspects, key=lambda task: task.target):
            parts.write_part(task.target, _extract_singly(pool, task, time_limit))
            done(len(task.paths))
        pool.close()
    except BaseException:
        pool.stop()
        raise
    finally:
        pool.join()


def _context() -> BaseContext:
    """How workers start. Those of a fork server, and it itself, never see a Ctrl-C: they are told.

    It starts a new one in no time. Nothing forks this process, which may hold threads and an
    accelerator.
    """
    if 'forkserver' not in get_all_start_methods():
        return get_context('spawn')
    context = get_context('forkserver')
    context.set_forkserver_preload([parts.__name__])
    resource_tracker.ensure_running()  # else the fork server starts it, and lets SIGINT through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:  # what begins here inherits that
        first = context.Process(target=os.getpid)
        first.start()
        first.join()  # the fork server is ready
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


def _extract_singly(
    pool: ProcessPool, task: parts.PartTask, time_limit: float
) -> list[parts.FileResult]:
    """Each file of a task that timed out, died or needed too much, as a task of its own.

    Only the files that are to blame are lost.
    """
    futures = [
        pool.schedule(parts.extract_file, args=(task, path), timeout=time_limit)
        for path in task.paths
    ]
    results = []
    for future in futures:
        try:
            results.append(future.result())
        except TimeoutError:
            results.append(_lost(str(Reason.TIMEOUT), f'took longer than {time_limit:g} s'))
        except MemoryError:
            results.append(_lost(*parts.TOO_MUCH))
        except ProcessExpired as error:
            detail = f'the reader died (exit code {error.exitcode})'
            results.append(_lost(str(Reason.CRASHED), detail))
        except Exception as error:  # what a worker could not hand back
            results.append(_lost(str(Reason.CRASHED), f'{type(error).__name__}: {error}'))
    return results


def _lost(reason: str, detail: str) -> parts.FileResult:
    return parts.FileResult(reason=reason, detail=detail)
