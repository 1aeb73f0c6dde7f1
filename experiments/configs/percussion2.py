"""percussion2: 2 bars of 61 drums and percussion instruments (make train EXP=percussion2).

Each instrument counts for itself, where drum2 has nine classes. The decoder writes them one by one,
each told the ones before (mvae.model.nade). Data are built for it:

    mvae data --midi ~/midi --out data/percussion --forms percussion --bars 2
    mvae train --exp percussion2

paper: Magenta's nade-drums_2bar_full. Not run by us.
small: hierarchical, with the sizes of drum2. 3,000 updates of 64, 20 minutes on one busy CPU core,
seed 0. Groove's test split .821 teacher-forced, .666 sampled, .761 greedy, beside .287 for the most
frequent token: docs/results.md.
"""

from ml_collections import ConfigDict

from mvae.config import experiment_config

_DATA = {'data': {'path': 'data/percussion'}}
PAPER = {
    **_DATA,
    'model': {
        'encoder_sizes': (1024,),
        'latent_size': 256,
        'decoder_sizes': (512, 512),
        'nade_hidden': 128,
    },
    'training': {
        'steps': 50_000,
        'batch_size': 512,
        'learning_rate': 1e-3,
        'decay_rate': 0.9999,
        'free_bits': 48.0,
        'beta_rate': 0.0,
        'sampling_schedule': 'inverse_sigmoid',
        'sampling_rate': 1000.0,
    },
}
SMALL = {
    'data': {**_DATA['data'], 'drop_drums': 0.15, 'mix_drums': 0.5},
    'model': {
        'encoder_sizes': (256,),
        'latent_size': 256,
        'conductor_sizes': (128,),
        'decoder_sizes': (256,),
        'nade_hidden': 64,
        'bottleneck_stddev': 0.0,
        'initial_sigma': 0.1,
        'bar_codes': True,
    },
    'training': {
        'steps': 3000,
        'batch_size': 64,
        'learning_rate': 3e-3,
        'decay_rate': 0.999,
        'beta_rate': 0.0,
        'free_bits': 256.0,
        'token_dropout': 0.25,
    },
    'evaluation': {'every': 500, 'windows': 1024, 'batch_size': 128},
}


def get_config(variant: str | None = None, scale: str = 'small') -> ConfigDict:
    """variant: of the model; where None hierarchical at small, else flat as in Magenta.

    scale: tiny, small or paper.
    """
    variant = variant or ('hier' if scale == 'small' else 'flat')
    blocks = {'paper': PAPER, 'small': SMALL}
    return experiment_config('percussion2', 'percussion', 2, variant, scale, **blocks)
