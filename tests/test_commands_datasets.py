"""Which dataset a command reads, and what is said where it is not here."""

from types import SimpleNamespace

import pytest

from mvae.commands import data, datasets, vectors
from mvae.dataset.store import Store
from mvae.errors import InputError


def _model(path):
    return SimpleNamespace(config=SimpleNamespace(data=SimpleNamespace(path=path)))


def test_the_demo_corpus_is_built_where_it_is_missing(monkeypatch):
    built = []
    monkeypatch.setattr(data, 'build_demo', lambda: built.append(True))
    monkeypatch.setattr(Store, 'open', lambda path: path)
    assert datasets.open_for(_model('data/demo'), None) == data.DEMO and built == [True]
    assert datasets.open_for(_model('data/demo'), data.DEMO) == data.DEMO and built == [True]


def test_data_of_a_training_elsewhere_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match='trained on data/groove, which is not here; name another'):
        datasets.open_for(_model('data/groove'), None)


def test_vectors_that_are_not_there_yet_are_found_by_a_command_that_names_the_model(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r'no attribute vectors of mel2 yet.* fit mel2$'):
        vectors.fitted('mel2', None)
