"""Evaluations of whole runs: kept beside the checkpoints, made anew where they are out of date."""

from pathlib import Path
from typing import Any

from mvae.dataset.loader import Loader
from mvae.dataset.store import Store
from mvae.errors import InputError
from mvae.evaluation import kept
from mvae.evaluation.harmony import evaluate_harmony
from mvae.evaluation.music import measure_music
from mvae.evaluation.performance import evaluate_performance
from mvae.evaluation.reconstruction import evaluate_reconstruction
from mvae.files import read_json, write_json
from mvae.musicvae import MusicVAE
from mvae.progress import progress
from mvae.runs.digests import of_tree
from mvae.runs.learned import to_arrays
from mvae.runs.released import home

VERSION = 5  # of what an evaluation holds
_READ = (4, 5)  # 4 had no figures of form, likeness and novelty


def evaluate_run(
    run: str | Path,
    model: MusicVAE,
    store: Store,
    *,
    split: str = 'test',
    limit: int | None = None,
    seed: int = 0,
    batch_size: int = 128,
    pieces: int = 256,
    target: Path | None = None,
) -> tuple[dict[str, Any], Path]:
    """Reconstruction of a store's split by a model, which was loaded from `run`.

    limit: at most so many windows, drawn by the seed. pieces: how many `measure_music` compares; 0,
    or a store without training windows, leaves it out. target: the JSON file that keeps the result,
    `kept_at` where None. The result is taken from there if it was made of the same.

    Returns what `evaluate_reconstruction` does, as 'music' what `measure_music` does, as
    'performance', of grooves, what `evaluate_performance` does, and what they were made of; and the
    file. Raises InputError where windows are missing or the store's tokens
    mean something else.
    """
    settings = {'split': split, 'limit': limit, 'seed': seed, 'batch_size': batch_size}
    about = _about(model, run, store) | settings | {'pieces': pieces}
    target = target or kept_at(run, model, store, split, limit)
    if (old := _kept(target, about)) is not None:
        return old, target
    loader = Loader(store, model.form, None, seed)
    songs = loader.evaluation_songs(split, limit)
    batches = progress(
        loader.evaluation_batches(split, batch_size, limit),
        str(run),
        total=-(-len(songs) // batch_size),
        unit='batch',
        leave=False,
    )
    result = about | evaluate_reconstruction(model, batches, songs, seed)
    if performance := evaluate_performance(model, store, split, limit, seed):
        result['performance'] = performance
    if harmony := evaluate_harmony(model, store, split, limit, seed):
        result['harmony'] = harmony
    if pieces and store.count(model.form, 'train'):
        result['music'] = measure_music(model, store, split, pieces, seed)
    write_json(target, result)
    return result, target


def kept_at(
    run: str | Path, model: MusicVAE, store: Store, split: str, limit: int | None = None
) -> Path:
    """Where `evaluate_run` keeps what it finds.

    evaluation-SPLIT.json, and in the name what differs from the whole split of the data of the
    training: evaluation-test-500.json, evaluation-test-mine.json.
    """
    name = store.path.resolve().name
    other = name != Path(model.config.data.path).resolve().name
    parts = [split, *([name] if other else []), *([str(limit)] if limit else [])]
    return home(run) / f'evaluation-{"-".join(parts)}.json'


def read_evaluation(path: str | Path) -> dict[str, Any]:
    """An evaluation that was kept as JSON, of a run that need not be at hand any more.

    Raises InputError where the file holds none.
    """
    remedy = 'write it with mvae eval --json'
    evaluation = read_json(path, dict[str, Any], remedy)
    if evaluation.get('version') not in _READ:
        raise InputError(f'{path} holds no evaluation of this version of mvae; {remedy}')
    kept.check(evaluation, path, remedy)
    return evaluation


def _about(model: MusicVAE, run: str | Path, store: Store) -> dict[str, Any]:
    c = model.config
    return {
        'version': VERSION,
        'run': str(run),
        'experiment': c.experiment,
        'form': c.form,
        'bars': c.bars,
        'variant': c.variant,
        'scale': c.scale,
        'notation': dict(c.music),
        'parameters': model.parameters,
        'step': model.step,
        'learned_prior': of_tree(to_arrays(model.learned)) if model.learned else '',
        'planned_steps': c.training.steps,
        'training_batch_size': c.training.batch_size,
        'training_seed': c.seed,
        'data': str(store.path),
        'corpus': store.corpus,
        # Other code cuts other windows out of the same files.
        'store_code': store.meta.get('code', ''),
    }


def _kept(target: Path, about: dict[str, Any]) -> dict[str, Any] | None:
    """What a file keeps of the same; None where it keeps another one, or none."""
    try:
        evaluation = read_evaluation(target)
    except InputError:
        return None
    differing = [
        name
        for name, value in about.items()
        if name not in ('run', 'data') and evaluation.get(name) != value
    ]
    return None if differing else evaluation | about
