"""Curves with bands, panels one above the other."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mvae.render.figures import COLOURS, MARKERS, save


def draw_curves(
    path: str | Path,
    x: np.ndarray,
    panels: Sequence[tuple[str, dict[str, dict[str, list[float]]]]],
    x_label: str,
    title: str = '',
) -> None:
    """One PNG: a panel for each (what y is, {name: {mean, low, high} at every x}).

    Raises InputError where the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 1 + 2.8 * len(panels)), layout='constrained')
    axes = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
    names = list(dict.fromkeys(name for _, curves in panels for name in curves))
    looks = {
        name: (COLOURS[n % len(COLOURS)], MARKERS[n % len(MARKERS)]) for n, name in enumerate(names)
    }
    for axis, (label, curves) in zip(axes, panels, strict=True):
        for name, curve in curves.items():
            colour, marker = looks[name]
            axis.fill_between(x, curve['low'], curve['high'], color=colour, alpha=0.2, linewidth=0)
            look = {'linestyle': '-', 'color': colour, 'markersize': 4, 'label': name}
            axis.plot(x, curve['mean'], marker, **look)
        axis.set_title(label, fontsize=9, loc='left')
        axis.grid(color='#dddddd', linewidth=0.8)
        axis.set_axisbelow(True)
        axis.spines[['top', 'right']].set_visible(False)
        axis.tick_params(labelsize=8)
    axes[0].legend(fontsize=8, frameon=False)
    axes[-1].set_xlabel(x_label, fontsize=9)
    if title:
        figure.suptitle(title, fontsize=10, x=0.01, ha='left')
    save(path, figure)
