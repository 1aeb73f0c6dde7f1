"""Whether updates at scale `paper` fit a device, computed from shapes alone.

    python benchmarks/scale.py [--exp mel16,trio16] [--batches 64,8] [--config.model.dtype=bfloat16]

The training step of each experiment and variant is compiled and never run, so that nothing is
allocated. Prints a table in Markdown: GiB held, and for each batch GiB of the update itself, the
total, and whether that fits. The compiler is that of this machine: for another kind of device its
figures are an estimate.
"""

import argparse
import os
from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict, FrozenConfigDict

from mvae.batch import Batch
from mvae.commands import experiments, overrides
from mvae.config import VARIANTS
from mvae.model.config import model_config
from mvae.music.form import Form
from mvae.musicvae import form_of
from mvae.training import memory, step

GIB, DEVICE = 2**30, 16  # GiB of a device that counts as enough: a TPU v5e has so many
BATCHES = 512, 64, 8  # examples on each of 1, 8 and 64 devices
# A CPU's compiler would spend memory to run independent parts side by side; others do not.
SCHEDULER = '--xla_cpu_enable_concurrency_optimized_scheduler=false'
PAPER = 'mel2', 'drum2', 'mel16', 'drum16', 'trio16'  # their variants are compared


def abstract_batch(form: Form, size: int) -> Batch:
    """The shapes of a batch of `by_device` on one device."""
    steps = form.segments * form.steps_per_segment

    def columns(*shape: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((1, size, *shape), jnp.int32)

    streams, told = (
        tuple(columns(steps, len(sizes)) for _, sizes in layout)
        for layout in (form.layout, form.told_layout)
    )
    mask = jax.ShapeDtypeStruct((1, size), jnp.float32)
    return Batch(streams, told, mask, columns())


def plan(c: ConfigDict, size: int) -> tuple[int, memory.Plan | None]:
    """Parameters, and what an update of so many examples needs on one device."""
    form, t = form_of(c), FrozenConfigDict(c.training)
    cfg = model_config(c, form)
    key = jax.eval_shape(lambda: jax.random.key(0))
    state = jax.eval_shape(lambda key: step.init_state(key, cfg, t), key)
    count = sum(x.size for x in jax.tree.leaves(state.params))
    update = step.make_train_step(cfg, t)
    return count, memory.planned(update, state, abstract_batch(form, size), key)


def row(name: str, c: ConfigDict, batches: Sequence[int]) -> str:
    """A line of the table."""
    cells, count, held = [], 0, 0.0
    for size in batches:
        count, planned = plan(c, size)
        jax.clear_caches()  # a hundred compiled programs are more than a process may map
        if planned is None:
            cells.append('not told')
            continue
        held, temporary = planned.held / GIB, planned.temporary / GIB
        total = held + temporary
        cells.append(f'{temporary:.1f}, {total:.1f}, {"yes" if total <= DEVICE else "**no**"}')
    first = f'| {name} | {c.variant} | {count / 1e6:,.0f} | {held:.1f} '
    return first + ''.join(f'| {cell} ' for cell in cells) + '|'


def chosen(names: Sequence[str], settings: Sequence[str]) -> Iterator[tuple[str, ConfigDict]]:
    """The configs: an experiment's own variant first, and the others of the paper's experiments."""
    for name in names:
        own = experiments.load(name, None, 'paper').variant
        others = [v for v in VARIANTS if v != own and name in PAPER]
        for variant in (own, *others):
            c = experiments.load(name, variant, 'paper')
            for setting in settings:
                overrides.apply(c, setting)
            yield name, c


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Memory of updates at scale paper, from shapes.')
    known = tuple(experiments.files())

    def numbers(text: str) -> list[int]:
        return [int(word) for word in text.split(',')]

    parser.add_argument('--exp', type=lambda text: text.split(','), default=known)
    parser.add_argument('--batches', type=numbers, default=BATCHES, help='examples on a device')
    options, settings = parser.parse_known_args()
    return argparse.Namespace(**vars(options), settings=settings)


def main() -> None:
    options = parse_arguments()
    os.environ['XLA_FLAGS'] = f'{SCHEDULER} {os.environ.get("XLA_FLAGS", "")}'
    heads = [f'{size} on a device' for size in options.batches]
    print(f'| experiment | variant | million parameters | held | {" | ".join(heads)} |')
    print('|---' * (4 + len(heads)) + '|')
    for name, c in chosen(options.exp, options.settings):
        print(row(name, c, options.batches), flush=True)


if __name__ == '__main__':
    main()
