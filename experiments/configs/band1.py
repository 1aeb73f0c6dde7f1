"""band1: 1 bar of up to 8 instruments, whatever they are (make train EXP=band1).

Multi-instrument performances (Simon et al., Learning a latent space of multitrack measures, 2018):
chords, velocities and a grid of 24 steps to the quarter. It needs MIDI files of bands:

    mvae data --midi FOLDER --out data/bands --forms band --bars 1
    mvae train --exp band1

paper: Magenta's hier-multiperf_vel_1bar_med. Not run by us.
small: the same with fewer units, and with free bits. 3,000 updates of 32, 85 minutes on one busy
CPU core, seed 0. All multi-track sets of docs/credits.md, test split: .730 teacher-forced, .218
sampled, .276 greedy, beside .133 for the most frequent token: docs/results.md.
"""

from ml_collections import ConfigDict

from mvae.config import experiment_config

_DATA = {'data': {'path': 'data/bands', 'transpose': (-3, 3)}}
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
    return experiment_config('band1', 'band', 1, variant or 'hier', scale, paper=PAPER, small=SMALL)
