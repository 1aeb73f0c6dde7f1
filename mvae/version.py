"""Which mvae this is."""

from importlib import metadata


def version() -> str:
    """As installed; 'source' where mvae runs from its folder alone."""
    try:
        return metadata.version('mvae')
    except metadata.PackageNotFoundError:
        return 'source'
