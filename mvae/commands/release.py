"""A trained model packed into one small file, to be released with mvae.

    mvae release runs/drum2 --name drum2 --about 'Groove MIDI Dataset (CC BY 4.0)' --hardware '...'

Writes NAME.npz (compact weights) and NAME.md (its card, with its reconstruction of the test split)
into mvae/released, from where `mvae sample NAME` plays it. Weights are float16, or 4 or 8 bits more
where rounding changes more than 0.1% of the tokens that 1,000 test windows are decoded to greedily;
refused if that does not help, and above 12 MB. The file has attribute vectors too, fitted to
training windows.
"""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mvae.commands import datasets, vectors
from mvae.commands.models import add_model_options, load_model
from mvae.commands.options import positive
from mvae.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from mvae.dataset.store import Store
    from mvae.musicvae import MusicVAE

MOST_BYTES = 12_000_000
MOST_CHANGED = 1e-3


def add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, data='dataset (default: the one that the model was trained on)')
    parser.add_argument('--name', required=True, help='of the released model, such as drum2')
    parser.add_argument('--about', required=True, help='the data and their licence, in words')
    parser.add_argument(
        '--hardware', required=True, help='what it was trained on and how long, in words'
    )
    parser.add_argument('--license', help='of the model, as hubs call it, such as cc-by-4.0')
    parser.add_argument(
        '--windows',
        type=positive,
        default=1000,
        help='test windows that are decoded before and after packing',
    )
    parser.add_argument(
        '--limit', type=positive, help='at most so many test windows in the evaluation of the card'
    )
    parser.add_argument('--out', type=Path, help='default: mvae/released')


def run(options: argparse.Namespace) -> None:
    if not options.name.isidentifier():
        raise InputError(
            'a released model has a name of letters and digits, such as drum2, '
            f'not {options.name!r}'
        )
    path, model = load_model(options)
    from mvae.evaluation.runs import evaluate_run
    from mvae.files import write_atomically
    from mvae.runs.card import front_matter
    from mvae.runs.released import RELEASED

    front_matter(model, options.license)  # a name that is none is said before the work
    store = datasets.open_for(model, options.data)
    target = (options.out or RELEASED) / f'{options.name}.npz'
    model = dataclasses.replace(model, attributes=_fit(model, store, options.seed))
    said = _pack(options, model, store, target)
    evaluation, _ = evaluate_run(path, model, store, limit=options.limit, seed=options.seed)
    write_atomically(target.with_suffix('.md'), card(options, model, evaluation, said).encode())
    print(f'{target}: {target.stat().st_size / 1e6:.1f} MB')


def _fit(model: 'MusicVAE', store: 'Store', seed: int) -> dict[str, 'np.ndarray']:
    """Attribute vectors by name, {} where none are found, which is said."""
    try:
        fitted = vectors.fit(model, store, vectors.attributes(model.form, []), seed)
    except InputError as error:
        print(f'without attribute vectors: {error}')
        return {}
    for reason in fitted.skipped.values():
        print(f'no attribute vector: {reason}')
    return {name: found.vector for name, found in fitted.vectors.items()}


def _pack(options: argparse.Namespace, model: 'MusicVAE', store: 'Store', target: Path) -> str:
    """Writes the file with as few bits as will do; returns what that changes, in words."""
    import numpy as np

    from mvae.dataset.loader import Loader
    from mvae.runs import compact
    from mvae.runs.load import load, write_file

    loader = Loader(store, model.form, None, options.seed)
    batches = loader.evaluation_batches('test', 250, options.windows)
    parts = [model.form.join(batch.parts)[batch.mask > 0] for batch in batches]

    def decode(model):
        copies = np.concatenate([model.reconstruct_tokens(tokens) for tokens in parts])
        return model.form.judged(copies)  # velocities and timing differ by less than is heard

    beside = target.with_name(f'.{options.name}.npz')  # found by nobody until it has passed
    whole, said = decode(model), ''
    try:
        for bits in compact.BITS:
            write_file(beside, model, store.corpus, bits)
            _check_size(beside, bits)
            kept = load(beside)
            changed = (decode(kept) != whole).mean()
            said = (
                f'with {bits} bits {changed:.4%} of the tokens of {len(whole):,} test windows, '
                'decoded greedily, differ from those of float32'
            )
            if _same_weights(model, kept):  # it has been rounded before, and float32 is not at hand
                said = f'with {bits} bits, as it was given'
            print(said)
            if changed <= MOST_CHANGED:
                beside.replace(target)
                return said
    finally:
        beside.unlink(missing_ok=True)
    raise InputError(f'the model cannot be kept compactly: {said}; at most {MOST_CHANGED:.1%} may')


def _same_weights(model: 'MusicVAE', other: 'MusicVAE') -> bool:
    import jax
    import numpy as np

    pairs = zip(jax.tree.leaves(model.params), jax.tree.leaves(other.params), strict=True)
    return all(np.allclose(x, y, rtol=1e-5, atol=1e-8) for x, y in pairs)


def _check_size(file: Path, bits: int) -> None:
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise InputError(
            f'the model takes {size / 1e6:.1f} MB with {bits} bits, a released one at most '
            f'{MOST_BYTES // 10**6} MB'
        )


def card(
    options: argparse.Namespace, model: 'MusicVAE', evaluation: dict[str, Any], said: str
) -> str:
    from mvae.evaluation import table
    from mvae.runs.card import front_matter, notation

    c, name = model.config, options.name
    rows = table.to_markdown(table.build([evaluation]), [evaluation])
    updates = f'{model.step:,} of {c.training.steps:,} updates of {c.training.batch_size} windows'
    drums = f'drop_drums {c.data.drop_drums:g}, mix_drums {c.data.mix_drums:g}'
    varied = f'transpose {tuple(c.data.transpose)}, {drums}'
    directions = ', '.join(model.attributes) or 'none'
    parameters = f'{evaluation["parameters"]:,} parameters ({said})'
    return f"""{front_matter(model, options.license)}
# {name}

{c.bars} bars of {c.form}, {c.variant}, scale {c.scale}: {parameters}.

- Data: {options.about}. Songs of the test split were not seen in training.
- Training: {updates}, the best by validation loss; seed {c.seed}; {options.hardware}.
- Notation: {notation(model)}.
- Examples varied in training (`data`): {varied}.
- Attribute vectors: {directions}.
- Use: `mvae.load('{name}')`, `mvae sample {name}`, `--config.checkpoint.init_from={name}`.
- Limits: a small model. It plays in the manner of this music, and nothing finer than its notation.

{rows}
"""
