"""Matrices of signed numbers as colours, the numbers written inside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mvae.render.figures import save

# Beyond it the colours say no more, so that one large number does not pale the others.
_MOST = 100.0


def draw_heat_maps(
    path: str | Path,
    panels: Sequence[tuple[str, np.ndarray]],
    rows: Sequence[str],
    columns: Sequence[str],
    axes: tuple[str, str],
    note: str = '',
) -> None:
    """One PNG with a map for each (title, matrix float [rows, columns]), side by side.

    Numbers are blue below zero and red above; nan is left grey. All maps share one scale, symmetric
    about zero, that ends at the largest absolute number, at most at 100.

    axes: what rows and columns are. Raises InputError where the file cannot be written.
    """
    from matplotlib.figure import Figure

    numbers = np.concatenate([np.ravel(matrix) for _, matrix in panels])
    numbers = np.abs(numbers[np.isfinite(numbers)])
    limit = min(numbers.max(initial=0.0), _MOST) or 1.0
    size = (2.6 + len(panels) * (0.5 + 0.62 * len(columns)), 2.2 + 0.42 * len(rows))
    figure = Figure(figsize=size, layout='constrained')
    images = []
    maps = figure.subplots(1, len(panels), squeeze=False)[0]
    for n, (axis, (title, matrix)) in enumerate(zip(maps, panels, strict=True)):
        images.append(_draw_map(axis, matrix, limit))
        axis.set_title(title, fontsize=10)
        axis.set_xticks(
            range(len(columns)), columns, rotation=35, ha='right', rotation_mode='anchor'
        )
        axis.set_yticks(range(len(rows)), rows if n == 0 else [''] * len(rows))
        axis.set_xlabel(axes[1], fontsize=8)
        axis.tick_params(length=0, labelsize=8)
        axis.spines[:].set_visible(False)
        if n == 0:
            axis.set_ylabel(axes[0], fontsize=8)
    extend = 'both' if numbers.max(initial=0.0) > limit else 'neither'
    bar = figure.colorbar(images[-1], ax=figure.axes, shrink=0.8, extend=extend)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    if note:
        figure.supxlabel(note, fontsize=8, color='#555555')
    save(path, figure)


def _draw_map(axis: Any, matrix: np.ndarray, limit: float) -> Any:
    """The image, with the numbers written inside."""
    axis.set_facecolor('#dddddd')
    image = axis.imshow(
        np.ma.masked_invalid(matrix), cmap='RdBu_r', vmin=-limit, vmax=limit, aspect='auto'
    )
    for (r, c), number in np.ndenumerate(matrix):
        text = f'{round(number):+d}' if np.isfinite(number) else '–'
        colour = 'white' if abs(number) > 0.65 * limit else 'black'
        axis.text(c, r, text, ha='center', va='center', fontsize=8, color=colour)
    return image
