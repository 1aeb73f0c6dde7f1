"""groove2: 2 bars of drums as they are played, from their hits alone (make train EXP=groove2).

GrooVAE (Gillick et al., 2019), which learns from the Groove MIDI Dataset with its own split:

    mvae data --midi groove --out data/groove --forms groove --drum-map roland --bars 2 4
    mvae train --exp groove2

It plays a rigid pattern as a drummer would (mvae humanize). --config.model.reads=taps makes a drum
set of a tapped rhythm instead, no_hat adds a closed hi-hat.

paper: Magenta's groovae_2bar_humanize. Not run by us.
small: hierarchical, with the sizes of drum2. 3,000 updates of 64, 10 minutes on one busy CPU core,
seed 0. Groove's test split, greedily, beside the usual groove of every place: hits .836 (F1, .320),
velocity 22.2 of 127 off (25.0), timing 17.1 ms off at 120 (17.5): docs/results.md.
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
        'reads': 'hits',
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
        'latent_size': 128,
        'conductor_sizes': (128,),
        'decoder_sizes': (256,),
        'bottleneck_stddev': 0.0,
        'initial_sigma': 0.1,
        'bar_codes': True,
        'errors_at_hits': True,
        'reads': 'hits',
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
    return experiment_config('groove2', 'groove', 2, variant, scale, paper=PAPER, small=SMALL)
