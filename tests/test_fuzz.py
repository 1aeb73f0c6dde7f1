"""The fuzzing program, at tiny numbers: it finds what is wrong, and nothing where all is well."""

import os
import time

import damage
import fuzz
import numpy as np
import pytest

from mvae.errors import InputError


def test_damaged_files_are_read_or_refused(capfd):
    assert fuzz.main(['--midi', '30', '--files', '20', '--bits', '5', '--seed', '1']) == 0
    said = capfd.readouterr().out
    for start in ('midi: 30 cases: ', 'files: 20 cases: ', 'bits: 5 cases: '):
        assert start in said and 'refused' in said


@pytest.mark.slow
def test_many_damaged_files_are_read_or_refused():
    assert fuzz.main(['--midi', '10000', '--files', '2000', '--bits', '500', '--seed', '2']) == 0


def _faulty(rng, scratch, place, what):
    """Goes wrong in every way in turn."""
    turn = len(list(scratch.glob('done*')))
    (scratch / f'done{turn}').touch()
    if turn == 0:
        raise ZeroDivisionError
    if turn == 1:
        os._exit(3)
    if turn == 2:
        np.ones(2**33, np.uint8)
    if turn == 3:
        time.sleep(99)
    raise InputError('refused')


@pytest.mark.filterwarnings('ignore:os.fork')  # what it forks does not ask jax
def test_what_goes_wrong_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz, '_START', 'fork')
    monkeypatch.setattr(fuzz, '_warm', lambda scratch: None)
    monkeypatch.setitem(fuzz._CASES, 'midi', _faulty)
    monkeypatch.setattr(fuzz, '_HANGS', 2.0)
    words = [
        outcome.word for outcome in fuzz._outcomes(tmp_path, [('midi', n) for n in range(5)], 0)
    ]
    assert words == ['ZeroDivisionError', 'dies (3)', 'MemoryError', 'hangs', 'refused']


def test_damage_is_the_same_whenever_it_is_drawn_again():
    for spoil in (damage.spoil, damage.flip, lambda rng, data: damage.spoil_midi(rng, data, data)):
        one, again = (spoil(np.random.default_rng(3), bytes(range(99))) for _ in range(2))
        assert one == again
    text = b'{"a": {"b": [1, 2, 3]}}'
    drawn = [damage.spoil_json(np.random.default_rng(n), text) for n in range(50)]
    assert drawn == [damage.spoil_json(np.random.default_rng(n), text) for n in range(50)]
    assert len(set(drawn)) > 25
