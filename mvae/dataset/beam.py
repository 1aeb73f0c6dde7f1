"""A build on Apache Beam: every step that grows with the music is a pipeline.

What the steps tell each other lies in files: all workers must see the folders of the music and of
the dataset under the same names. What grows with the files alone (songs, splits, the funnel) is
done where the pipelines are started.
"""

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import apache_beam as beam
import numpy as np
from apache_beam.options.pipeline_options import PipelineOptions

from mvae.dataset import workers
from mvae.dataset.corpus import Corpus, first_files, linking
from mvae.dataset.links import MINIMUM, linked
from mvae.dataset.merge import write_tokens
from mvae.dataset.parts import Part, PartTask
from mvae.dataset.runner import Kept
from mvae.dataset.store import token_files
from mvae.errors import InputError

_MOST_TOKEN_FILES = 64
_Forms = Sequence[tuple[str, int]]
_Numbered = tuple[int, str, int]  # a part: its number, its path, the number of its first file
_Pair = tuple[int, int, int]  # of the form of this number: two files


class Beam:
    """A `Runner` on Apache Beam.

    options: flags of Beam, such as --runner=FlinkRunner; without a runner pipelines run here.
    Raises InputError where Beam has no such runner, or the runner refuses them.
    """

    def __init__(self, options: Sequence[str] = ()):
        self._options = list(options)
        try:
            self._pipeline()
        except (ImportError, ValueError) as error:
            reason = ' '.join(str(error).split())
            raise InputError(f'Beam refuses --beam-options: {reason}') from None

    def extract(
        self,
        tasks: Sequence[PartTask],
        time_limit: float,
        memory_limit: int,
        done: Callable[[int], object],
    ) -> None:
        with self._pipeline() as pipeline:
            _ = _spread(pipeline, tasks) | 'read' >> beam.Map(_extract, time_limit, memory_limit)
        done(sum(len(task.paths) for task in tasks))

    def links(self, parts: Sequence[Path], forms: _Forms, scratch: Path) -> np.ndarray:
        forms, numbered = linking(forms), _numbered(parts)
        with self._pipeline() as pipeline:
            _ = (
                _spread(pipeline, numbered)
                | 'windows' >> beam.FlatMap(_files_by_hash, forms)
                | beam.GroupByKey()
                | 'pairs' >> beam.FlatMapTuple(_pairs)
                | beam.combiners.Count.PerElement()
                | 'many' >> beam.Filter(_many)
                | 'rows' >> beam.MapTuple(lambda pair, common: ' '.join(map(str, (*pair, common))))
                | beam.io.WriteToText(str(scratch / 'common'))
            )
        found = [
            [int(word) for word in row.split()]
            for file in sorted(scratch.glob('common*'))
            for row in file.read_text().splitlines()
        ]
        form, one, other, common = np.array(found, np.int64).reshape(-1, 4).T
        sizes = _sizes(numbered, forms)
        smaller = np.minimum(sizes[form, one], sizes[form, other])
        return np.stack([one, other], 1)[linked(common, smaller)]

    def kept(self, corpus: Corpus, parts: Sequence[Path], forms: _Forms, scratch: Path) -> Kept:
        files = scratch / 'files.npz'
        np.savez(files, splits=corpus.splits, rejected=corpus.rejected)
        with self._pipeline() as pipeline:
            _ = (
                _spread(pipeline, _numbered(parts))
                | 'windows' >> beam.FlatMap(_places_by_hash, forms, str(files))
                | 'first' >> beam.CombinePerKey(min)
                | 'by part' >> beam.MapTuple(lambda key, place: (place[1], (key[0], place[2])))
                | beam.GroupByKey()
                | 'write' >> beam.Map(_write_rows, str(scratch))
            )

        def kept(part: int, form: str, bars: int) -> np.ndarray:
            path, name = scratch / _rows_file(part), str(forms.index((form, bars)))
            if path.exists():
                with np.load(path) as rows:
                    if name in rows:
                        return rows[name]
            return np.zeros(0, np.int64)

        return kept

    def write_tokens(
        self, folder: Path, parts: Sequence[Path], lengths: np.ndarray, needed: np.ndarray
    ) -> list[int]:
        first = first_files(parts)
        groups = np.array_split(np.arange(len(parts)), min(len(parts), _MOST_TOKEN_FILES))
        files, shards = [], []
        for name, group in zip(token_files(len(groups)), groups, strict=True):
            own = slice(first[group[0]], first[group[-1] + 1])
            paths = [str(parts[number]) for number in group]
            files.append((str(folder / name), paths, lengths[own], needed[own]))
            shards.append(int(lengths[own][needed[own]].sum()))
        with self._pipeline() as pipeline:
            _ = _spread(pipeline, files) | 'write' >> beam.MapTuple(_write_tokens)
        return shards

    def _pipeline(self) -> beam.Pipeline:
        return beam.Pipeline(options=PipelineOptions(self._options))


