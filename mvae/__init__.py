"""MusicVAE in JAX: `mvae.load('trio16')` gives a trained model; see `mvae.musicvae.MusicVAE`."""

from mvae.errors import InputError

__all__ = ['InputError', 'load']


def load(path, which='best'):
    """The model of a run folder, a model file, a released name or hf://OWNER/NAME, ready to play.

    See `mvae.runs.load`. It is imported at first use, so that `import mvae` stays light.
    """
    from mvae.runs.load import load as load_model

    return load_model(path, which)


def __getattr__(name: str) -> str:
    """`mvae.__version__`, read at first use."""
    if name != '__version__':
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from mvae.version import version

    return version()
