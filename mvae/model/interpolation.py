"""Paths between two points of the latent space (paper section 5.2: spherical interpolation)."""

import numpy as np

# Of the sine of the angle: below, float32 inputs do not say which great circle to take.
_NEARLY = 1e-4


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray | float) -> np.ndarray:
    """Spherical interpolation (Shoemake, 1985), as Magenta does it: float32 [*t.shape, Z].

    The path is sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b, with w the angle between a and b.
    It is the straight line where the angle or the circle is not defined: for a zero vector, and for
    equal or opposite directions. t = 0 gives a and t = 1 gives b exactly.

    a, b: float [Z]. t: a number or an array.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    t = np.asarray(t, np.float64)[..., None]
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    cosine = np.clip(a @ b / norms, -1.0, 1.0) if norms > 0 else 1.0
    sine = np.sqrt(1 - cosine**2)
    if sine < _NEARLY:
        path = (1 - t) * a + t * b
    else:
        angle = np.arccos(cosine)
        path = np.sin((1 - t) * angle) / sine * a + np.sin(t * angle) / sine * b
    path = np.where(t == 0, a, np.where(t == 1, b, path))
    return path.astype(np.float32)


def path(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    """n points from a to b, both included, evenly spaced in t: float32 [n, Z]; n = 1 gives a."""
    return slerp(a, b, np.linspace(0.0, 1.0, n))
