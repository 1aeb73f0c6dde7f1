"""lead2: 2 bars of melody over given chords (make train EXP=lead2).

A chord for every step goes into the encoder and the decoder; the code says what the chords do not.

    mvae data --midi my-songs --out data/lead --forms lead --bars 2
    mvae train --exp lead2
    mvae sample runs/lead2 --chords 'C G | Am F'

Chords are those that the files name, in markers or texts, and what their notes imply where they
name none. `mvae data --demo --forms lead --bars 2 --out data/lead` takes the demo corpus.

paper: Magenta's cat-mel_2bar_med_chords. Not run by us.
small: hierarchical, with the sizes of mel2. A tenth of the examples is told no chords, so that the
model also plays without.
"""

from ml_collections import ConfigDict

from mvae.config import experiment_config

PAPER = {
    'data': {'path': 'data/lead'},
    'model': {
        'encoder_sizes': (1024,),
        'latent_size': 256,
        'decoder_sizes': (512, 512, 512),
    },
    'training': {
        'steps': 50_000,
        'batch_size': 512,
        'learning_rate': 1e-3,
        'decay_rate': 0.9999,
        'free_bits': 0.0,
        'max_beta': 1.0,
        'beta_rate': 0.0,
    },
}
SMALL = {
    'data': {'path': 'data/lead'},
    'model': {
        'encoder_sizes': (256,),
        'latent_size': 256,
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
        'free_bits': 64.0,  # few, so that chords are left to the chords
        'token_dropout': 0.25,
        'told_dropout': 0.1,
    },
    'prior': {'steps': 2000, 'batch_size': 256},
    'evaluation': {'every': 500, 'windows': 1024, 'batch_size': 128},
}


def get_config(variant: str | None = None, scale: str = 'small') -> ConfigDict:
    """variant: of the model; where None hierarchical at small, else flat as in Magenta.

    scale: tiny, small or paper.
    """
    variant = variant or ('hier' if scale == 'small' else 'flat')
    return experiment_config('lead2', 'lead', 2, variant, scale, paper=PAPER, small=SMALL)
