"""Training and sampling of each size, ours and a peer's call by call in turn, beside the floors of
the machine.
"""

import json
import statistics
from contextlib import ExitStack, closing

import works
from machine import wait_until_quiet
from program import Program

WORDS = {'train': 'one update', 'sample': f'{works.SAMPLES} pieces', 'sample1': '1 piece'}


def floors(work: works.Work, word: str, machine: dict) -> tuple[float, float]:
    """Seconds that the arithmetic needs, and that reading the weights of each step from memory
    needs (0 where the cache can hold them).
    """
    cfg = work.model
    samples = {'sample': works.SAMPLES, 'sample1': 1}.get(word)
    step_bytes = works.step_bytes(cfg)
    if samples is None:
        flops, read, at_once = (
            works.training_flops(work),
            works.training_bytes(work),
            16 * max(cfg.encoder_sizes) ** 2,
        )
    else:
        flops, read, at_once = (
            samples * works.forward_flops(cfg)[1],
            cfg.total_steps * step_bytes,
            step_bytes,
        )
    return flops / machine['flops']['float32'], read / machine[
        'bytes_per_second'
    ] if at_once > machine['cache_bytes'] else 0.0


def measure(name: str, machine: dict, peer: str | None, calls: int, say) -> list[dict]:
    """Rows of one size: medians, floors, and with a peer the median of the ratios of neighbouring
    calls.
    """
    work = works.WORKS[name]
    argument, rows = json.dumps(works.to_dict(work)), []
    with ExitStack() as stack:
        programs = {'mvae': 'mvae_model.py'} | ({peer: f'{peer}_model.py'} if peer else {})
        running = {
            who: stack.enter_context(closing(Program(file, argument)))
            for who, file in programs.items()
        }
        for word, what in WORDS.items():
            times = {who: [] for who in running}
            busy = wait_until_quiet()
            for _ in range(calls):
                for who, program in running.items():
                    times[who].append(program.seconds(word))
            arithmetic, memory = floors(work, word, machine)
            ours = statistics.median(times['mvae'])
            row = {
                'work': f'{name}: {word}',
                'what': f'{work.about}, {f"batch {work.batch_size}" if word == "train" else what}',
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
                row['ratio'] = statistics.median(
                    p / o for p, o in zip(times[peer], times['mvae'], strict=True)
                )
            say(row)
            rows.append(row)
    return rows
