"""trio16: 16-bar trio windows (make train EXP=trio16)."""

from mvae.config import apply_scale, experiment_config


def get_config(variant: str = 'hierdec', scale: str = 'small'):
    return apply_scale(experiment_config('trio16', 'trio', 16, variant), scale)
