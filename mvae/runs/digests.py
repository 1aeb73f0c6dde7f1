"""Digests of what a checkpoint holds, to tell bits that changed on the disk since.

They are of values and not of files, so that they are written with the checkpoint, whole or not at
all, and cover all between an array and the disk.
"""

import hashlib
import json
from typing import Any

import jax
import numpy as np


def of_tree(tree: Any) -> str:
    """SHA-256 of the leaves, their dtypes and shapes, in order."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        array = np.ascontiguousarray(leaf)
        digest.update(f'{array.dtype} {array.shape} '.encode())
        digest.update(array.data.cast('B') if array.size else b'')
    return digest.hexdigest()


def of_json(value: Any) -> str:
    """SHA-256 of what JSON keeps of the value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def sign(
    meta: dict[str, Any], trees: dict[str, Any], metrics: dict[str, float] | None
) -> dict[str, Any]:
    """The metadata with 'digests' of itself and of what lies beside it."""
    parts = {name: of_tree(tree) for name, tree in trees.items()}
    values = {'meta': of_json(json.loads(json.dumps(meta))), 'metrics': of_json(metrics or {})}
    return meta | {'digests': parts | values}


def damaged_meta(meta: dict[str, Any], metrics: dict[str, float]) -> bool:
    """Whether the metadata or the metrics are not those that were signed.

    A checkpoint of before has no digests; nothing is known of it.
    """
    digests = meta.get('digests', {})
    if not isinstance(digests, dict):
        return True
    own = {name: value for name, value in meta.items() if name != 'digests'}
    found = {'meta': of_json(own), 'metrics': of_json(metrics)}
    return any(digests.get(name, value) != value for name, value in found.items())


def damage(meta: dict[str, Any], **trees: Any) -> str:
    """What is wrong with trees that were read: '' where they are whole and finite."""
    for name, tree in trees.items():
        if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)):
            return f'{name} hold values that are not finite'
        if meta.get('digests', {}).get(name, now := of_tree(tree)) != now:
            return f'{name} are not what was written'
    return ''
