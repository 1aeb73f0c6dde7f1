"""A run as a released model: python experiments/release.py --run runs/drum2 --name drum2 --about
'Groove MIDI Dataset (CC BY 4.0)' --hardware '...'.

Writes NAME.npz (compact weights) and NAME.md (its card, with its reconstruction of the test split)
into mvae/released, from where mvae.load(NAME) plays it. float16 weights, or 4 or 8 bits more where
rounding changes more than 0.1% of the tokens that 1,000 test windows are decoded to greedily;
refused if that does not help, and above 8 MB.
"""

import argparse
import sys
from pathlib import Path

import command

from mvae.errors import InputError

MOST_BYTES = 8_000_000
MOST_CHANGED = 1e-3


def main(options: argparse.Namespace) -> None:
    import numpy as np

    from mvae.dataset.loader import Loader
    from mvae.dataset.store import Store
    from mvae.evaluation.runs import evaluate_run
    from mvae.files import write_atomically
    from mvae.trained import MusicVAE, load
    from mvae.training import compact
    from mvae.training.saved import read_run, write_compact

    if not options.name.isidentifier():
        raise InputError(
            f'a released model has a name of letters and digits, such as drum2, not {options.name!r}'
        )
    folder = command.run_folder(options)
    saved = read_run(folder, options.checkpoint)
    store = Store.open(options.data or saved.config.data.path)
    target = (options.out or compact.RELEASED) / f'{options.name}.npz'
    beside = target.with_name(f'.{options.name}.npz')  # found by nobody until it has passed
    try:
        batches = Loader(
            store, saved.config.kind, saved.config.bars, 1, options.seed
        ).evaluation_batches('test', 250, options.windows)
        parts = [tokens[mask > 0] for tokens, mask in batches]
        decode = lambda model: np.concatenate(
            [model.decode_tokens(model.encode_tokens(tokens).mu) for tokens in parts]
        )  # noqa: E731
        whole = decode(MusicVAE(saved))
        for bits in compact.BITS:
            write_compact(beside, saved, store.corpus, bits)
            size, changed = beside.stat().st_size, (decode(load(beside)) != whole).mean()
            if size > MOST_BYTES:
                raise InputError(
                    f'{folder} takes {size / 1e6:.1f} MB with {bits} bits, a released model at most {MOST_BYTES // 10**6} MB'
                )
            said = f'with {bits} bits {changed:.4%} of the tokens of {len(whole):,} test windows, decoded greedily, differ from those of float32'
            print(said)
            if changed <= MOST_CHANGED:
                break
        else:
            raise InputError(
                f'{folder} cannot be kept compactly: {said}; at most {MOST_CHANGED:.1%} may'
            )
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    evaluation = evaluate_run(
        folder,
        checkpoint=options.checkpoint,
        data=store.path,
        limit=options.limit,
        seed=options.seed,
    )
    write_atomically(target.with_suffix('.md'), card(options, saved, evaluation, said).encode())
    print(f'{target}: {size / 1e6:.1f} MB')


def card(options: argparse.Namespace, saved, evaluation: dict, said: str) -> str:
    from mvae.evaluation import table

    c = saved.config
    rows = table.to_markdown(table.build([evaluation]), [evaluation])
    batch = f'{saved.step:,} of {c.training.steps:,} updates of {c.training.batch_size} windows, the best by validation loss'
    return f"""# {options.name}

{c.bars} bars of {c.kind}, {c.variant}, scale {c.scale}: {evaluation['parameters']:,} parameters ({said}).

- Data: {options.about}. Songs of the test split were not seen in training.
- Training: {batch}; seed {c.seed}; {options.hardware}.
- Vocabulary: pitches {c.music.min_pitch}..{c.music.max_pitch}, {c.music.drum_map} drum map.
- Examples varied in training (`data`): transpose {tuple(c.data.transpose)}, drop_drums {c.data.drop_drums:g}.
- Use: `mvae.load('{options.name}')`, `make sample MODEL={options.name}`, `--config.checkpoint.init_from={options.name}`.
- Limits: a small model of one body of music; it plays that music's manner, in 4/4 and sixteenths, without dynamics or micro-timing.

{rows}
"""


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='A run as a released model.')
    command.add_run_options(parser)
    parser.add_argument('--name', required=True)
    parser.add_argument('--about', required=True, help='the data and their licence, in words')
    parser.add_argument(
        '--hardware', required=True, help='what it was trained on and how long, in words'
    )
    parser.add_argument(
        '--data', type=Path, help='store (default: the one that the run was trained on)'
    )
    parser.add_argument(
        '--windows',
        type=command.positive,
        default=1000,
        help='test windows that are decoded in float32 and float16',
    )
    parser.add_argument(
        '--limit',
        type=command.positive,
        help='at most so many test windows in the evaluation of the card',
    )
    parser.add_argument('--out', type=Path, help='default: mvae/released')
    sys.exit(command.run(main, parser))
