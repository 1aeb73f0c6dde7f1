"""What the commands about attribute vectors share."""

from mvae.errors import InputError

FILE = 'attributes.json'  # in the run folder: the vectors, and what they were fitted to


def attributes(kind: str, own: list[str]) -> dict:
    """Ours of a kind of music, and those of the user: name -> function."""
    from mvae.latent.attributes import attributes_of, read_attribute

    found = attributes_of(kind)
    for place in own:
        name, function = read_attribute(place)
        if name in found:
            raise InputError(
                f'there is an attribute {name} already; rename the function of {place}'
            )
        found[name] = function
    return found


def identity(model) -> dict:
    """What says that two checkpoints are the same one.

    The loss tells runs apart that were trained to the same step.
    """
    saved = model.saved
    return {
        'step': saved.step,
        'latent_size': model.latent_size,
        'kind': model.kind,
        'bars': model.bars,
        'loss': saved.metrics.get('loss'),
    }
