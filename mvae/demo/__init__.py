"""The demo corpus: real fiddle tunes, with bass and drums arranged by a program, as MIDI files.

The melodies come out of the music21 wheel (public-domain collections, `tunes`). Chords are inferred
(`harmony`), and a small arranger draws bass and drums (`arranger`). The corpus lets every
experiment run without user data; it is no corpus of real band music.
"""

import collections
import contextlib
import functools
import hashlib
import multiprocessing
import os
import pathlib
import re
import shutil
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mvae.demo import abc_text, arranger, tunes
from mvae.demo.drops import Drop, DroppedError
from mvae.demo.styles import STYLES
from mvae.errors import InputError
from mvae.progress import progress

_README = """The demo corpus of mvae: {count} pieces for melody, bass and drums, made by
mvae.demo.write_demo_midi.

Melodies: tunes of two printed collections, in the ABC transcriptions that come with the package
music21 {version}:
  oneills1850/    O'Neill's Music of Ireland, Chicago 1903
  ryansMammoth/   Ryan's Mammoth Collection, Boston 1883
The tunes are in the public domain by age. The ABC files inside the music21 package name the
transcribers.
Bass and drums: NOT from those books. A program inferred chords from each tune and drew bass and
drums, from a seed that depends on the tune, in one of {styles} styles:
{style_names}.
The same versions of mvae and music21 give the same files on every machine.

Not used, by reason:
{dropped}
"""


def write_demo_midi(
    folder: str | os.PathLike[str], workers: int | None = None, limit: int | None = None
) -> dict[str, int]:
    """Writes the demo corpus into `folder` as <collection>/<title>_<number>.mid.

    A README.txt beside the files says what they are. They are made in `folder`.partial, which
    becomes `folder` at the end: an interrupted run leaves no half corpus. An older demo corpus in
    `folder` is replaced.

    Args:
        workers: processes (None: one per core; 1: none besides this one). The files are the same
            bytes for any number.
        limit: at most that many pieces, a fixed sample of the collections (for tests).

    Returns counts: 'written', and one for each reason of `drops.Drop` that occurred.

    Raises InputError where the folder holds something else, cannot be written, or music21's corpus
    is missing.
    """
    folder = pathlib.Path(folder)
    if folder.exists() and not _may_replace(folder):
        raise InputError(
            f'{folder} exists and is no demo corpus: name another folder, or remove it'
        )
    found, version = _sources()
    if limit is not None:  # a sample over all books that does not depend on the order of files
        found = sorted(found, key=_digest)
    partial = folder.with_name(folder.name + '.partial')
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        counts = _write_all(partial, found, workers or os.cpu_count() or 1, limit)
        (partial / 'README.txt').write_text(_readme(counts, version), encoding='utf-8')
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(partial, folder)
    except OSError as err:
        raise InputError(
            f'the demo corpus cannot be written to {folder}: {err.strerror or err}'
        ) from err
    return dict(counts)


def _may_replace(folder: pathlib.Path) -> bool:
    """Whether the folder is empty or a demo corpus, told by the first words of its README.txt."""
    if not folder.is_dir():
        return False
    readme = folder / 'README.txt'
    if readme.is_file():
        text = readme.read_text(encoding='utf-8', errors='replace')
        return text.startswith(_README.split('{')[0])
    return not any(folder.iterdir())


def _digest(source: abc_text.Source) -> bytes:
    return hashlib.blake2b(source.text.encode(), digest_size=8).digest()


def _readme(counts: Mapping[str, int], version: str) -> str:
    dropped = [f'  {reason}: {n}' for reason, n in sorted(counts.items()) if reason != 'written']
    return _README.format(
        count=counts['written'],
        version=version,
        styles=len(STYLES),
        style_names=textwrap.fill(', '.join(style.name for style in STYLES), 100),
        dropped='\n'.join(dropped) or '  none',
    )


def _sources() -> tuple[list[abc_text.Source], str]:
    try:
        import music21
    except ImportError as err:
        raise InputError(
            "the demo corpus needs music21: pip install 'mvae[demo]', or give your own MIDI"
        ) from err
    found = abc_text.sources(pathlib.Path(music21.__file__).parent / 'corpus')
    if not found:
        raise InputError(
            'music21 came without its corpus: reinstall music21, or give your own MIDI'
        )
    return found, music21.__version__


def _write_all(
    folder: pathlib.Path, found: list[abc_text.Source], workers: int, limit: int | None
) -> collections.Counter[str]:
    counts: collections.Counter[str] = collections.Counter()
    seen: set[bytes] = set()
    total = len(found) if limit is None else limit
    with (
        _mapper(min(workers, len(found))) as results,
        progress(total=total, desc='demo corpus', unit='tune') as bar,
    ):
        for source, arranged in zip(found, results(_arranged, found), strict=True):
            reason, title, key, midi = arranged
            if not reason and key in seen:
                reason = str(Drop.DUPLICATE)
            if not reason:
                seen.add(key)
                path = folder / source.collection / f'{_slug(title)}_{source.number:04d}.mid'
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(midi)
            counts[reason or 'written'] += 1
            bar.update(limit is None or not reason)
            if counts['written'] == limit:
                break
    return counts


@contextlib.contextmanager
def _mapper(workers: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """An ordered lazy map: over processes, or in this one for one worker."""
    if workers <= 1:
        yield map
        return
    # spawn: forking a process in which jax has started its threads can hang.
    with multiprocessing.get_context('spawn').Pool(workers) as pool:  # leaving it ends the workers
        yield functools.partial(pool.imap, chunksize=32)


def _arranged(source: abc_text.Source) -> tuple[str, str, bytes, bytes]:
    """Runs in a worker: (reason or '', title, key of the melody, MIDI bytes) of one tune.

    Transpositions of a melody have the same key.
    """
    try:
        tune = tunes.read_tune(source)
    except DroppedError as err:
        return str(err.reason), '', b'', b''
    key = tune.start.tobytes() + (tune.pitch - tune.pitch[0]).tobytes()
    return '', tune.title, hashlib.blake2b(key).digest(), arranger.to_midi(arranger.arrange(tune))


def _slug(title: str) -> str:
    """'The Boyne Hunt' -> 'the_boyne_hunt'; ASCII, at most 60 characters."""
    ascii_title = unicodedata.normalize('NFKD', title).encode('ascii', 'ignore').decode()
    plain = ascii_title.lower().replace("'", '')
    return re.sub(r'[^a-z0-9]+', '_', plain).strip('_')[:60].rstrip('_') or 'tune'
