"""mel16: 16-bar melodies (make train EXP=mel16).

paper: the paper's 16-bar melody models, hierarchical and flat (reported .919 and .883 teacher-forced, .812 and .620 sampled; recalled, unverified).
Not run by us, and at small only in tests.
"""

from mvae.config import apply_scale, experiment_config


def get_config(variant: str = 'hierdec', scale: str = 'small'):
    return apply_scale(experiment_config('mel16', 'melody', 16, variant), scale)
