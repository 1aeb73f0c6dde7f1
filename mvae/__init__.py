"""MusicVAE in JAX: `mvae.load('trio16')` gives a trained model; see `mvae.trained.MusicVAE`."""

from mvae.errors import InputError

__all__ = ['InputError', 'load']


def load(path, which='best'):
    """The model of a run folder, ready to play: see `mvae.trained.load`.

    Imported at first use, so that `import mvae` stays light.
    """
    from mvae.trained import load as load_run

    return load_run(path, which)


def __getattr__(name: str) -> str:
    """`mvae.__version__`, read at first use; 'source' where mvae was not installed."""
    if name != '__version__':
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import metadata

    try:
        return metadata.version('mvae')
    except metadata.PackageNotFoundError:
        return 'source'
