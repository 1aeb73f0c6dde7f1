"""MusicVAE in JAX: `mvae.load('runs/trio16')` gives a trained model; see `mvae.trained.MusicVAE`."""

from mvae.errors import InputError

__all__ = ['InputError', 'load']


def load(path, which='best'):
    """The model of a run folder, ready to play: see `mvae.trained.load`.

    Imported at first use, so that `import mvae` stays light.
    """
    from mvae.trained import load as load_run

    return load_run(path, which)
