"""The build: a folder of MIDI files becomes a token store, in parallel, whole or not at all.

Worker processes extract chunks of files into part files below `<out>.building`. A later run of the
same command finds them again. The merged store takes its place by renaming. A file that hangs or
kills its worker costs the build that one file. The same files and settings give the same bytes with
any number of workers.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mvae.dataset import merge, parts
from mvae.dataset.corpus import read_corpus
from mvae.dataset.funnel import main_reasons
from mvae.dataset.local import Local
from mvae.dataset.runner import Runner
from mvae.dataset.scan import (
    MidiFile,
    code_digest,
    digest,
    find_files,
    find_midi,
    listing_digest,
)
from mvae.dataset.splits import read_official_splits
from mvae.dataset.store import META_FILE, Store
from mvae.errors import InputError
from mvae.music.extract import ExtractSettings
from mvae.music.midi import read_midi
from mvae.progress import progress
from mvae.version import version

_FILES_PER_PART = 64
_PARTS_WANTED = 64


@dataclass(frozen=True)
class BuildSettings:
    """Everything that a build depends on besides the files.

    Attributes:
        extract: notation, lengths of windows and musical rules.
        fractions: of the songs for train, validation and test.
        time_limit: seconds that one file may take; a file that takes longer is rejected as
            `timeout`.
        memory_limit: MiB that a worker may take beyond what it starts with (Linux); a file that
            needs more is rejected.
    """

    extract: ExtractSettings = field(default_factory=ExtractSettings)
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    time_limit: float = 10.0
    memory_limit: int = 2048

    def __post_init__(self) -> None:
        if len(self.fractions) != 3 or min(self.fractions) < 0 or self.fractions[0] <= 0:
            raise InputError(
                f'fractions={self.fractions} must be three numbers for train (above 0), '
                'validation and test'
            )
        if self.time_limit <= 0 or self.memory_limit <= 0:
            raise InputError('the time limit and the memory limit of the build must be above 0')

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it (tuples become lists)."""
        return json.loads(json.dumps(asdict(self)))


def is_current(
    out: str | Path, settings: BuildSettings, midi_folder: str | Path | None = None
) -> bool:
    """Whether `out` is a whole store, built by this code with these settings.

    It also must be built from the files of midi_folder as they are. Without midi_folder the files
    are not looked at.
    """
    try:
        store = Store.open(out)
    except InputError:
        return False
    if store.meta.get('settings') != settings.to_dict() or store.meta.get('code') != code_digest():
        return False
    if midi_folder is None:
        return True
    files = find_midi(midi_folder)
    unchanged = max(file.changed for file in files) <= (Path(out) / META_FILE).stat().st_mtime_ns
    return unchanged and store.meta.get('files') == listing_digest(files)


def build_store(
    midi_folder: str | Path,
    out: str | Path,
    settings: BuildSettings | None = None,
    workers: int | None = None,
    reader: parts.Reader = read_midi,
    quiet: bool = False,
    runner: Runner | None = None,
) -> Store:
    """Builds a store, or goes on with a build that was interrupted.

    Args:
        midi_folder: searched for MIDI files, with the folders below it; each `info.csv` there with
            columns midi_filename and split gives official splits.
        out: the store's folder; a store that is there is replaced when the new one is whole.
        settings: of the build.
        workers: processes; None takes all cores.
        reader: turns the bytes of a file into a Score; must be importable by name in a new process.
        quiet: no progress bar.
        runner: says where the work is done; None: in `workers` processes of this machine.

    Returns:
        the store, opened.

    Raises:
        InputError: no MIDI files; none that gives a window; out is something else than a store or
            cannot be written.
        KeyboardInterrupt: on Ctrl-C, with a message; the parts done so far are kept.
    """
    settings, out = settings or BuildSettings(), Path(out)
    files, ignored = find_files(midi_folder)
    official = read_official_splits(midi_folder)
    _check_target(out)
    building = out.with_name(out.name + '.building')
    try:
        building.mkdir(parents=True, exist_ok=True)
        with _lock(building):
            folder, runner = Path(midi_folder), runner or Local(workers)
            _build(folder, files, ignored, official, out, building, settings, runner, reader, quiet)
            shutil.rmtree(building)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f'stopped; what is done is kept in {building}: the same command goes on there'
        ) from None
    except OSError as error:
        raise InputError(
            f'cannot write {error.filename or out}: {error.strerror or error}'
        ) from None
    return Store.open(out)


