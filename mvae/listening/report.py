"""An analysis as a table, as a figure, and the answers themselves as CSV."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mvae.files import write_atomically
from mvae.listening.answers import Answer
from mvae.render.figures import COLOURS, save


def to_text(result: dict[str, Any]) -> str:
    """A row for each source, then a line for each test."""
    width = max(8, *map(len, result['sources']))
    lines = [f'{"source":{width}}  comparisons  wins  ties  win share (95%)      mean score (95%)']
    for name, s in result['sources'].items():
        share = _with_interval(s['win_share'], s['win_interval'], '.3f')
        mean = _with_interval(s['mean'], s['mean_interval'], '+.2f')
        counts = f'{s["comparisons"]:11}  {s["wins"]:4}  {s["ties"]:4}'
        lines.append(f'{name:{width}}  {counts}  {share:19}  {mean}')
    lines += ['', _kruskal_line(result['kruskal_wallis'])]
    lines += [_pair_line(pair) for pair in result['pairs']]
    lines.append(
        f'Pairs are significant below {result["alpha"]:.4f} (Bonferroni). '
        'Scores from -2 to 2; intervals over listeners.'
    )
    return '\n'.join(lines)


def _kruskal_line(h: dict[str, Any]) -> str:
    found = h['reason'] or f'H({h["df"]}) = {h["h"]:.2f}, {_p(h["p"])}'
    return f'Kruskal-Wallis: {found}'


def _pair_line(pair: dict[str, Any]) -> str:
    wins = f'{pair["a"]} {pair["wins_a"]} wins, {pair["b"]} {pair["wins_b"]}, ties {pair["ties"]}'
    if pair['reason']:
        return f'{wins}: {pair["reason"]}'
    verdict = 'significant' if pair['significant'] else 'not significant'
    return f'{wins}: Wilcoxon W = {pair["w"]:g}, {_p(pair["p"])}, {verdict}'


def _p(p: float) -> str:
    return f'p = {p:.4f}' if p >= 0.0001 else 'p < 0.0001'


def _with_interval(value: float | None, interval: tuple[float, float] | None, form: str) -> str:
    if value is None:
        return '-'
    if interval is None:
        return f'{value:{form}}'
    low, high = interval
    return f'{value:{form}} ({low:{form}} to {high:{form}})'


def draw_wins(path: str | Path, result: dict[str, Any], title: str = '') -> None:
    """One PNG with a bar for each source.

    A bar shows the wins of a source; its interval is that of their share times its comparisons.
    Raises InputError where the file cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    sources = result['sources']
    figure = Figure(figsize=(1.6 + 1.1 * len(sources), 3.6), layout='constrained')
    axis = figure.subplots()
    for n, source in enumerate(sources.values()):
        _draw_bar(axis, n, source)
    axis.set_xticks(range(len(sources)), list(sources))
    axis.set_xlim(-0.6, len(sources) - 0.4)
    axis.margins(y=0.12)
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_ylim(bottom=0)
    axis.set_ylabel('wins')
    axis.grid(axis='y', color='#dddddd', linewidth=0.8)
    axis.set_axisbelow(True)
    axis.spines[['top', 'right']].set_visible(False)
    axis.tick_params(axis='x', length=0)
    intervals = any(s['win_interval'] for s in sources.values())
    note = f'{result["listeners"]} listeners, {result["comparisons"]} comparisons'
    note += '; 95% intervals' * intervals
    axis.set_title('\n'.join(filter(None, (title, note))), loc='left', fontsize=9)
    save(path, figure)


def _draw_bar(axis: Any, n: int, source: dict[str, Any]) -> None:
    wins, comparisons = source['wins'], source['comparisons']
    axis.bar(n, wins, 0.62, color=COLOURS[n % len(COLOURS)])
    top = wins
    if source['win_interval'] is not None:
        low, top = (share * comparisons for share in source['win_interval'])
        reach = [[wins - low], [top - wins]]
        axis.errorbar(n, wins, reach, color='#222222', capsize=4, linewidth=1.2)
    said = {'textcoords': 'offset points', 'ha': 'center', 'va': 'bottom', 'fontsize': 8}
    axis.annotate(f'{wins} of {comparisons}', (n, top), (0, 4), **said)


def write_csv(path: str | Path, answers: Sequence[Answer]) -> None:
    """A line for each answer, with the fields of `Answer` as columns."""
    text = io.StringIO(newline='')
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(Answer._fields)
    writer.writerows(answers)
    write_atomically(path, text.getvalue().encode())
