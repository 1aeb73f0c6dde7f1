"""Hands damaged files to mvae's readers, and counts what they do.

    python tests/fuzz.py --midi 2000 --files 300 --bits 100 --seed 0
    python tests/fuzz.py --only files:17 --seed 0

A case is drawn by the seed and its number. It is read in a process of its own, whose memory has a
limit. It must end in success or in an InputError within 5 seconds; whatever does not is printed,
with what repeats it. Flipped bits that change a model unnoticed are counted beside.
"""

import argparse
import collections
import contextlib
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import damage
import numpy as np
from fuzz_cases import READERS, make_wholes, open_store
from midi_maker import beat, low, midi, song, tune

from mvae.dataset import store as stores
from mvae.errors import InputError
from mvae.music import reading
from mvae.music.extract import ExtractSettings, extract
from mvae.music.forms import make_form
from mvae.music.midi import read_midi

KINDS = ('midi', 'files', 'bits')
SLOW, MOST = 1.0, 5.0  # seconds of the processor
_START = 'spawn'  # of a process: nothing of this one goes along
_HANGS = 30.0  # seconds of the clock: others may work on the same machine
_MOST_BYTES = 2**30  # beyond what the process has before its first case


Case = tuple[str, int]  # kind and number


class Outcome(NamedTuple):
    """word: 'fine', 'refused', 'unnoticed', or what must not be; seconds: of the processor."""

    word: str
    what: str = ''
    seconds: float = 0.0

    @property
    def wrong(self) -> bool:
        return self.word not in ('fine', 'refused', 'unnoticed') or self.seconds > MOST


