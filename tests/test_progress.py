"""Bars move in a terminal; a log file gets a line now and then."""

import io
import types

import pytest

from mvae import progress as module


class _Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize('leave', [True, False])
def test_a_log_gets_one_line_of_a_short_work(leave, capsys):
    assert list(module.progress(range(3), 'reading', unit='file', leave=leave)) == [0, 1, 2]
    said = capsys.readouterr().err
    (line,) = said.splitlines()
    assert line.startswith('reading: 100% 3/3') and '\r' not in said


def test_a_log_gets_a_line_now_and_then_of_a_long_one(capsys, monkeypatch):
    clock = iter(range(1000))
    clock_module = types.SimpleNamespace(monotonic=lambda: float(next(clock)))
    monkeypatch.setattr(module, 'time', clock_module)
    with module.progress(total=200, unit='step') as bar:
        for _ in range(200):
            bar.update()
            bar.set_postfix(loss='1.5')
    said = capsys.readouterr().err
    lines = said.splitlines()
    assert 3 <= len(lines) < 20 and 'loss=1.5' in lines[1] and '200/200' in lines[-1]
    assert '\r' not in said and '' not in lines


def test_a_terminal_gets_a_bar_that_moves(monkeypatch):
    stream = _Terminal()
    monkeypatch.setattr('sys.stderr', stream)
    list(module.progress(range(3), 'reading'))
    assert '\r' in stream.getvalue() and '100%' in stream.getvalue()


def test_where_it_is_disabled_nothing_is_said(capsys):
    list(module.progress(range(3), disable=True))
    assert capsys.readouterr().err == ''
