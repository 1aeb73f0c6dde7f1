"""nade2: 2-bar drums, written class by class by NADE (make train EXP=nade2).

drum2 says the drums of a step by one softmax over all 512 combinations of nine classes. Here the
decoder says the classes one by one, each told the ones before (mvae.model.nade). The data are the
same.

paper: Magenta's nade-drums_2bar_reduced. Not run by us.
small: drum2's `small`, so that the two can be compared. 3,000 updates of 64, 9 minutes on one busy
CPU core, seed 0. Groove's test split .937 teacher-forced, .851 sampled, .898 greedy, beside .211
for the most frequent token: docs/results.md.
"""

from ml_collections import ConfigDict

from mvae.config import experiment_config

PAPER = {
    'model': {
        'encoder_sizes': (1024,),
        'latent_size': 256,
        'decoder_sizes': (512, 512),
        'drums': 'nade',
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
    'model': {
        'encoder_sizes': (256,),
        'latent_size': 256,
        'conductor_sizes': (128,),
        'decoder_sizes': (256,),
        'drums': 'nade',
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
    'prior': {'steps': 2000, 'batch_size': 256},
    'evaluation': {'every': 500, 'windows': 1024, 'batch_size': 128},
    'data': {'drop_drums': 0.15, 'mix_drums': 0.5},
}


def get_config(variant: str | None = None, scale: str = 'small') -> ConfigDict:
    """variant: of the model; where None hierarchical at small, else flat as in Magenta.

    scale: tiny, small or paper.
    """
    variant = variant or ('hier' if scale == 'small' else 'flat')
    return experiment_config('nade2', 'drums', 2, variant, scale, paper=PAPER, small=SMALL)
