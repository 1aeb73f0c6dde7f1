"""What a run tells: lines of before are kept, a full disk is said once."""

import errno
import json
import os

import pytest

from mvae.errors import InputError
from mvae.training.log import RunLog


class _Full:
    """A file on a full disk: writing fails, and closing tries once more."""

    def write(self, *_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    close = write


def _log(run, start=0):
    return RunLog(run, start, 10, 1, True)


def _steps(run):
    return [json.loads(line)['step'] for line in (run / 'metrics.jsonl').read_text().splitlines()]


def test_lines_behind_the_beginning_and_lines_that_are_none_go(tmp_path):
    odd = ('', '[1]', 'null', '{"step": "1"}', '{"step": [1]}', '{"loss": 1}', '[' * 9999, '{"st')
    good = [json.dumps({'step': n, 'loss': 1.0}) for n in (1, 2, 3, 4)]
    text = '\n'.join([good[0], *odd, *good[1:]])
    (tmp_path / 'metrics.jsonl').write_bytes(text.encode() + b'\n\xff\xfe\n')
    with _log(tmp_path, 3) as log:
        log.metrics(4, {'loss': 2.0})
    assert _steps(tmp_path) == [1, 2, 3, 4]


def test_a_pipe_in_place_of_the_metrics_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'metrics.jsonl')
    with pytest.raises(InputError, match='metrics.jsonl is no regular file'):
        _log(tmp_path)


def test_on_a_full_disk_the_first_message_stands(tmp_path):
    with pytest.raises(InputError, match='cannot write metrics: No space left on device'):
        with _log(tmp_path) as log:
            log._file.close()
            log._file = _Full()
            log.metrics(1, {'loss': 1.0})
    with pytest.raises(InputError, match='what was to be said'):
        with _log(tmp_path) as log:
            log._file.close()
            log._file = _Full()
            raise InputError('what was to be said')
    with pytest.raises(InputError, match='cannot write metrics: No space left on device'):
        with _log(tmp_path) as log:
            log._file.close()
            log._file = _Full()


def test_a_board_that_died_does_not_stop_the_training(tmp_path):
    with _log(tmp_path) as log:
        log._board.file_writer.event_writer._worker.stop()
        for step in range(50):
            log.metrics(step, {'loss': 1.0})
    assert len(_steps(tmp_path)) == 50
