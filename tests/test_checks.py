"""Numbers that come as text."""

import argparse

import pytest

from mvae.checks import natural
from mvae.commands.options import positive
from mvae.errors import InputError
from mvae.training import processes

STRANGE = ['²', '١٢', '१', '-1', '+1', '1.5', ' 1', '1_0', '', 'x']


@pytest.mark.parametrize('text', STRANGE)
def test_strange_digits_are_no_numbers(text, monkeypatch):
    assert natural(text) is None
    with pytest.raises(argparse.ArgumentTypeError, match='integer of at least 1'):
        positive(text)
    for pair in ((text, '0'), ('2', text)):
        with pytest.raises(InputError, match='does not exist'):
            processes.join('localhost:1234', *pair, 300)
    monkeypatch.setenv('SLURM_NTASKS', text)
    monkeypatch.setenv('SLURM_PROCID', '0')
    assert processes.join() is None, 'no launcher'


def test_numbers_are():
    assert [natural(text) for text in ('0', '007', '12', '9' * 18)] == [0, 7, 12, 10**18 - 1]
    assert natural('9' * 19) is None and positive('7') == 7
