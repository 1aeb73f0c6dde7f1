"""trio16: 16-bar trios of melody, bass and drums (make train EXP=trio16).

paper: the paper's trio models, hierarchical and flat. Reported, teacher-forced / sampled: melody
.848 / .753, bass .880 / .773, drums .912 / .863 hierarchical; recalled, unverified. Not run by us.

small, on the demo corpus: 2,000 updates of 16, and 2,000 of the prior, 10 minutes on two CPU cores,
seed 0. Test split, teacher-forced / sampled: melody .918 / .803, bass .956 / .908, drums .886 /
.797; the most frequent token gives .555, .603 and .422. More runs, and what was tried:
docs/results.md.
"""

from ml_collections import ConfigDict

from mvae.config import decoder_variants, experiment_config

PAPER = {
    'model': {
        'encoder_sizes': (2048, 2048),
        'latent_size': 512,
        'conductor_sizes': (1024, 1024),
        'decoder_sizes': (1024, 1024),
        'drum_roll_input': False,  # Magenta's trios read drums one-hot
    },
    'training': {
        'steps': 100_000,
        'batch_size': 512,
        'learning_rate': 1e-3,
        'decay_rate': 0.9999,
        'free_bits': 256.0,
        'beta_rate': 0.0,
    },
}
SMALL = {
    'model': {
        'encoder_sizes': (128,),
        'latent_size': 768,
        'conductor_sizes': (128,),
        'decoder_sizes': (160,),
        'bottleneck_stddev': 0.0,
        'initial_sigma': 0.1,
        'bar_codes': True,
    },
    'training': {
        'steps': 2000,
        'batch_size': 16,
        'learning_rate': 3e-3,
        'decay_rate': 0.9989,
        'free_bits': 1536.0,
        'beta_rate': 0.0,
        'token_dropout': 0.25,
    },
    'prior': {'steps': 2000},
    'evaluation': {'every': 500, 'windows': 512, 'batch_size': 64},
}
# A flat decoder is as large as the conductor and the decoders of the hierarchical one together: the
# parameters of `small` agree within 10%, so that `make study` compares kinds and not sizes.
FLAT = {
    'paper': {'model': {'decoder_sizes': (2048, 2048, 2048)}},
    'small': {'model': {'decoder_sizes': (186,)}},
}
# An encoder by bars is no model of the paper: Magenta's size.
BY_BARS = {'paper': {'model': {'encoder_sizes': (1024,)}}}


def get_config(variant: str | None = None, scale: str = 'small') -> ConfigDict:
    """variant: of the model, the hierarchical one where None. scale: tiny, small or paper."""
    blocks = {'paper': PAPER, 'small': SMALL, 'flat': FLAT, 'by_bars': BY_BARS}
    variant = variant or decoder_variants(scale)[1]
    return experiment_config('trio16', 'trio', 16, variant, scale, **blocks)
