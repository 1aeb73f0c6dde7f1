"""Builds a dataset from a folder of MIDI files, or from the embedded demo corpus.

    python data/build.py --midi ~/midi --out data/mine
    python data/build.py --demo

Runs on all cores, can be stopped and goes on where it stopped, and does nothing where the dataset
is there already.
Exit codes: 0 done, 2 wrong input (one line on stderr says what), 130 stopped.
"""

import argparse
import signal
import sys
import time
from pathlib import Path


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        '--midi', type=Path, help='folder with MIDI files, searched with all folders below it'
    )
    source.add_argument('--demo', action='store_true', help='the embedded demo corpus instead')
    parser.add_argument('--out', type=Path, help='folder of the dataset (with --demo: data/demo)')
    parser.add_argument('--workers', type=int, help='processes (default: all cores)')
    parser.add_argument(
        '--min-pitch',
        type=int,
        default=0,
        help='lowest pitch of melody and bass (default: %(default)s)',
    )
    parser.add_argument(
        '--max-pitch',
        type=int,
        default=127,
        help='highest pitch of melody and bass (default: %(default)s)',
    )
    parser.add_argument(
        '--drum-map', default='current', choices=('current', 'old'), help='classes of drum pitches'
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
        help='longest rest in a window, in bars (default: %(default)s)',
    )
    parser.add_argument(
        '--time-limit',
        type=float,
        default=10,
        help='seconds that one file may take (default: %(default)s)',
    )
    parser.add_argument(
        '--memory-limit',
        type=int,
        default=2048,
        help='MiB that one worker may take (default: %(default)s)',
    )
    parser.add_argument(
        '--force', action='store_true', help='build even if the dataset is there and current'
    )
    options = parser.parse_args(arguments)
    if options.out is None:
        if not options.demo:
            parser.error('--out is missing: say where the dataset goes, such as --out data/mine')
        options.out = Path(__file__).parent / 'demo'
    if options.workers is not None and options.workers < 1:
        parser.error('--workers must be at least 1')
    return options


def run(options: argparse.Namespace) -> None:
    """Builds what the options say. Raises InputError."""
    from mvae.dataset.build import BuildSettings, build_store, is_current
    from mvae.dataset.funnel import format_funnel
    from mvae.music.extract import ExtractSettings
    from mvae.music.vocabulary import Vocabulary

    vocabulary = Vocabulary(options.min_pitch, options.max_pitch, options.drum_map)
    extract = ExtractSettings(
        vocabulary=vocabulary, polyphony=options.polyphony, max_rest_bars=options.max_rest_bars
    )
    settings = BuildSettings(
        extract, time_limit=options.time_limit, memory_limit=options.memory_limit
    )
    midi = options.out.with_name(options.out.name + '-midi') if options.demo else options.midi
    # The demo corpus is made from code, and code is part of what makes a store current: its files
    # need not be there.
    if not options.force and is_current(options.out, settings, None if options.demo else midi):
        print(f'{options.out} is up to date')
        return
    start = time.monotonic()
    if options.demo:
        from mvae.demo import write_demo_midi

        write_demo_midi(midi, options.workers)
    store = build_store(midi, options.out, settings, options.workers)
    print(format_funnel(store.meta['funnel']))
    size = sum(path.stat().st_size for path in options.out.iterdir())
    seconds = time.monotonic() - start
    rate = store.meta['funnel']['files']['found'] / seconds
    print(
        f'{options.out}: {size / 1e6:,.1f} MB in {seconds:,.0f} s ({rate:,.0f} files/s); rejected files in rejected.csv'
    )


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    from mvae.errors import InputError

    signal.signal(signal.SIGTERM, _stop)  # a scheduler's stop leaves as cleanly as Ctrl-C
    try:
        run(options)
    except InputError as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(str(stop) or 'stopped', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
