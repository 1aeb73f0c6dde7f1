"""How fast mvae is on this machine, beside what the machine could do and, if asked, beside PyTorch:
make bench [ARGS='--peer torch'].

Every program runs in a process of its own; a peer's calls alternate with ours, on a machine waited
for until it is quiet. Writes runs/bench.json with every single time. Times of one run compare;
those of two runs or two machines hardly.
"""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

import models
import works
from machine import wait_until_quiet
from program import HERE, Failed, output_of

PARTS = ('models', 'build', 'load', 'start')
PEERS = ('torch',)


def model_line(row: dict) -> str:
    peer = f'{row["peer_seconds"]:9.3f} {row["ratio"]:6.2f}x' if 'ratio' in row else ''
    return (
        f'{row["work"]:16}{row["what"]:45}{row["seconds"]:9.3f}{row["floor"]:9.3f}{row["share_of_floor"]:7.0%} {row["bound"]:11}{peer}'
        f'{"  (others were running)" if row["busy_cores_before"] > 0.5 else ""}'
    )


def say(line: str = '') -> None:
    print(line, flush=True)


def run(options: argparse.Namespace) -> dict:
    result = {'machine': (machine := output_of('machine.py'))}
    rates = ', '.join(
        f'{rate / 1e9:,.0f} GFLOP/s in {dtype}' for dtype, rate in machine['flops'].items()
    )
    say(
        f'{machine["processor"]}, {machine["cores"]} cores, {machine["devices"]}, jax {machine["jax"]}'
    )
    say(
        f'matrix products {rates}; memory {machine["bytes_per_second"] / 1e9:.0f} GB/s, last-level cache {machine["cache_bytes"] / 2**20:.0f} MiB'
    )
    if 'models' in options.parts:
        head = f'{options.peer:>9} {"ratio":>7}' if options.peer else ''
        say(f'\n{"":61}{"seconds":>9}{"floor":>9}{"share":>7} {"bound by":11}{head}')
        result['models'] = []
        for name in options.sizes:
            result['models'] += models.measure(
                name, machine, options.peer, options.calls, lambda row: say(model_line(row))
            )
    if 'build' in options.parts:
        wait_until_quiet()
        b = result['build'] = output_of('building.py', str(options.midi))
        rate = b['files'] / b['seconds']
        say(
            f'\nbuild a store    {b["files"]:,} files of {options.midi} in {b["seconds"]:.1f} s with one worker: {rate:,.0f} files/s'
        )
        say(
            f'                 reading and parsing alone {b["floor"]:.1f} s, {b["floor"] / b["seconds"]:.0%} of it'
        )
    if 'load' in options.parts:
        wait_until_quiet()
        n = result['load'] = output_of('loading.py', str(options.data))
        shape = ' x '.join(map(str, n['batch']['shape']))
        say(
            f'load a batch     {shape}, transposed anew: {n["batch"]["seconds"] * 1e3:.2f} ms; copying it {n["batch"]["floor"] * 1e3:.2f} ms'
        )
        big = n['big']
        memory = (
            f'{big["kib"] / 1024:.0f} MiB, and {big["mapped_kib"] / 1024:.0f} of the files mapped'
        )
        say(
            f'open a store     {big["windows"]:,} windows: {big["open"]:.2f} s, first batch after {big["first_batch"]:.2f} s, {memory}'
        )
    if 'start' in options.parts:
        wait_until_quiet()
        s = result['start'] = output_of('starting.py')
        say(
            f'import           jax {s["import"]["jax"]:.2f} s; mvae adds {s["import"]["difference"]:.2f} s'
        )
        say(
            f'sample.py        trio16 small, from a cold process to MIDI on disk: {s["sample"]["warm_cache"]:.1f} s'
        )
        say(
            f'                 the first time, with an empty compilation cache: {s["sample"]["empty_cache"]:.1f} s'
        )
    return result


def chosen(known: tuple[str, ...]):
    """A list of names, for argparse."""

    def parse(text: str) -> list[str]:
        names = text.split(',')
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(
                f'{", ".join(unknown)} not known; choose of {",".join(known)}'
            )
        return names

    return parse


def main() -> int:
    parser = argparse.ArgumentParser(description='Measures the speed of mvae on this machine.')
    parser.add_argument(
        '--peer',
        choices=PEERS,
        help='measure this one in turn with ours; needs the extra of its name',
    )
    parser.add_argument(
        '--parts', type=chosen(PARTS), default=list(PARTS), help=f'default: {",".join(PARTS)}'
    )
    parser.add_argument(
        '--sizes',
        type=chosen(tuple(works.WORKS)),
        default=list(works.WORKS),
        help=f'default: {",".join(works.WORKS)}',
    )
    parser.add_argument(
        '--calls', type=int, default=5, help='of each kind and program (default: 5)'
    )
    parser.add_argument(
        '--midi',
        type=Path,
        default=HERE.parent / 'data' / 'demo-midi',
        help='files of the build (default: the demo corpus)',
    )
    parser.add_argument(
        '--data',
        type=Path,
        default=HERE.parent / 'data' / 'demo',
        help='store of the loader (default: the demo corpus)',
    )
    parser.add_argument('--out', type=Path, default=Path('runs/bench.json'))
    options = parser.parse_args()
    if options.peer and not importlib.util.find_spec(options.peer):
        parser.error(
            f'{options.peer} is not installed: pip install --constraint constraints.txt ".[{options.peer}]", or make bench does it'
        )
    for path in (options.midi, options.data):
        if not path.is_dir():
            parser.error(f'{path} is no folder; python data/build.py --demo makes the demo corpus')
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
