"""Our parameters under Magenta's names: one table, read both ways.

Magenta's names are explained in docs/magenta.md, "Names of variables". Shapes and the order of
gates are the same on both sides.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import numpy as np

from mvae.errors import InputError
from mvae.model.config import ModelConfig
from mvae.model.heads import Nade

# Ours on the left, below the parameter tree's root; Magenta's on the right. {l}: layer, {d}:
# direction, {k}: stream, {w}: kernel or bias.
_BOTH_WAYS = 'cell_{l}/bidirectional_rnn/{d}/multi_rnn_cell/cell_0/lstm_cell/{w}'
_ENCODER = {
    'encoder/layers/{l}/{d}/{w}': f'encoder/{_BOTH_WAYS}',
    'encoder/mu/{w}': 'encoder/mu/{w}',
    'encoder/sigma/{w}': 'encoder/sigma/{w}',
}
_HIERARCHICAL_ENCODER = {
    **_ENCODER,
    'encoder/layers/{l}/{d}/{w}': f'encoder/hierarchical_level_0/{_BOTH_WAYS}',
    'encoder/bar_layers/{l}/{d}/{w}': f'encoder/hierarchical_level_1/{_BOTH_WAYS}',
}
_CONDUCTOR = {  # its cells lack the part multi_rnn_cell that all others have
    'conductor/initial_state/{w}': 'decoder/hierarchical_level_0/initial_state/{w}',
    'conductor/layers/{l}/{w}': 'decoder/hierarchical_level_0/cell_{l}/lstm_cell/{w}',
}
_DECODER = {
    'decoders/{k}/initial_state/{w}': 'decoder/z_to_initial_state/{w}',
    'decoders/{k}/layers/{l}/{w}': 'decoder/multi_rnn_cell/cell_{l}/lstm_cell/{w}',
    'decoders/{k}/output/{w}': 'decoder/output_projection/{w}',
    'decoders/{k}/heads/0/{w}': 'decoder/nade/{w}',
}


def table(cfg: ModelConfig) -> dict[str, str]:
    """{our pattern: Magenta's pattern} of an architecture."""
    names: dict[str, str] = {}
    if cfg.encoder_sizes:
        names |= _HIERARCHICAL_ENCODER if cfg.encoder_bars > 1 else _ENCODER
    if cfg.hierarchical:
        names |= _CONDUCTOR
    scope = _decoder_scope(cfg)
    return names | {ours: scope + theirs for ours, theirs in _DECODER.items()}


def _decoder_scope(cfg: ModelConfig) -> str:
    if not cfg.hierarchical:
        return ''
    return 'core_decoder/core_decoder_{k}/' if len(cfg.heads) > 1 else 'core_decoder/'


def flatten(params: Any) -> dict[str, Any]:
    """{'encoder/layers/0/fw/kernel': leaf, ...}; the numbers are places in lists."""
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return {jax.tree_util.keystr(path, simple=True, separator='/'): leaf for path, leaf in leaves}


def magenta_names(paths: Iterable[str], cfg: ModelConfig) -> dict[str, str]:
    """{our path: Magenta's name} for the paths of `flatten`."""
    patterns = [(re.compile(_as_regex(ours)), theirs) for ours, theirs in table(cfg).items()]
    names = {}
    for path in paths:
        found = [(regex.fullmatch(path), theirs) for regex, theirs in patterns]
        matches = [theirs.format(**match.groupdict()) for match, theirs in found if match]
        (names[path],) = matches  # a path with none, or two, is a bug of the table
    return names


def _as_regex(pattern: str) -> str:
    return re.sub(r'\{(\w)\}', lambda found: f'(?P<{found.group(1)}>[^/]+)', pattern)


def check(cfg: ModelConfig) -> None:
    """Raises InputError for a model that Magenta's code cannot be."""
    if cfg.bar_codes:
        raise InputError(
            "Magenta's models have no code for each bar, so this one can be none of them; train "
            'one without, by --variant flat or --config.model.bar_codes=False, or export --to onnx'
        )
    together = len(cfg.heads) > 1 and not cfg.hierarchical
    if together and any(isinstance(head, Nade) for head in cfg.heads):
        raise InputError(
            "Magenta's decoders by NADE write drums and nothing else, that of this model all its "
            'streams; train one by --variant hierdec'
        )


def to_magenta(params: Any, cfg: ModelConfig) -> dict[str, np.ndarray]:
    """float32 arrays under Magenta's names, as a checkpoint of Magenta's would hold them.

    Raises InputError as `check` does.
    """
    check(cfg)
    flat = flatten(params)
    names = magenta_names(flat, cfg)
    return {names[path]: np.asarray(leaf, np.float32) for path, leaf in flat.items()}


def from_magenta(tensors: Mapping[str, Any], like: Any, cfg: ModelConfig) -> Any:
    """The parameter tree of the shape of `like`, of tensors by Magenta's names."""
    names = magenta_names(flatten(like), cfg)
    leaves = [tensors[names[path]] for path in flatten(like)]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)
