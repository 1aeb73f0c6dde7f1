"""Points of the prior N(0, I)."""

import jax
import numpy as np


def prior(n: int, latent_size: int, seed: int) -> np.ndarray:
    """float32 [n, Z]; row i depends on the seed alone, not on n."""
    key = jax.random.key(seed)
    return np.stack([np.asarray(jax.random.normal(jax.random.fold_in(key, i), (latent_size,))) for i in range(n)])
