"""drum2: 2-bar drums windows (make train EXP=drum2)."""

from mvae.config import apply_scale, experiment_config


def get_config(variant: str = 'flat', scale: str = 'small'):
    return apply_scale(experiment_config('drum2', 'drums', 2, variant), scale)
