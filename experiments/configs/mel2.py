"""mel2: 2-bar melody windows (make train EXP=mel2)."""

from mvae.config import apply_scale, experiment_config


def get_config(variant: str = 'flat', scale: str = 'small'):
    return apply_scale(experiment_config('mel2', 'melody', 2, variant), scale)
