"""What the fuzzing program damages, one of each kind that is whole, and how each is read."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from checkpoint_maker import write_bundle, write_tfjs
from listening_maker import SETTINGS, answer, begin
from midi_maker import song
from run_maker import save_tiny, tiny_config, tiny_model, tiny_prior

from mvae.dataset import store as stores
from mvae.dataset.build import build_store
from mvae.dataset.loader import Loader
from mvae.evaluation import table
from mvae.evaluation.runs import read_evaluation
from mvae.interop import magenta, names
from mvae.latent import attribute_vectors
from mvae.latent.attribute_vectors import AttributeVector, Fitted
from mvae.listening.analysis import analyse
from mvae.listening.answers import Answers
from mvae.musicvae import MusicVAE
from mvae.runs import learned
from mvae.runs.checkpoint import Checkpoints, Training
from mvae.runs.load import load, write_file
from mvae.training import log
from mvae.training.step import init_state

_ROOT = Path(__file__).parents[1]
_CHECKPOINT = {'step': 0, 'latent_size': 32}


def make_wholes(scratch: Path) -> None:
    """Makes what is damaged: of each kind one that is whole."""
    model, whole = tiny_model('melody', 2, 'flat'), scratch / 'whole'
    (whole / 'midi').mkdir(parents=True)
    for n in range(4):
        (whole / 'midi' / f'song {n}.mid').write_bytes(song(n))
    build_store(whole / 'midi', whole / 'store', workers=1, quiet=True)
    learned.write(save_tiny(whole / 'run', 'melody', 2, 'flat'), tiny_prior(model), model.params)
    save_tiny(whole / 'resumed', 'melody', 2, 'flat')
    (whole / 'resumed' / 'metrics.jsonl').write_text('{"step": 0, "loss": 1.5}\n' * 3)
    (whole / 'compact').mkdir()
    directions = {'note_density': np.linspace(-1, 1, model.latent_size)}
    with_all = dataclasses.replace(model, learned=tiny_prior(model), attributes=directions)
    write_file(whole / 'compact' / 'model.npz', with_all)
    tensors = names.to_magenta(jax.device_get(model.params), model.architecture)
    write_tfjs(whole / 'tfjs', tensors, {}, 50_000)
    write_bundle(whole / 'bundle' / 'x', tensors)
    (whole / 'bundle' / 'checkpoint').write_text('model_checkpoint_path: "x"\n')
    vector = AttributeVector(np.arange(32, dtype=np.float32), 0.0, 1.0, 4, 4)
    (whole / 'vectors').mkdir()
    fitted = Fitted({'density': vector}, {'syncopation': 'too few'}, 9)
    _make_evaluation(whole / 'evaluation')
    _make_answers(whole / 'answers')
    attribute_vectors.save(whole / 'vectors' / 'v.json', fitted, _CHECKPOINT)


def _make_evaluation(folder: Path) -> None:
    folder.mkdir()
    kept = json.loads((_ROOT / 'docs' / 'evaluations' / 'mel2-demo.json').read_text())
    stream, share = kept['streams']['melody'], {'mean': 0.5, 'interval': [0.25, 0.75]}
    modes = [stream[mode]['hits_of_songs'] for mode in table.MODES]
    for values in (stream['steps_of_songs'], *modes):
        del values[5:]
    alike = {'features': {'a': 0.5}, 'mean': 0.5, 'interval': None, 'worst': 'a'}
    form, known = {'1': {'same': share, 'alike': share}}, {'longest': 1.5, 'share': share}
    of = {'form': {'melody': form}, 'likeness': alike, 'novelty': {'melody': known}}
    kept['music'] = {'pieces': 2, 'temperature': 0.5, 'of': {'test': of}}
    (folder / 'e.json').write_text(json.dumps(kept))


def _make_answers(folder: Path) -> None:
    answers = Answers(folder / 'a.sqlite', create=True)
    sounds = {'folk': ['00', '01'], 'robot': ['02', '03']}
    answers.begin_survey({'settings': SETTINGS, 'sounds': sounds})
    token, listener = begin(answers)
    for trial in range(4):
        answers.record(token, answer(listener, trial))


def _sample(model: MusicVAE) -> str:
    """Plays from every prior; a digest of the weights, the priors and what was played."""
    digest = hashlib.sha256(repr((model.step, model.config.to_json_best_effort())).encode())
    for name in model.priors:
        tokens, _ = model.sample_tokens(1, 0.5, 0, name)
        digest.update(tokens.tobytes())
    own = model.learned.params if model.learned else None
    for values in jax.tree.leaves((model.params, model.prior, own, dict(model.attributes))):
        digest.update(np.asarray(values).tobytes())
    return digest.hexdigest()


def open_store(folder: Path, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Reads a store as a training does. meanwhile: what others do to its files."""
    store = stores.Store.open(folder)
    meanwhile()
    _ = store.titles
    for name, bars in store.forms:
        form = store.form(name, bars)
        store.require(form)
        next(iter(Loader(store, form, 2, 0).iterate()))
        store.gather(store.windows(form, 'train')[:50], form)
        _ = [store.title(int(song)) for song in store.songs(form, 'train')[:50]]


def _read_vectors(folder: Path) -> None:
    fitted, about = attribute_vectors.load(folder / 'v.json', _CHECKPOINT)
    for vector in fitted.vectors.values():
        assert np.isfinite(vector.vector + np.zeros(about['latent_size'])).all()


def _resume(folder: Path) -> None:
    config = tiny_config('melody', 2, 'flat')
    model = tiny_model('melody', 2, 'flat')
    state = init_state(jax.random.key(0), model.architecture, config.training)
    log._reopen(folder / 'metrics.jsonl', 0).close()
    Checkpoints(folder, config, '').restore(Training(0, state.params, state.opt_state))


def _make_table(folder: Path) -> None:
    evaluation = read_evaluation(folder / 'e.json')
    table.to_markdown(table.build([evaluation]), [evaluation])


def _analyse(folder: Path) -> None:
    answers = Answers(folder / 'a.sqlite')
    if about := answers.survey():
        analyse(answers.all(), list(about['sounds']))


READERS: dict[str, Callable[[Path], object]] = {
    'run': lambda folder: _sample(load(folder)),
    'compact': lambda folder: _sample(load(folder / 'model.npz')),
    'tfjs': lambda folder: _sample(magenta.load(folder, 'cat-mel_2bar_small').model),
    'bundle': lambda folder: _sample(magenta.load(folder, 'cat-mel_2bar_small').model),
    'store': open_store,
    'vectors': _read_vectors,
    'resumed': _resume,
    'evaluation': _make_table,
    'answers': _analyse,
}
