"""How fast mvae is on this machine, beside what the machine could do: make bench.

With ARGS='--peer torch' it stands beside PyTorch too. Every program runs in a process of its own; a
peer's calls alternate with ours. Each measurement waits until the machine is quiet.
runs/bench.json keeps every single time. Times of one run can be compared, those of two runs or two
machines hardly.
"""

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path

import models
import works
from machine import wait_until_quiet
from program import HERE, Failed, output_of

PARTS = ('models', 'build', 'load', 'start')
PEERS = ('torch',)


def model_line(row: dict) -> str:
    """A line of the table of models."""
    times = f'{row["seconds"]:9.3f}{row["floor"]:9.3f}{row["share_of_floor"]:7.0%}'
    line = f'{row["work"]:16}{row["what"]:45}{times} {row["bound"]:11}'
    if 'ratio' in row:
        line += f'{row["peer_seconds"]:9.3f} {row["ratio"]:6.2f}x'
    if row['busy_cores_before'] > 0.5:
        line += '  (others were running)'
    return line


def say(line: str = '') -> None:
    print(line, flush=True)


def run(options: argparse.Namespace) -> dict:
    """Measures the parts asked for, and says what it finds."""
    machine = output_of('machine.py')
    say_machine(machine)
    result = {'machine': machine}
    if 'models' in options.parts:
        result['models'] = measure_models(options, machine)
    for name, measure in (('build', build), ('load', load), ('start', start)):
        if name in options.parts:
            wait_until_quiet(options.wait)
            result[name] = measure(options)
    return result


def say_machine(machine: dict) -> None:
    rates = ', '.join(
        f'{rate / 1e9:,.0f} GFLOP/s in {dtype}' for dtype, rate in machine['flops'].items()
    )
    memory = f'{machine["bytes_per_second"] / 1e9:.0f} GB/s'
    cache = f'{machine["cache_bytes"] / 2**20:.0f} MiB'
    where = f'{machine["processor"]}, {machine["cores"]} cores, {machine["devices"]}'
    say(f'{where}, jax {machine["jax"]}')
    say(f'matrix products {rates}; memory {memory}, last-level cache {cache}')


def measure_models(options: argparse.Namespace, machine: dict) -> list[dict]:
    head = f'{"seconds":>9}{"floor":>9}{"share":>7} {"bound by":11}'
    if options.peer:
        head += f'{options.peer:>9} {"ratio":>7}'
    say(f'\n{"":61}{head}')
    rows = []
    for name in options.sizes:
        arguments = machine, options.peer, options.calls, options.wait
        rows += models.measure(name, *arguments, lambda row: say(model_line(row)))
    return rows


def build(options: argparse.Namespace) -> dict:
    b = output_of('building.py', str(options.midi))
    files = f'{b["files"]:,} files of {options.midi}'
    rate = f'{b["files"] / b["seconds"]:,.0f} files/s'
    share = f'{b["floor"] / b["seconds"]:.0%}'
    say(f'\nbuild a store    {files} in {b["seconds"]:.1f} s with one worker: {rate}')
    say(f'{"":17}reading and parsing alone {b["floor"]:.1f} s, {share} of it')
    return b


def load(options: argparse.Namespace) -> dict:
    result = output_of('loading.py', str(options.data))
    big = result['big']
    for what in ('batch', 'share'):
        part = result[what]
        shape = ' x '.join(map(str, part['shape']))
        seconds, floor = (f'{part[name] * 1e3:.2f} ms' for name in ('seconds', 'floor'))
        say(f'load a {what}     {shape}, transposed anew: {seconds}; copying it {floor}')
    times = f'{big["open"]:.2f} s, first batch after {big["first_batch"]:.2f} s'
    own, mapped = (f'{big[name] / 1024:.0f}' for name in ('kib', 'mapped_kib'))
    say(
        f'open a store     {big["windows"]:,} windows: {times}, '
        f'{own} MiB, and {mapped} of the files mapped'
    )
    return result


def start(options: argparse.Namespace) -> dict:
    s = output_of('starting.py')
    jax_alone, more = s['import']['jax'], s['import']['difference']
    warm, empty = s['sample']['warm_cache'], s['sample']['empty_cache']
    say(f'import           jax {jax_alone:.2f} s; mvae adds {more:.2f} s')
    say(f'sample.py        trio16 small, from a cold process to MIDI on disk: {warm:.1f} s')
    say(f'{"":17}the first time, with an empty compilation cache: {empty:.1f} s')
    return s


def chosen(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    """A parser of lists of names, for argparse."""

    def parse(text: str) -> list[str]:
        names = text.split(',')
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(
                f'{", ".join(unknown)} not known; choose of {",".join(known)}'
            )
        return names

    return parse


def parse_arguments() -> argparse.Namespace:
    data = HERE.parent / 'data'
    parser = argparse.ArgumentParser(description='Measures the speed of mvae on this machine.')
    add = parser.add_argument
    peer_help = 'measure this one in turn with ours; needs the extra of its name'
    add('--peer', choices=PEERS, help=peer_help)
    for option, names in (('--parts', PARTS), ('--sizes', tuple(works.WORKS))):
        add(option, type=chosen(names), default=list(names), help=f'default: {",".join(names)}')
    add('--calls', type=int, default=5, help='of each kind and program (default: 5)')
    add('--wait', type=float, default=60, help='seconds to wait for a quiet machine (default: 60)')
    midi_help = 'files of the build (default: the demo corpus)'
    add('--midi', type=Path, default=data / 'demo-midi', help=midi_help)
    data_help = 'store of the loader (default: the demo corpus)'
    add('--data', type=Path, default=data / 'demo', help=data_help)
    add('--out', type=Path, default=Path('runs/bench.json'))
    options = parser.parse_args()
    if options.peer and not importlib.util.find_spec(options.peer):
        parser.error(
            f'{options.peer} is not installed: make bench installs it, or '
            f'pip install --constraint constraints.txt ".[{options.peer}]"'
        )
    for path in (options.midi, options.data):
        if not path.is_dir():
            parser.error(f'{path} is no folder; python data/build.py --demo makes the demo corpus')
    return options


def main() -> int:
    options = parse_arguments()
    try:
        result = run(options)
    except Failed as failed:
        print(f'error: {failed}', file=sys.stderr)
        return 2
    options.out.parent.mkdir(parents=True, exist_ok=True)
    beside = options.out.with_suffix('.part')
    beside.write_text(json.dumps(result, indent=1))
    beside.rename(options.out)
    say(f'\nAll times: {options.out}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
