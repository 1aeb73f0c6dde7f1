"""A dataset from a folder of MIDI files, or from the demo corpus that comes with mvae.

    mvae data --midi ~/midi --out data/mine
    mvae data --demo
    mvae data --midi /shared/midi --out /shared/mine --runner beam

Runs on all cores, can be stopped and goes on where it stopped, and does nothing where the dataset
is there already. The demo corpus is public-domain fiddle tunes, with bass and drums arranged by a
program.
"""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from mvae.commands.options import need, positive
from mvae.errors import InputError

if TYPE_CHECKING:
    from mvae.dataset.build import BuildSettings
    from mvae.dataset.runner import Runner

DEMO = Path('data/demo')


def add_options(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        '--midi', type=Path, help='folder with MIDI files, searched with all folders below it'
    )
    source.add_argument('--demo', action='store_true', help='the demo corpus instead')
    parser.add_argument('--out', type=Path, help=f'folder of the dataset (with --demo: {DEMO})')
    parser.add_argument(
        '--bars',
        type=positive,
        nargs='+',
        default=[2, 16],
        help='lengths of windows (default: 2 16); train takes one of them with --bars',
    )
    parser.add_argument(
        '--forms',
        nargs='+',
        help='what windows are made of (default: melody bass drums trio); groove is drums as they '
        'are played, percussion each of 61 instruments for itself, band all instruments of a bar '
        '(--bars 1), lead melodies with their chords, groove_of_hits grooves with given hits',
    )
    parser.add_argument('--workers', type=positive, help='processes (default: all cores)')
    parser.add_argument(
        '--runner',
        default='local',
        choices=('local', 'beam'),
        help='where the work is done: in processes of this machine (default), or by Apache Beam',
    )
    parser.add_argument(
        '--beam-options',
        help="options of Beam's own, in one word: "
        "--beam-options='--runner=FlinkRunner --flink_master=host:8081' (default: Beam runs here)",
    )
    parser.add_argument(
        '--min-pitch', type=int, default=0, help='lowest pitch of melody and bass (default: 0)'
    )
    parser.add_argument(
        '--max-pitch', type=int, default=127, help='highest pitch of melody and bass (default: 127)'
    )
    parser.add_argument(
        '--drum-map',
        default='current',
        choices=('current', 'old', 'roland'),
        help='classes of drum pitches; roland: of the Groove MIDI Dataset',
    )
    parser.add_argument(
        '--meter',
        default='4/4',
        help='of the music that is taken, such as 3/4 or 6/8 (default: 4/4)',
    )
    parser.add_argument(
        '--polyphony',
        default='top',
        choices=('top', 'reject'),
        help='melody tracks with chords: take the top note, or none',
    )
    parser.add_argument(
        '--max-rest-bars',
        type=float,
        default=1,
        help='longest rest in a window, in bars (default: 1)',
    )
    parser.add_argument(
        '--melody-programs',
        type=int,
        nargs=2,
        default=(0, 31),
        metavar=('FIRST', 'LAST'),
        help='General MIDI programs of melodies (default: 0 31); of a file without them its '
        'busiest other track',
    )
    parser.add_argument(
        '--follow-tempo',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='let bars go on where the tempo changes (default); else windows end there',
    )
    parser.add_argument(
        '--time-limit', type=float, default=10, help='seconds that one file may take (default: 10)'
    )
    parser.add_argument(
        '--memory-limit',
        type=int,
        default=2048,
        help='MiB that one worker may take (default: 2048)',
    )
    parser.add_argument(
        '--force', action='store_true', help='build even if the dataset is there and current'
    )


def run(options: argparse.Namespace) -> None:
    if not (options.out or options.demo):
        raise InputError('--out is missing: say where the dataset goes, such as --out data/mine')
    runner = _runner(options)
    settings = _settings(options)
    if options.demo:
        build_demo(options.out or DEMO, settings, options.workers, options.force, quiet=False)
    else:
        _build(options.midi, options.out, settings, options.workers, options.force, runner)


def _runner(options: argparse.Namespace) -> 'Runner | None':
    """None: this machine."""
    if options.runner == 'local':
        if options.beam_options:
            raise InputError('--beam-options are for --runner beam; give both or neither')
        return None
    if options.demo or options.workers:
        raise InputError(
            '--runner beam takes neither --demo nor --workers: it builds from --midi, and options '
            'of Beam say on how many workers'
        )
    need('beam', 'apache_beam')
    from mvae.dataset.beam import Beam

    return Beam(shlex.split(options.beam_options or ''))


def build_demo(
    out: Path = DEMO,
    settings: 'BuildSettings | None' = None,
    workers: int | None = None,
    force: bool = False,
    quiet: bool = True,
) -> None:
    """Builds the demo corpus where it is not there or not current.

    Several processes may do so at once: one builds, the others wait for it.
    quiet: says nothing where nothing is to be done.
    """
    from mvae.dataset.build import BuildSettings, is_current
    from mvae.files import locked

    settings = settings or BuildSettings()

    def current() -> bool:
        # The corpus is made from code, and code is part of what makes a dataset current: its MIDI
        # files need not be there.
        return not force and is_current(out, settings)

    if not current():
        waiting = f'another process builds {out}; waiting for it'
        with locked(out.with_name(f'.{out.name}.lock'), waiting):
            if not current():
                midi = out.with_name(f'{out.name}-midi')
                _write_demo(midi, workers)
                _build(midi, out, settings, workers, force=True)
                return
    if not quiet:
        print(f'{out} is up to date')


def _write_demo(midi: Path, workers: int | None) -> None:
    need('demo', 'music21')
    from mvae.demo import write_demo_midi

    write_demo_midi(midi, workers)


def _settings(options: argparse.Namespace) -> 'BuildSettings':
    from mvae.dataset.build import BuildSettings
    from mvae.music.extract import ExtractSettings
    from mvae.music.forms import USUAL_FORMS
    from mvae.music.notation import Notation

    extract = ExtractSettings(
        notation=Notation(
            options.min_pitch, options.max_pitch, options.drum_map, meter=options.meter
        ),
        forms=tuple(dict.fromkeys(options.forms or USUAL_FORMS)),
        bars=tuple(sorted(set(options.bars))),
        polyphony=options.polyphony,
        max_rest_bars=options.max_rest_bars,
        melody_programs=tuple(options.melody_programs),
        follow_tempo=options.follow_tempo,
    )
    return BuildSettings(extract, time_limit=options.time_limit, memory_limit=options.memory_limit)


def _build(
    midi: Path,
    out: Path,
    settings: 'BuildSettings',
    workers: int | None,
    force: bool,
    runner: 'Runner | None' = None,
) -> None:
    import time

    from mvae.dataset.build import build_store, is_current
    from mvae.dataset.funnel import format_funnel

    if not force and is_current(out, settings, midi):
        print(f'{out} is up to date')
        return
    start = time.monotonic()
    store = build_store(midi, out, settings, workers, runner=runner)
    print(format_funnel(store.meta['funnel']))
    size = sum(path.stat().st_size for path in out.iterdir())
    seconds = time.monotonic() - start
    rate = store.meta['funnel']['files']['found'] / seconds
    print(
        f'{out}: {size / 1e6:,.1f} MB in {seconds:,.0f} s ({rate:,.0f} files/s); '
        'rejected files in rejected.csv'
    )
    if (meter := settings.extract.notation.meter) != '4/4':
        print(f'Train on it with --config.music.meter={meter}')
