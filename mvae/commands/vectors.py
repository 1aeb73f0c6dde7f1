"""What the commands about attribute vectors share."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mvae.commands.models import program
from mvae.errors import InputError

if TYPE_CHECKING:
    from mvae.latent.attribute_vectors import Fitted
    from mvae.latent.attributes import Attribute
    from mvae.music.form import Form
    from mvae.musicvae import MusicVAE

FILE = 'attributes.json'  # in the run folder: the vectors, and what they were fitted to


def attributes(form: 'Form', own: list[str]) -> 'dict[str, Attribute]':
    """Ours for a form, and those of the user: name -> function."""
    from mvae.latent.attributes import attributes_of, read_attribute

    found = attributes_of(form)
    for place in own:
        name, function = read_attribute(place)
        if name in found:
            raise InputError(
                f'there is an attribute {name} already; rename the function of {place}'
            )
        found[name] = function
    return found


def fitted(path: Path, model: 'MusicVAE') -> 'tuple[Fitted, dict[str, Any]]':
    """The vectors of a model, and what they were fitted to.

    Raises InputError where there are none yet, or they are of another checkpoint.
    """
    from mvae.latent import attribute_vectors
    from mvae.runs.released import home

    file = home(path) / FILE
    if not file.exists():
        raise InputError(
            f'there are no attribute vectors of {path} yet; find them first: '
            f'{program()} attributes fit {path}'
        )
    return attribute_vectors.load(file, identity(model))


def identity(model: 'MusicVAE') -> dict[str, Any]:
    """What says that two checkpoints are the same one.

    The loss tells runs apart that were trained to the same step.
    """
    return {
        'step': model.step,
        'latent_size': model.latent_size,
        'form': model.form.name,
        'bars': model.form.bars,
        'loss': model.metrics.get('loss'),
    }
