"""groove4: 4 bars of drums as they are played (make train EXP=groove4).

GrooVAE (Gillick et al., 2019), which learns from the Groove MIDI Dataset with its own split:

    mvae data --midi groove --out data/groove --forms groove --drum-map roland --bars 2 4
    mvae train --exp groove4

The encoder hears all that the decoder has to play, so that it blends and varies grooves as other
models do melodies.

paper: Magenta's groovae_4bar. Not run by us.
small: hierarchical, with the sizes of drum2 and twice its code. Not run yet.
"""

from ml_collections import ConfigDict

from mvae.config import experiment_config

_DATA = {
    'music': {'drum_map': 'roland'},  # of the kit that the data were played on
    'data': {'path': 'data/groove'},
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
        'input_dropout': 0.7,
    },
}
SMALL = {
    **_DATA,
    'model': {
        'encoder_sizes': (256,),
        'latent_size': 256,
        'conductor_sizes': (128,),
        'decoder_sizes': (256,),
        'bottleneck_stddev': 0.0,
        'initial_sigma': 0.1,
        'bar_codes': True,
        'errors_at_hits': True,
    },
    'training': {
        'steps': 3000,
        'batch_size': 64,
        'learning_rate': 3e-3,
        'decay_rate': 0.999,
        'beta_rate': 0.0,
        'free_bits': 256.0,
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
    return experiment_config('groove4', 'groove', 4, variant, scale, paper=PAPER, small=SMALL)
