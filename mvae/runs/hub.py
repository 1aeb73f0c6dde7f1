"""Models on the Hugging Face hub, hf://OWNER/NAME, by its client where that is installed."""

import re
from pathlib import Path

from mvae.errors import InputError

FILE = 'model.npz'  # of a model in a folder, and in a repository of the hub
_SCHEME = 'hf:'
# Of the two slashes a Path leaves one. A revision is a branch, a tag or a commit.
_ADDRESS = re.compile(r'hf:/{1,2}([\w.-]+)/([\w.-]+)(?:@([\w./-]+))?', re.ASCII)


def is_address(path: str | Path) -> bool:
    """Whether it means a model on the hub."""
    return str(path).startswith(_SCHEME)


def name_of(address: str | Path) -> str:
    """A model's name for folders: owner--name."""
    owner, name, _ = _parts(address)
    return f'{owner}--{name}'


def fetch(address: str | Path) -> Path:
    """The model file of hf://OWNER/NAME or hf://OWNER/NAME@REVISION, downloaded once.

    Raises InputError where the client is not installed, or the file cannot be had.
    """
    owner, name, revision = _parts(address)
    try:
        from huggingface_hub import hf_hub_download
    except ImportError:
        raise InputError(
            "this needs huggingface_hub, not installed here: pip install 'mvae[hub]'"
        ) from None
    try:
        return Path(hf_hub_download(f'{owner}/{name}', FILE, revision=revision))
    except Exception as error:  # of the network, of the hub, or of a disk: its classes change
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f'cannot fetch {FILE} of {owner}/{name} from the hub: {why}') from None


def _parts(address: str | Path) -> tuple[str, str, str | None]:
    if (found := _ADDRESS.fullmatch(str(address))) is None:
        raise InputError(f'{address} is no model on a hub; write hf://OWNER/NAME')
    owner, name, revision = found.groups()
    return owner, name, revision
