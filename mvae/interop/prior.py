"""The fitted prior as JSON, for programs that draw codes themselves."""

import json
from typing import Any

import numpy as np

from mvae.musicvae import MusicVAE

_DIGITS = 6


def file(model: MusicVAE) -> dict[str, bytes]:
    """prior.json with mean [Z] and root [Z, Z]: z = mean + root e, where e is of N(0, I).

    {} for a model without a fitted prior.
    """
    if model.prior is None:
        return {}
    root = np.linalg.cholesky(model.prior.covariance.astype(np.float64))
    rows = {'mean': model.prior.mean.tolist(), 'root': root.tolist()}
    kept = {name: _rounded(values) for name, values in rows.items()}
    return {'prior.json': json.dumps(kept, separators=(',', ':')).encode() + b'\n'}


def _rounded(values: Any) -> Any:
    if isinstance(values, list):
        return [_rounded(value) for value in values]
    return float(f'{values:.{_DIGITS}g}')