def _spread(pipeline: beam.Pipeline, elements: Iterable[object]) -> beam.PCollection:
    """Elements that any worker may take."""
    return pipeline | beam.Create(list(elements)) | beam.Reshuffle()


def _numbered(parts: Sequence[Path]) -> list[_Numbered]:
    first = first_files(parts)[:-1].tolist()
    return [(number, str(path), first[number]) for number, path in enumerate(parts)]


def _sizes(parts: Sequence[_Numbered], forms: _Forms) -> np.ndarray:
    """Windows of every file: int64 [forms, F]."""
    sizes: list[list[np.ndarray]] = [[] for _ in forms]
    for _, path, _ in parts:
        with Part(path) as part:
            for own, key in zip(sizes, forms, strict=True):
                own.append(np.bincount(part.files(*key), minlength=len(part.lengths())))
    return np.array([np.concatenate(own) for own in sizes]).reshape(len(forms), -1)


def _hashed(part: Part, forms: _Forms) -> Iterator[tuple[list[tuple[int, bytes]], list[int]]]:
    """Of each form the keys of its windows (number of the form and hash) and their files."""
    for number, key in enumerate(forms):
        hashes = part.hashes(*key)
        keys = [(number, own.tobytes()) for own in hashes]
        yield keys, part.files(*key).tolist()


# What workers do.


def _extract(task: PartTask, time_limit: float, memory_limit: int) -> None:
    with _whole(Path(task.target)) as own:
        workers.extract([dataclasses.replace(task, target=str(own))], time_limit, memory_limit, 1)


def _files_by_hash(part: _Numbered, forms: _Forms) -> Iterator[tuple[tuple[int, bytes], int]]:
    _, path, first = part
    with Part(path) as own:
        for keys, files in _hashed(own, forms):
            yield from ((key, first + file) for key, file in zip(keys, files, strict=True))


def _pairs(key: tuple[int, bytes], files: Iterable[int]) -> Iterator[_Pair]:
    """A window links each file that has it to the first one."""
    first = min(files)
    yield from ((key[0], first, other) for other in files if other != first)


def _many(counted: tuple[_Pair, int]) -> bool:
    return counted[1] >= MINIMUM


def _places_by_hash(
    part: _Numbered, forms: _Forms, of_files: str
) -> Iterator[tuple[tuple[int, bytes], tuple[int, int, int]]]:
    """The smallest of these places (split, part, row) is the one to keep."""
    number, path, first = part
    with np.load(of_files) as arrays, Part(path) as own:
        own_files = slice(first, first + len(own.lengths()))
        splits = arrays['splits'][own_files].tolist()
        rejected = arrays['rejected'][own_files].tolist()
        for keys, files in _hashed(own, forms):
            for row, (key, file) in enumerate(zip(keys, files, strict=True)):
                if not rejected[file]:
                    yield key, (splits[file], number, row)


def _rows_file(part: int) -> str:
    return f'rows-{part:06d}.npz'


def _write_rows(kept: tuple[int, Iterable[tuple[int, int]]], scratch: str) -> None:
    """The kept rows of a part, of each form."""
    part, rows = kept
    of_form: dict[str, list[int]] = {}
    for form, row in rows:
        of_form.setdefault(str(form), []).append(row)
    arrays: dict[str, Any] = {form: np.sort(own) for form, own in of_form.items()}
    with _whole(Path(scratch) / _rows_file(part)) as path:
        np.savez(path, **arrays)


def _write_tokens(path: str, parts: Sequence[str], lengths: np.ndarray, needed: np.ndarray) -> None:
    with _whole(Path(path)) as own:
        write_tokens(own, [Path(part) for part in parts], lengths, needed)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A name of its own, which becomes `path` in the end: two workers may do the same work.

    It lies in the folder that is deleted when the build is done.
    """
    own = path.parents[1] / f'{uuid4().hex}-{path.name}'
    yield own
    os.replace(own, path)
