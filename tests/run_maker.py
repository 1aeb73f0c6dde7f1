"""Untrained tiny models, in memory and in run folders, for tests that need any model at all."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
from ml_collections import ConfigDict, FrozenConfigDict

from mvae.config import experiment_config
from mvae.model import denoiser
from mvae.model.config import model_config
from mvae.model.denoiser import DenoiserConfig, Outline
from mvae.model.prior import Gaussian, Learned, standard
from mvae.model.types import Params
from mvae.music import traits
from mvae.musicvae import MusicVAE, form_of
from mvae.runs.checkpoint import Checkpoints, Training
from mvae.training.step import init_state

_NAMES = {'melody': 'mel', 'drums': 'drum', 'trio': 'trio'}
_SHORT = {'sampling_schedule': 'inverse_sigmoid', 'sampling_rate': 2000.0}
_LONG = {'beta_rate': 0.0, 'free_bits': 256.0}


def tiny_config(form: str, bars: int, variant: str, **model: object) -> ConfigDict:
    """The config of a tiny experiment, with the paper's objective for its length.

    model: settings of the model that are others.
    """
    name = f'{_NAMES.get(form, form)}{bars}'
    paper = {'training': _SHORT if bars <= 2 else _LONG}
    c = experiment_config(name, form, bars, variant, 'tiny', paper=paper, small={})
    c.model.update(model)
    return c


def tiny_model(form: str, bars: int, variant: str, seed: int = 0, **model: object) -> MusicVAE:
    """New weights, with the prior N(1, I) and a validation loss of 1.5."""
    c = tiny_config(form, bars, variant, **model)
    c.seed = seed
    cfg = model_config(c, form_of(c))
    state = init_state(jax.random.key(seed), cfg, FrozenConfigDict(c.training))
    prior = Gaussian(np.ones(cfg.latent_size, np.float32), standard(cfg.latent_size).covariance)
    return MusicVAE(state.params, c, prior, 0, {'loss': 1.5})


def lively(model: MusicVAE, seed: int = 1) -> MusicVAE:
    """The model with other weights, so large that its music has notes and depends on z."""
    rng = np.random.default_rng(seed)

    def draw(x):
        values = 1.5 * rng.standard_normal(x.shape) / np.sqrt(len(x))
        return values.astype(np.float16).astype(np.float32)

    return dataclasses.replace(model, params=jax.tree.map(draw, model.params))


def random_denoiser(cfg: DenoiserConfig, seed: int = 0) -> Params:
    """A network whose answers depend on all that it is told, as a trained one's do."""
    rng = np.random.default_rng(seed)
    shapes = jax.eval_shape(lambda: denoiser.init(jax.random.key(0), cfg))
    return jax.tree.map(lambda x: 0.3 * rng.standard_normal(x.shape, np.float32), shapes)


def tiny_prior(model: MusicVAE, seed: int = 0) -> Learned:
    """A learned prior of a model, with random weights; by one of its two plans all bars differ."""
    codes, parts = model.architecture.codes, model.architecture.parts
    sizes = codes // parts, parts, model.latent_size // codes
    cfg = DenoiserConfig(*sizes, 16, 2, 2, traits.count(model.form))
    ends, shape = ((-1, 1), (0.5, 2)), (parts, cfg.size)
    mean, scale = (np.linspace(*own, parts * cfg.size, dtype=np.float32) for own in ends)
    plans = np.stack([np.arange(cfg.bars), np.arange(cfg.bars) % 2]).astype(np.uint16)
    plans = plans[..., None].repeat(parts, 2)
    params = random_denoiser(cfg, seed)
    five = np.where(np.isin(np.arange(12), [0, 2, 4, 7, 9]), 1, -1)  # black keys are such five too
    told = np.linspace(-1, 1, 2 * cfg.traits, dtype=np.float32).reshape(2, -1)
    told[:, : traits.classes(model.form)] = np.stack([five, np.roll(five, 6)])[
        :, : traits.classes(model.form)
    ]
    outlines = Outline(plans, told, np.zeros(2, bool))
    return Learned(params, cfg, mean.reshape(shape), scale.reshape(shape), outlines)


def save_tiny(
    folder: Path, form: str, bars: int, variant: str, seed: int = 0, **model_settings: object
) -> Path:
    """Writes `tiny_model` as a run with one checkpoint, of step 0, and returns its folder."""
    model = tiny_model(form, bars, variant, seed, **model_settings)
    t = FrozenConfigDict(model.config.training)
    state = init_state(jax.random.key(seed), model.architecture, t)
    training = Training(0, state.params, state.opt_state)
    Checkpoints(folder, model.config, '').save(training, dict(model.metrics), model.prior)
    return folder
