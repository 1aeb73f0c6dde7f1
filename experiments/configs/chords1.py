"""chords1: 1 bar of up to 8 instruments over a given chord (make train EXP=chords1).

band1 whose encoder and decoder are told the chord that holds at every event (Simon et al., 2018):
that which a file names, else that which its notes imply. It needs MIDI files of bands:

    mvae data --midi FOLDER --out data/bands-of-chords --forms band_of_chords --bars 1
    mvae train --exp chords1
    mvae sample runs/chords1 --chords Am

paper: Magenta's hier-multiperf_vel_1bar_med_chords. Not run by us.
small: with the sizes of band1. Not run yet.
"""

from ml_collections import ConfigDict

from mvae.config import experiment_config

_DATA = {'data': {'path': 'data/bands-of-chords', 'transpose': (-3, 3)}}
PAPER = {
    **_DATA,
    'model': {
        'encoder_sizes': (1024,),
        'latent_size': 512,
        'conductor_sizes': (512, 512, 512),
        'decoder_sizes': (512, 512, 512),
    },
    'training': {
        'steps': 100_000,
        'batch_size': 256,
        'learning_rate': 1e-3,
        'decay_rate': 0.9999,
        'free_bits': 0.0,
        'max_beta': 1.0,
        'beta_rate': 0.0,
    },
}
SMALL = {
    **_DATA,
    'model': {
        'encoder_sizes': (256,),
        'latent_size': 128,
        'conductor_sizes': (256,),
        'decoder_sizes': (256,),
        'bottleneck_stddev': 0.0,
        'initial_sigma': 0.1,
    },
    'training': {
        'steps': 3000,
        'batch_size': 32,
        'learning_rate': 3e-3,
        'decay_rate': 0.999,
        'free_bits': 64.0,
        'beta_rate': 0.0,
    },
    'evaluation': {'every': 500, 'windows': 512, 'batch_size': 64},
}


def get_config(variant: str | None = None, scale: str = 'small') -> ConfigDict:
    """variant: of the model, hier where None. scale: tiny, small or paper."""
    blocks = {'paper': PAPER, 'small': SMALL}
    return experiment_config('chords1', 'band_of_chords', 1, variant or 'hier', scale, **blocks)
