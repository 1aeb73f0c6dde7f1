"""mel16: 16-bar melody windows (make train EXP=mel16)."""

from mvae.config import apply_scale, experiment_config


def get_config(variant: str = 'hierdec', scale: str = 'small'):
    return apply_scale(experiment_config('mel16', 'melody', 16, variant), scale)
