"""Untrained tiny models in run folders, for tests that need any model at all."""

import json
from pathlib import Path

import jax
import numpy as np
from ml_collections import FrozenConfigDict

from mvae import config as configs
from mvae.model.prior import Prior, standard
from mvae.music.vocabulary import Vocabulary
from mvae.training.checkpoint import Checkpoints
from mvae.training.step import init_state


def save_tiny(folder: Path, kind: str, bars: int, variant: str, seed: int = 0) -> Path:
    """Writes a run with one checkpoint, of step 0 and validation loss 1.5, and returns its folder.

    Its prior is N(1, I).
    """
    names = {'melody': 'mel', 'drums': 'drum', 'trio': 'trio'}
    c = configs.apply_scale(
        configs.experiment_config(f'{names[kind]}{bars}', kind, bars, variant), 'tiny'
    )
    c.seed = seed
    vocabulary = Vocabulary(**c.music)
    cfg = configs.model_config(c, vocabulary.sizes(kind))
    state = init_state(jax.random.key(seed), cfg, FrozenConfigDict(c.training))
    prior = Prior(np.ones(cfg.latent_size, np.float32), standard(cfg.latent_size).covariance)
    Checkpoints(folder, json.loads(c.to_json_best_effort()), vocabulary.to_dict(), '').save(
        state, {'loss': 1.5}, prior
    )
    return folder
