"""Evaluations of whole runs: read from beside the checkpoints where they are up to date, made and
kept there where not.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax
from tqdm import tqdm

from mvae.dataset.loader import Loader
from mvae.dataset.store import Store
from mvae.errors import InputError
from mvae.evaluation.reconstruction import evaluate_reconstruction
from mvae.files import write_json
from mvae.training.compact import home
from mvae.training.saved import Saved, read_run

VERSION = 3  # of what an evaluation holds
READABLE = (2, 3)  # 2 has no hits by song, so that it cannot be compared in pairs


def evaluate_run(
    run: str | Path,
    *,
    checkpoint: str | int = 'best',
    data: str | Path | None = None,
    split: str = 'test',
    limit: int | None = None,
    seed: int = 0,
    batch_size: int = 128,
    target: Path | None = None,
) -> dict[str, Any]:
    """Reconstruction of a split by a run's checkpoint: what `evaluate_reconstruction` returns, and
    what it was made of.

    data: a store, that of the training where None. limit: at most so many windows, drawn by the
    seed. target: the JSON file in which the result is kept, and from which it is taken if it was
    made of the same; `kept_at` where None. Raises InputError where the run, the store or the
    windows are missing, or the store's tokens mean something else.
    """
    saved = read_run(run, checkpoint)
    store = Store.open(data or saved.config.data.path)
    store.require(saved.vocabulary)
    about = _about(saved, run, store) | {
        'split': split,
        'limit': limit,
        'seed': seed,
        'batch_size': batch_size,
    }
    target = target or kept_at(run, split)
    if (kept := _kept(target, about)) is not None:
        return kept
    loader = Loader(store, saved.config.kind, saved.config.bars, 1, seed)
    songs = loader.evaluation_songs(split, limit)
    batches: Iterable = loader.evaluation_batches(split, batch_size, limit)
    batches = tqdm(
        batches,
        str(run),
        -(-len(songs) // batch_size),
        unit='batch',
        dynamic_ncols=True,
        leave=False,
    )
    result = about | evaluate_reconstruction(
        saved.params, saved.model, batches, songs, saved.config.kind, seed
    )
    write_json(target, result)
    return result


def kept_at(run: str | Path, split: str) -> Path:
    """Where `evaluate_run` keeps what it finds."""
    return home(run) / f'evaluation-{split}.json'


def read_evaluation(path: str | Path) -> dict[str, Any]:
    """An evaluation that was kept as JSON, of a run that need not be at hand any more.

    Raises InputError where the file holds none.
    """
    try:
        kept = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise InputError(
            f'{path} cannot be read as an evaluation ({type(error).__name__}); write it with evaluate.py --json'
        ) from None
    if not isinstance(kept, dict) or kept.get('version') not in READABLE or 'streams' not in kept:
        raise InputError(
            f'{path} holds no evaluation of this version of mvae; write it with evaluate.py --json'
        )
    return kept


def _about(saved: Saved, run: str | Path, store: Store) -> dict[str, Any]:
    c = saved.config
    return {
        'version': VERSION,
        'run': str(run),
        'experiment': c.experiment,
        'kind': c.kind,
        'bars': c.bars,
        'variant': c.variant,
        'scale': c.scale,
        'vocabulary': dict(c.music),
        'parameters': sum(x.size for x in jax.tree.leaves(saved.params)),
        'step': saved.step,
        'planned_steps': c.training.steps,
        'training_batch_size': c.training.batch_size,
        'training_seed': c.seed,
        'data': str(store.path),
        'corpus': store.corpus,
        'store_code': store.meta.get(
            'code', ''
        ),  # other code cuts other windows out of the same files
    }


def _kept(target: Path, about: dict[str, Any]) -> dict[str, Any] | None:
    try:
        kept = json.loads(target.read_text())
    except (OSError, ValueError):
        return None
    differing = [
        name
        for name, value in about.items()
        if name not in ('run', 'data') and kept.get(name) != value
    ]
    return None if differing else kept | about
