"""Names of types that the model's functions share."""

from typing import Any, TypeAlias

import jax

# Parameters: a tree of dicts by name and lists by layer, whose leaves are arrays.
Params: TypeAlias = dict[str, Any]
# One affine layer or LSTM: 'kernel' and 'bias'.
Layer: TypeAlias = dict[str, jax.Array]
