"""Models that are told something at every step, which most targets have no input for."""

from mvae.errors import InputError
from mvae.musicvae import MusicVAE


def refuse(model: MusicVAE, target: str) -> None:
    """Raises InputError for a model of a form with conditions. target: as users know it."""
    if names := [condition.name for condition in model.form.conditions]:
        raise InputError(
            f'this model is told {" and ".join(names)}, which mvae does not write for {target}; '
            'export --to magenta takes it'
        )
