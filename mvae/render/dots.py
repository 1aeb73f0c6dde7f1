"""Shares with their intervals as dots on a line, for tables that one would rather look at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mvae.render.figures import COLOURS, MARKERS, save

_STYLES = tuple(zip(COLOURS, MARKERS, strict=True))


class Dot(NamedTuple):
    """A share and its interval (low, high) or None; hollow: somebody else's figure."""

    value: float
    interval: tuple[float, float] | None = None
    hollow: bool = False


def draw_dots(
    path: str | Path,
    rows: Sequence[tuple[str, float, dict[str, list[Dot]]]],
    panels: Sequence[tuple[str, Sequence[str]]],
    names: Sequence[str],
    note: str = '',
) -> None:
    """One PNG with a row for each (label, baseline, {series: dots}).

    There is a panel for each (title, its series), side by side. names: what the series are called.
    The baseline is a grey tick. Raises InputError where the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.5 + 4 * len(panels), 1.4 + 0.55 * len(rows)), layout='constrained')
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True, sharex=True)[0]
    for axis, (title, series) in zip(axes, panels, strict=True):
        for n, (_, baseline, dots) in enumerate(rows):
            label = 'most frequent token' if n == 0 else None
            tick = [n - 0.4, n + 0.4]
            axis.plot([baseline] * 2, tick, color='#999999', linewidth=2, label=label)
            for s, name in enumerate(series):
                place = n + (s - (len(series) - 1) / 2) * 0.22
                for dot in dots.get(name, []):
                    _draw_dot(axis, dot, place, *_STYLES[s % len(_STYLES)])
        for s, name in enumerate(names):
            colour, marker = _STYLES[s % len(_STYLES)]
            axis.plot([], [], marker, color=colour, label=name)
        axis.set_title(title, loc='left', fontsize=10)
        axis.set_xlim(0, 1)
        axis.grid(axis='x', color='#dddddd', linewidth=0.8)
        axis.set_axisbelow(True)
        axis.spines[['top', 'right', 'left']].set_visible(False)
        axis.tick_params(length=0, labelsize=8)
        axis.set_xlabel('share of tokens reconstructed', fontsize=8)
    axes[0].set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axes[0].invert_yaxis()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=6, fontsize=8, frameon=False)
    if note:
        figure.suptitle(note, fontsize=8, x=0.01, ha='left')
    save(path, figure)


def _draw_dot(axis: Any, dot: Dot, place: float, colour: str, marker: str) -> None:
    if dot.interval is not None:
        axis.plot(dot.interval, [place] * 2, color=colour, linewidth=1.5)
    fill = 'none' if dot.hollow else colour
    look = {'color': colour, 'markerfacecolor': fill, 'markersize': 6, 'zorder': 3}
    axis.plot([dot.value], [place], marker, **look)
