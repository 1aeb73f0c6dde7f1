"""drum16: 16-bar drums (make train EXP=drum16).

paper: the paper's 16-bar drum models, hierarchical and flat (reported .928 and .884 teacher-forced, .879 and .549 sampled; recalled, unverified).
Not run by us, and at small only in tests.
"""

from mvae.config import apply_scale, experiment_config


def get_config(variant: str = 'hierdec', scale: str = 'small'):
    return apply_scale(experiment_config('drum16', 'drums', 16, variant), scale)