def _build(
    folder: Path,
    files: Sequence[MidiFile],
    ignored: dict[str, int],
    official: dict[str, int],
    out: Path,
    building: Path,
    settings: BuildSettings,
    runner: Runner,
    reader: parts.Reader,
    quiet: bool,
) -> None:
    code = code_digest()
    name = f'{reader.__module__}.{reader.__qualname__}'
    work = building / digest([code, settings.to_dict(), name, [vars(file) for file in files]])[:16]
    for stale in building.iterdir():  # parts of other files or settings, a store half merged
        if stale.is_dir() and stale != work:
            shutil.rmtree(stale)
    work.mkdir(exist_ok=True)
    tasks = _tasks(folder, files, work, settings, reader)
    missing = [task for task in tasks if not parts.is_whole(task.target)]
    done = len(files) - sum(len(task.paths) for task in missing)
    with progress(
        total=len(files), initial=done, unit='file', desc='reading', disable=quiet
    ) as bar:
        if missing:
            limits = settings.time_limit, settings.memory_limit
            runner.extract(missing, *limits, bar.update)
    names = [Path(task.target) for task in tasks]
    meta: dict[str, Any] = {
        'mvae': version(),
        'notation': settings.extract.notation.to_dict(),
        'forms': {form.name: form.fingerprint() for form in settings.extract.make_forms()},
        'settings': settings.to_dict(),
        'ignored': ignored,
        'files': listing_digest(files),
        'code': code,
    }
    paths, new = [file.path for file in files], building / 'store'
    try:
        new.mkdir()
        with TemporaryDirectory(prefix='scratch-', dir=building) as scratch:
            meta = _merge(new, paths, names, official, settings, meta, runner, Path(scratch), quiet)
        if not any(any(splits.values()) for splits in meta['windows'].values()):
            shutil.rmtree(building)
            why, bars = main_reasons(meta['funnel']), min(settings.extract.bars)
            raise InputError(
                f'none of the {len(files):,} MIDI files in {folder} gives a window: {why}; mvae '
                f'needs music in {settings.extract.notation.meter} with at least {bars} bars of '
                'melody, bass or drums'
            )
        if out.exists():
            os.replace(out, building / 'old')
        os.replace(new, out)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _merge(
    new: Path,
    paths: Sequence[str],
    names: Sequence[Path],
    official: dict[str, int],
    settings: BuildSettings,
    meta: dict[str, Any],
    runner: Runner,
    scratch: Path,
    quiet: bool,
) -> dict[str, Any]:
    """Makes a store of the parts `names`. Returns the content of its store.json."""
    forms = settings.extract.keys
    links = runner.links(names, forms, scratch)
    corpus = read_corpus(paths, names, official, settings.fractions, links)
    with progress(total=2 * len(forms) + 1, desc='merging', disable=quiet) as bar:
        return merge.merge(new, corpus, names, forms, meta, runner, scratch, bar.update)


def _tasks(
    folder: Path,
    files: Sequence[MidiFile],
    work: Path,
    settings: BuildSettings,
    reader: parts.Reader,
) -> list[parts.PartTask]:
    """Chunks that depend on the files alone: any number of workers can go on with the parts."""
    size = max(1, min(_FILES_PER_PART, -(-len(files) // _PARTS_WANTED)))
    return [
        parts.PartTask(
            root=str(folder),
            paths=tuple(file.path for file in files[start : start + size]),
            target=str(work / f'part-{start // size:06d}.npz'),
            settings=settings.extract,
            reader=reader,
        )
        for start in range(0, len(files), size)
    ]


def _check_target(out: Path) -> None:
    """Never replaces what is not a store."""
    if os.path.isdir(out) and ((out / META_FILE).is_file() or not any(out.iterdir())):
        return
    if os.path.exists(out):
        raise InputError(f'{out} exists and is no dataset; choose another name or take it away')


@contextmanager
def _lock(building: Path) -> Iterator[None]:
    """One build at a time in a folder, where the system can lock."""
    with open(building / 'lock', 'w') as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows
            pass
        except BlockingIOError:
            raise InputError(
                f'another build is at work in {building}; wait for it or stop it'
            ) from None
        yield
