"""All that is to be measured on one accelerator, within some minutes: make gpu.

    python benchmarks/gpu.py --data data/mine [--minutes 20] [--out runs/gpu] [--tiny]

Runs the tests that need a GPU, the benchmarks of `bench.py`, updates of each size in float32 and
bfloat16, and with the time that is left a training of trio16 on the store. A part that fails is
said, and the others go on. Writes OUT.json, and OUT.md with the tables. --tiny does all of it with
the smallest sizes, on any machine.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from program import ENVIRONMENT, HERE

# Dense TFLOP/s of matrix products as the vendors give them (bfloat16, float32). jax computes
# float32 products of these GPUs in TF32. The first name that is in the device's own counts.
PEAKS = {
    'H200': (989, 494),
    'H100 PCIe': (756, 378),
    'H100': (989, 494),
    'A100': (312, 156),
}
DTYPES = 'bfloat16', 'float32'
MOST_PARTS = 32  # micro-batches of an update that is tried in ever smaller ones
Clock = Callable[[], float]  # seconds that are left


class Failed(Exception):
    """A part did not come to its end."""


def output(command: Sequence[str | Path], limit: float) -> str:
    """What a program prints. Raises Failed with its last words, and where it takes too long."""
    try:
        done = subprocess.run(
            command, env=ENVIRONMENT, capture_output=True, text=True, timeout=max(limit, 1)
        )
    except subprocess.TimeoutExpired:
        raise Failed(f'not done within {limit:.0f} s') from None
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise Failed(f'exit code {done.returncode}: {words[-1][:300] if words else ""}')
    return done.stdout


def tests(options: argparse.Namespace, left: Clock) -> dict:
    """The tests that need a GPU; `--tiny` only finds them."""
    more = ['--collect-only'] if options.tiny else []
    file = HERE.parent / 'tests' / 'test_interop_golden.py'
    command = [sys.executable, '-m', 'pytest', '-q', '-n0', '-m', 'gpu', *more, file]
    return {'said': output(command, left()).strip().splitlines()[-1]}


def bench(options: argparse.Namespace, left: Clock) -> dict:
    """The rows of `bench.py`: updates and sampling of its sizes, and the loader."""
    out = options.out.with_suffix('.bench.json')
    tiny = ['--parts', 'models', '--sizes', 'mel2', '--calls', '1', '--wait', '0']
    words = tiny if options.tiny else ['--parts', 'models,load', '--calls', '3']
    data = ['--data', options.data] if options.data else []
    output([sys.executable, HERE / 'bench.py', *words, *data, '--out', out], left())
    return json.loads(out.read_text())


def updates(options: argparse.Namespace, left: Clock) -> dict:
    """Rows of updates: trio16 at small and paper and mel2 at paper, in both formats of numbers."""
    sizes = [('trio16', 'small'), ('trio16', 'paper'), ('mel2', 'paper')]
    sizes = [('mel2', 'tiny')] if options.tiny else sizes
    rows = []
    for exp, scale in sizes:
        for dtype in DTYPES:
            row = {'exp': exp, 'scale': scale, 'dtype': dtype}
            try:
                row |= smaller_until_it_fits(row, 2 if options.tiny else 10, left)
                row['peak'] = peak(row['device'], dtype, options.peak)
            except Failed as failed:
                row['failed'] = str(failed)
            rows.append(row)
    return {'rows': rows}


def smaller_until_it_fits(row: dict, calls: int, left: Clock) -> dict:
    """An update timed in as few micro-batches as memory allows."""
    parts = 1
    while True:
        about = row | {'batch_size': None, 'accumulation': parts, 'calls': calls}
        command = [sys.executable, HERE / 'updates.py', json.dumps(about)]
        try:
            return json.loads(output(command, min(left(), 300)).splitlines()[-1])
        except Failed as failed:
            if 'RESOURCE_EXHAUSTED' not in str(failed) or parts == MOST_PARTS:
                raise
            parts *= 2


def peak(device: str, dtype: str, given: dict[str, float]) -> float | None:
    """FLOP/s of a device: as given, else by its name; None where neither says."""
    if dtype in given:
        return given[dtype] * 1e12
    known = next((rates for name, rates in PEAKS.items() if name in device), None)
    return known and known[DTYPES.index(dtype)] * 1e12


def train(options: argparse.Namespace, left: Clock) -> dict:
    """A training of trio16 until it is through or the time is over, when it is asked to stop."""
    run = options.out.with_name(f'{options.out.name}-run')
    sizes = ['--scale', 'tiny', '--steps', '10'] if options.tiny else []
    data = ['--data', options.data] if options.data else []
    command = [
        sys.executable,
        '-m',
        'mvae',
        'train',
        '--exp',
        'trio16',
        '--run',
        run,
        *sizes,
        *data,
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            _, said = process.communicate(timeout=max(left(), 1))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate()
    if process.returncode not in (0, 128 + signal.SIGTERM):
        raise Failed(f'exit code {process.returncode}: {said.strip().splitlines()[-1][:300]}')
    return {'run': str(run)} | last_metrics(run / 'metrics.jsonl')


def last_metrics(file: Path) -> dict:
    """The last update that a training wrote of, and the last value of each metric."""
    lines = file.read_text().splitlines() if file.exists() else []
    if not lines:
        raise Failed('no update within the time')
    metrics = {name: value for line in lines for name, value in json.loads(line).items()}
    return {'step': metrics.pop('step'), 'metrics': metrics}


PARTS: dict[str, Callable[[argparse.Namespace, Clock], dict]] = {
    'tests': tests,
    'updates': updates,
    'bench': bench,
    'train': train,
}


def tables(result: dict) -> str:
    """The result as Markdown."""
    lines = ['| part | seconds | |', '|---|---|---|']
    for name, part in result.items():
        lines.append(f'| {name} | {part["took"]:.0f} | {part.get("failed", "done")} |')
    lines += ['', '| model | format | batch | parts | updates/s | TFLOP/s | of the peak |']
    lines += ['|---|---|---|---|---|---|---|']
    lines += [update_line(row) for row in result.get('updates', {}).get('rows', [])]
    lines += ['', '| what | seconds | share of the floor |', '|---|---|---|']
    for row in result.get('bench', {}).get('models', []):
        lines.append(f'| {row["what"]} | {row["seconds"]:.4f} | {row["share_of_floor"]:.0%} |')
    if 'step' in (trained := result.get('train', {})):
        loss = trained['metrics'].get('validation/loss', 'none yet')
        lines += [
            '',
            f'trio16: {trained["step"]} updates; validation loss {loss}; {trained["run"]}',
        ]
    return '\n'.join(lines) + '\n'


def update_line(row: dict) -> str:
    """A row of the table of updates. The peak is of all devices."""
    first = f'| {row["exp"]} {row["scale"]} | {row["dtype"]} '
    if 'failed' in row:
        return f'{first}| {row["failed"]} |||||'
    seconds = statistics.median(row['seconds'])
    rate = row['flops'] / seconds
    share = f'{rate / row["peak"] / row["devices"]:.1%}' if row['peak'] else 'unknown'
    sizes = f'| {row["batch_size"]} | {row["accumulation"]} '
    return f'{first}{sizes}| {1 / seconds:.2f} | {rate / 1e12:.2f} | {share} |'


def run(options: argparse.Namespace) -> dict:
    """All parts, one after the other. What is there is written after each of them."""
    end, result = time.monotonic() + 60 * options.minutes, {}
    for name in options.parts:
        print(f'{name} ...', flush=True)
        start = time.monotonic()
        try:
            result[name] = PARTS[name](options, lambda: end - time.monotonic())
        except Exception as error:  # whatever it was, the others go on
            result[name] = {'failed': f'{type(error).__name__}: {error}'.replace('\n', ' ')}
            print(f'{name} failed: {error}', file=sys.stderr, flush=True)
        result[name]['took'] = time.monotonic() - start
        options.out.with_suffix('.json').write_text(json.dumps(result, indent=1))
        options.out.with_suffix('.md').write_text(tables(result))
    return result


def rate(text: str) -> tuple[str, float]:
    """'bfloat16=989' for argparse."""
    dtype, _, number = text.partition('=')
    if dtype not in DTYPES:
        raise argparse.ArgumentTypeError(f'write bfloat16=989 or float32=494, not {text}')
    return dtype, float(number)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Measures all of mvae on one accelerator.')
    add = parser.add_argument
    add('--data', type=Path, help='store of 16-bar trios (default: the demo corpus)')
    add('--minutes', type=float, default=20, help='for all parts (default: 20)')
    add('--out', type=Path, default=Path('runs/gpu'), help='OUT.json, OUT.md (default: runs/gpu)')
    add('--parts', nargs='+', choices=PARTS, default=list(PARTS))
    peak_help = "TFLOP/s of the device, such as bfloat16=989 float32=494 (default: the vendor's)"
    add('--peak', nargs='+', type=rate, default=[], help=peak_help)
    add('--tiny', action='store_true', help='the smallest sizes, to try this script')
    options = parser.parse_args()
    options.peak = dict(options.peak)
    return options


def main() -> int:
    options = parse_arguments()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    result = run(options)
    print(tables(result))
    failed = [name for name, part in result.items() if 'failed' in part]
    print(
        f'Written: {options.out}.json, {options.out}.md' + (f'; failed: {failed}' if failed else '')
    )
    return bool(failed)


if __name__ == '__main__':
    sys.exit(main())
