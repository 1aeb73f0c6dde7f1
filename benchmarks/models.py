"""Training and sampling of each size, beside the floors of the machine.

Ours and a peer's calls come in turn.
"""

import json
import statistics
from collections.abc import Callable
from contextlib import ExitStack, closing

import works
from machine import wait_until_quiet
from program import Program

Say = Callable[[dict], None]
WORDS = {'train': 'one update', 'sample': f'{works.SAMPLES} pieces', 'sample1': '1 piece'}


def floors(work: works.Work, word: str, machine: dict) -> tuple[float, float]:
    """Seconds that the arithmetic needs, and that reading the weights of each step needs.

    The second is 0 where the cache can hold the weights.
    """
    cfg = work.model
    if word == 'train':
        flops, read = works.training_flops(work), works.training_bytes(work)
        at_once = 16 * max(cfg.encoder_sizes) ** 2
    else:
        samples = {'sample': works.SAMPLES, 'sample1': 1}[word]
        at_once = works.step_bytes(cfg)
        flops, read = samples * works.forward_flops(cfg)[1], cfg.total_steps * at_once
    cached = at_once <= machine['cache_bytes']
    memory = 0.0 if cached else read / machine['bytes_per_second']
    return flops / machine['flops']['float32'], memory


def measure(
    name: str, machine: dict, peer: str | None, calls: int, wait: float, say: Say
) -> list[dict]:
    """Rows of one size: medians, floors, and with a peer the median of its ratios to our calls.

    Each row is said as soon as it is there. wait: seconds, at most, until the machine is quiet.
    """
    work = works.WORKS[name]
    argument, rows = json.dumps(works.to_dict(name)), []
    names = ['mvae', peer] if peer else ['mvae']
    with ExitStack() as stack:
        running = {
            who: stack.enter_context(closing(Program(f'{who}_model.py', argument))) for who in names
        }
        for word, what in WORDS.items():
            times: dict[str, list[float]] = {who: [] for who in running}
            busy = wait_until_quiet(wait)
            for _ in range(calls):
                for who, program in running.items():
                    times[who].append(program.seconds(word))
            arithmetic, memory = floors(work, word, machine)
            ours = statistics.median(times['mvae'])
            size = f'batch {work.batch_size}' if word == 'train' else what
            row = {
                'work': f'{name}: {word}',
                'what': f'{work.about}, {size}',
                'seconds': ours,
                'floor': max(arithmetic, memory),
                'bound': 'memory' if memory > arithmetic else 'arithmetic',
                'share_of_floor': max(arithmetic, memory) / ours,
                'first_call': running['mvae'].about['first'][word],
                'parameters': running['mvae'].about['parameters'],
                'busy_cores_before': busy,
                'times': times,
            }
            if peer:
                row['peer_seconds'] = statistics.median(times[peer])
                pairs = zip(times[peer], times['mvae'], strict=True)
                row['ratio'] = statistics.median(theirs / own for theirs, own in pairs)
            say(row)
            rows.append(row)
    return rows
