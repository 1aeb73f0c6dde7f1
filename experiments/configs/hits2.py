"""hits2: how 2 bars of given hits are played: velocities and timing (make train EXP=hits2).

GrooVAE with control over the hits (Gillick et al., 2019): encoder and decoder are told which drums
are hit at every step, so that the code holds how they are played, and can be taken to other hits.

    mvae data --midi groove --out data/groove-of-hits --forms groove_of_hits --drum-map roland
    mvae train --exp hits2

paper: Magenta's groovae_2bar_hits_control; without its input dropout of 70%. Not run by us.
small: hierarchical, with the sizes of groove2. 3,000 updates of 64, 10 minutes on one CPU core,
seed 0. Groove's test split, copies, beside the usual groove of every place: velocity 20.7 of 127
off (25.6), timing 12.8 ms off at 120 (18.5): docs/results.md.
"""

from ml_collections import ConfigDict

from mvae.config import experiment_config

_DATA = {
    'music': {'drum_map': 'roland'},  # of the kit that the data were played on
    'data': {'path': 'data/groove-of-hits'},
}
PAPER = {
    **_DATA,
    'model': {
        'encoder_sizes': (512,),
        'latent_size': 256,
        'decoder_sizes': (256, 256),
    },
    'training': {
        'steps': 50_000,
        'batch_size': 512,
        'learning_rate': 1e-3,
        'decay_rate': 0.9999,
        'free_bits': 48.0,
        'beta_rate': 0.0,
    },
}
SMALL = {
    **_DATA,
    'model': {
        'encoder_sizes': (256,),
        'latent_size': 128,
        'conductor_sizes': (128,),
        'decoder_sizes': (256,),
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
        'free_bits': 128.0,
        'token_dropout': 0.25,
        'input_dropout': 0.3,
    },
    'evaluation': {'every': 500, 'windows': 1024, 'batch_size': 128},
}


def get_config(variant: str | None = None, scale: str = 'small') -> ConfigDict:
    """variant: of the model; where None hierarchical at small, else flat as in Magenta.

    scale: tiny, small or paper.
    """
    variant = variant or ('hier' if scale == 'small' else 'flat')
    return experiment_config('hits2', 'groove_of_hits', 2, variant, scale, paper=PAPER, small=SMALL)
