"""drum16: 16-bar drums windows (make train EXP=drum16)."""

from mvae.config import apply_scale, experiment_config


def get_config(variant: str = 'hierdec', scale: str = 'small'):
    return apply_scale(experiment_config('drum16', 'drums', 16, variant), scale)
