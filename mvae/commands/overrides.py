"""Settings on the command line: --config.training.batch_size=32."""

import ast
from typing import TYPE_CHECKING, Any

from mvae.commands.options import choose
from mvae.errors import InputError

if TYPE_CHECKING:
    from ml_collections import ConfigDict

_BOOLEANS = {'true': True, 'false': False}


def apply(config: 'ConfigDict', argument: str) -> None:
    """Applies '--config.training.batch_size=32' to a locked config.

    Raises InputError for unknown names (with the nearest) and wrong types.
    """
    from ml_collections import ConfigDict

    if not argument.startswith('--config.') or '=' not in argument:
        raise InputError(
            f'unknown argument {argument!r}; settings are written --config.training.batch_size=32'
        )
    path, _, text = argument.removeprefix('--config.').partition('=')
    *parents, leaf = path.split('.')
    for parent in parents:
        config = config[choose('setting', parent, config.keys())]
        if not isinstance(config, ConfigDict):
            raise InputError(f'{parent} has no settings inside, so {path} is none')
    old = config[choose('setting', leaf, config.keys())]
    if isinstance(old, ConfigDict):
        raise InputError(f'{path} has settings inside; name one, such as {path}.{next(iter(old))}')
    config[leaf] = _value(path, text, old)


def _value(path: str, text: str, old: Any) -> Any:
    """The text as a value of the type of the old one."""
    if isinstance(old, str):
        return text
    try:
        value: Any = _BOOLEANS.get(text.lower())
        value = ast.literal_eval(text) if value is None else value
        value = float(value) if isinstance(old, float) and type(value) is int else value
        value = (value,) if isinstance(old, tuple) and type(value) is int else value
        if type(value) is not type(old):
            raise TypeError
    except (TypeError, ValueError, SyntaxError, RecursionError, MemoryError):
        raise InputError(
            f'{path} takes a {type(old).__name__} such as {old!r}, not {text!r}'
        ) from None
    return value