def main(arguments: list[str] | None = None) -> int:
    """Runs the program; returns how many cases went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for kind in KINDS:
        parser.add_argument(f'--{kind}', type=int, default=0, help='how many cases')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--only', metavar='KIND:NUMBER', help='one case, here, with its traceback')
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        make_wholes(scratch)
        if options.only:
            kind, _, number = options.only.partition(':')
            print(*_try(scratch, kind, int(number), options.seed, aloud=True))
            return 0
        cases = [(kind, n) for kind in KINDS for n in range(getattr(options, kind))]
        return _run(scratch, cases, options.seed)


def _run(scratch: Path, cases: list[Case], seed: int) -> int:
    """Prints what went wrong, and figures of each kind."""
    found: dict[str, list[Outcome]] = {kind: [] for kind, _ in cases}
    for (kind, number), outcome in zip(cases, _outcomes(scratch, cases, seed), strict=True):
        found[kind].append(outcome)
        if outcome.wrong:
            print(f'WRONG {kind}:{number} --seed {seed}  {outcome}', flush=True)
    for kind, outcomes in found.items():
        words = sorted(collections.Counter(outcome.word for outcome in outcomes).items())
        slow = sum(outcome.seconds > SLOW for outcome in outcomes)
        longest = max(outcome.seconds for outcome in outcomes)
        print(
            f'{kind}: {len(outcomes)} cases: {", ".join(f"{n} {word}" for word, n in words)}; '
            f'{slow} over {SLOW} s, the longest {longest:.1f} s'
        )
    return sum(outcome.wrong for outcomes in found.values() for outcome in outcomes)


def _outcomes(scratch: Path, cases: list[Case], seed: int) -> Iterator[Outcome]:
    """Of each case in turn; a process that hangs or dies is replaced by a new one."""
    context, done = multiprocessing.get_context(_START), 0
    while done < len(cases):
        ours, theirs = context.Pipe()
        arguments = theirs, scratch, cases[done:], seed
        process = context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        theirs.close()
        with contextlib.suppress(EOFError):
            ours.recv()  # it is ready
            while done < len(cases) and ours.poll(_HANGS):
                yield ours.recv()
                done += 1
        process.join(0.5)  # of itself, if it died
        code = process.exitcode
        process.kill()
        process.join()
        if done < len(cases):
            yield Outcome('hangs' if code is None else f'dies ({code})')
            done += 1


def _work(pipe: Connection, scratch: Path, cases: list[Case], seed: int) -> None:
    with open(os.devnull, 'w') as nowhere:  # what libraries say of damaged files
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    _warm(scratch)
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    most = pages * resource.getpagesize() + _MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    pipe.send(None)
    for kind, number in cases:
        pipe.send(_try(scratch, kind, number, seed))


def _try(scratch: Path, kind: str, number: int, seed: int, aloud: bool = False) -> Outcome:
    rng = np.random.default_rng([seed, KINDS.index(kind), number])
    place = Path(tempfile.mkdtemp(dir=scratch))
    what, begin = [''], time.process_time()
    try:
        word = _CASES[kind](rng, scratch, place, what)
    except InputError as error:
        word, what = 'refused', [*what, str(error) * aloud]
    except BaseException as error:
        if aloud:
            traceback.print_exc()
        trace = traceback.extract_tb(error.__traceback__)
        at = [f'{Path(t.filename).name}:{t.lineno}' for t in trace if '/mvae/' in t.filename]
        word = type(error).__name__
        what = [*what, str(error).splitlines()[0][:200] if str(error) else '', ' '.join(at[-3:])]
    seconds = time.process_time() - begin
    shutil.rmtree(place, ignore_errors=True)
    return Outcome(word, '; '.join(filter(None, what)), round(seconds, 2))


def _files(rng: damage.Rng, scratch: Path, place: Path, what: list[str]) -> str:
    name = damage.draw(rng, list(READERS))
    folder = shutil.copytree(scratch / 'whole' / name, place / name)
    stores._MOST_COPIED = int(damage.draw(rng, [0, 2**24]))

    def spoil() -> None:
        what.append(damage.damage(rng, folder))

    if name == 'store' and rng.integers(4) == 0:
        open_store(folder, spoil)
    else:
        spoil()
        READERS[name](folder)
    return 'fine'


def _bits(rng: damage.Rng, scratch: Path, place: Path, what: list[str]) -> str:
    name = damage.draw(rng, ['run', 'run', 'compact'])
    folder = shutil.copytree(scratch / 'whole' / name, place / name)
    files = [path for path in sorted(folder.rglob('*')) if path.is_file() and path.stat().st_size]
    sizes = np.array([path.stat().st_size for path in files], float)
    path = files[int(rng.choice(len(files), p=sizes / sizes.sum()))]
    path.write_bytes(damage.flip(rng, path.read_bytes()))
    what.append(f'a bit of {path.relative_to(place)}')
    same = READERS[name](folder) == (scratch / f'{name}.digest').read_text()
    return 'fine' if same else 'unnoticed'


def _midi(rng: damage.Rng, scratch: Path, place: Path, what: list[str]) -> str:
    notes = tune(int(rng.integers(100)), 40)
    sources = [
        song(1),
        midi(notes),
        midi(low(notes), low(notes), beat(3), (3, 4)),
        midi((), (), ()),
    ]
    data = damage.spoil_midi(rng, damage.draw(rng, sources), damage.draw(rng, sources))
    what.append(f'{len(data)} bytes')
    score, refused = read_midi(data), 0
    for form in (make_form('melody', 2), make_form('drums', 2), make_form('trio', 16)):
        try:
            reading.read(score, form)
            reading.read_all(score, form)
        except InputError:
            refused += 1
    extract(score, ExtractSettings())
    return 'refused' if refused == 3 else 'fine'


_CASES = {'midi': _midi, 'files': _files, 'bits': _bits}


def _warm(scratch: Path) -> None:
    """Reads what is whole: later cases then compile nothing, and have something to be held to."""
    for name, reader in READERS.items():
        digest = reader(scratch / 'whole' / name)
        (scratch / f'{name}.digest').write_text(str(digest))


if __name__ == '__main__':
    sys.exit(min(main(), 1))
