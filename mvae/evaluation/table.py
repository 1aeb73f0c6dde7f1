"""The paper's table of accuracies (section 5.1, table 1), filled by evaluations of runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mvae.config import HIERARCHICAL_DECODERS, HIERARCHICAL_ENCODERS
from mvae.errors import InputError
from mvae.evaluation.reconstruction import MODES, compare

_NAMES = {mode: mode.replace('_', '-') for mode in MODES}
DECODERS = ('flat', 'hierarchical')
COLUMNS = tuple((mode, decoder) for mode in MODES for decoder in DECODERS)
# As reported by the paper, recalled and unverified: (form, bars, stream) -> accuracies of the first
# four columns.
REPORTED = {
    ('drums', 2, 'drums'): (0.979, None, 0.917, None),
    ('melody', 2, 'melody'): (0.986, None, 0.951, None),
    ('melody', 16, 'melody'): (0.883, 0.919, 0.620, 0.812),
    ('drums', 16, 'drums'): (0.884, 0.928, 0.549, 0.879),
    ('trio', 16, 'melody'): (0.796, 0.848, 0.579, 0.753),
    ('trio', 16, 'bass'): (0.829, 0.880, 0.565, 0.773),
    ('trio', 16, 'drums'): (0.903, 0.912, 0.641, 0.863),
}
_LEGEND = (
    'Share of tokens reconstructed, measured, with 95% intervals (bootstrap over songs); in\n'
    'brackets as reported by the paper, unverified. "Guessed": notes begin where they should no\n'
    'more often than by always guessing the most frequent onset. Teacher-forced the model has\n'
    'learned nothing to compare yet; sampled its code does not carry the notes.'
)
_ORDER = [*dict.fromkeys((form, bars) for form, bars, _ in REPORTED)]


def _decoder(evaluation: dict[str, Any]) -> str:
    return DECODERS[evaluation['variant'] in HIERARCHICAL_DECODERS]


def _row_of(evaluation: dict[str, Any]) -> tuple[int, str, int, str, bool]:
    """What makes a row, in the order of rows.

    It is form and length, as the paper orders them, data, and whether the encoder is one by bars.
    """
    form, bars = evaluation['form'], evaluation['bars']
    place = _ORDER.index((form, bars)) if (form, bars) in _ORDER else len(_ORDER)
    data = evaluation['corpus'] or evaluation['data']
    return place, form, bars, data, evaluation['variant'] in HIERARCHICAL_ENCODERS


def build(evaluations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the table from what `evaluate_run` returns, in the paper's order.

    There is a row for each data set, form, length, encoder and stream. It has
        form, bars, stream, data; windows, songs: counts;
        by_bars: whether the encoder is one by bars, which the paper's is not;
        baseline, onset_baseline: of always the most frequent value, of all steps and of onsets;
        reported: {column: accuracy};
        cells: {'mode decoder': {accuracy, interval, onset, by_bar, guessed, run}};
        differences: {mode: {difference, interval}}, the hierarchical decoder's accuracy less the
            flat one's, where both were measured.

    guessed: onsets are hit no better than by the most frequent one. Teacher-forced it says that the
    model has learned nothing to compare yet, sampled that the latent code does not carry the notes.

    Raises InputError where two runs claim one cell, or where runs of one row differ in their
    notation or were measured on different windows.
    """
    groups: dict[tuple[int, str, int, str, bool], list[dict[str, Any]]] = {}
    for e in evaluations:
        groups.setdefault(_row_of(e), []).append(e)
    for group in groups.values():
        _check(group)
    return [_row(groups[key], name) for key in sorted(groups) for name in groups[key][0]['streams']]


def _check(group: list[dict[str, Any]]) -> None:
    first = group[0]
    seen: dict[str, str] = {}  # variant -> run
    for e in group:
        if e['variant'] in seen:
            what = f'{e["bars"]}-bar {e["form"]}, {e["variant"]}, on {e["data"]}'
            raise InputError(
                f'two runs for one place of the table ({what}): {seen[e["variant"]]} and '
                f'{e["run"]}; leave one out'
            )
        seen[e['variant']] = e['run']
        for name in ('notation', 'split', 'windows', 'limit', 'seed'):
            if e[name] != first[name]:
                raise InputError(
                    f'{first["run"]} and {e["run"]} cannot stand in one row: '
                    f'{name} {first[name]} and {e[name]}'
                )


def _row(group: list[dict[str, Any]], stream: str) -> dict[str, Any]:
    first = group[0]
    reported = REPORTED.get((first['form'], first['bars'], stream), (None,) * 4)
    cells, measured = {}, {}
    for e in group:
        found = measured[_decoder(e)] = e['streams'][stream]
        onset = found['classes'].get('onset', {})
        for mode in MODES:
            cells[f'{mode} {_decoder(e)}'] = {
                'accuracy': found[mode]['accuracy'],
                'interval': found[mode]['interval'],
                'onset': onset.get(mode),
                'guessed': not onset or onset[mode] <= onset['baseline'],
                'by_bar': found['onsets_by_bar'][mode],
                'run': e['run'],
            }
    differences = {}
    if len(measured) == 2:
        flat, hierarchical = (measured[decoder] for decoder in DECODERS)
        compared = {mode: compare(flat, hierarchical, mode, first['seed']) for mode in MODES}
        differences = {mode: found for mode, found in compared.items() if found}
    return {
        'form': first['form'],
        'bars': first['bars'],
        'stream': stream,
        'by_bars': first['variant'] in HIERARCHICAL_ENCODERS,
        'data': first['data'],
        'windows': first['windows'],
        'songs': first['songs'],
        'baseline': first['streams'][stream]['baseline'],
        'onset_baseline': first['streams'][stream]['classes'].get('onset', {}).get('baseline'),
        'reported': {
            f'{m} {d}': x for (m, d), x in zip(COLUMNS, reported, strict=False) if x is not None
        },
        'cells': cells,
        'differences': differences,
    }


def curves_by_bar(
    rows: Sequence[dict[str, Any]], mode: str = 'sampled'
) -> list[tuple[str, dict[str, dict[str, list[float]]]]]:
    """Does a decoder keep to the music or drift?

    Returns (label, {decoder: onsets right in each bar, with intervals}) for each row of the longest
    windows. Rows of 2 bars, or of one song, have nothing to show. Beside the decoders stands the
    most frequent onset.
    """
    longest, panels = max((row['bars'] for row in rows), default=0), []
    for row in rows:
        curves = {
            d: cell['by_bar']
            for d in DECODERS
            if (cell := row['cells'].get(f'{mode} {d}')) and cell['by_bar']
        }
        if row['bars'] == longest > 2 and curves:
            level = [row['onset_baseline']] * longest
            curves['most frequent'] = {'mean': level, 'low': level, 'high': level}
            panels.append((f'{label(row)} ({Path(row["data"]).name})', curves))
    return panels


def label(row: dict[str, Any]) -> str:
    """What a row is of, in words: '16-bar trio, bass, encoder by bars'."""
    stream = f', {row["stream"]}' if row['form'] != row['stream'] else ''
    encoder = ', encoder by bars' if row['by_bars'] else ''
    return f'{row["bars"]}-bar {row["form"]}{stream}{encoder}'


def to_markdown(rows: Sequence[dict[str, Any]], evaluations: Sequence[dict[str, Any]]) -> str:
    """Markdown tables of the rows and of the evaluations that they come from.

    They show accuracies in the paper's layout, decoders compared in pairs, accuracies by class of
    steps, what each model is, and form, likeness and novelty where they were measured.
    """
    shown = [(m, d) for m, d in COLUMNS if any(f'{m} {d}' in row['cells'] for row in rows)]
    columns = [f'{_NAMES[m]}, {d}' for m, d in shown]
    lines = _head('data', 'windows (songs)', 'most frequent', *columns)
    for row in rows:
        keys = [f'{m} {d}' for m, d in shown]
        cells = [cell_text(row['cells'].get(key), row['reported'].get(key)) for key in keys]
        size = f'{row["windows"]:,} ({row["songs"]:,})'
        lines.append(_line(f'{label(row)} ({row["data"]})', size, _short(row['baseline']), *cells))
    lines += ['', _LEGEND, '', *_differences(rows), *_classes(evaluations), '']
    return '\n'.join([*lines, *_models(evaluations), *_music(evaluations)])


def _line(*cells: object) -> str:
    return f'| {" | ".join(map(str, cells))} |'


def _head(*columns: str) -> list[str]:
    return [_line(*columns), '|---' * len(columns) + '|']


def _name(evaluation: dict[str, Any]) -> str:
    return f'{evaluation["experiment"]} {evaluation["variant"]} ({Path(evaluation["data"]).name})'


def _short(share: float) -> str:
    return f'{share:.3f}'.removeprefix('0')


def cell_text(cell: dict[str, Any] | None, reported: float | None = None) -> str:
    """'**.707** .696-.718 [.883]': measured, its interval, as reported; mere guesses are said."""
    if cell is None:
        text = '-'
    elif cell['guessed']:
        text = f'guessed ({_short(cell["accuracy"])})'
    else:
        text = f'**{_short(cell["accuracy"])}**'
        if cell['interval'] is not None:
            text += ' {}-{}'.format(*map(_short, cell['interval']))
    return text if reported is None else f'{text} [{_short(reported)}]'


def _difference_text(found: dict[str, Any]) -> str:
    """'**+.033** +.021 to +.045': in accuracy, and its interval."""
    numbers = found['difference'], *found['interval']
    value, low, high = (f'{x:+.3f}'.replace('0.', '.', 1) for x in numbers)
    return f'**{value}** {low} to {high}'


def _differences(rows: Sequence[dict[str, Any]]) -> list[str]:
    if not any(row['differences'] for row in rows):
        return []
    lines = _head('hierarchical less flat, paired by song', *_NAMES.values())
    for row in rows:
        if row['differences']:
            cells = map(_difference_text, row['differences'].values())
            lines.append(_line(f'{label(row)} ({row["data"]})', *cells))
    return [*lines, '']


def _classes(evaluations: Sequence[dict[str, Any]]) -> list[str]:
    lines = _head('run, stream', 'class', 'share', 'most frequent', *_NAMES.values())
    for e in evaluations:
        for stream, found in e['streams'].items():
            for name, c in found['classes'].items():
                shares = [_short(c[key]) for key in ('share', 'baseline', *MODES)]
                lines.append(_line(f'{_name(e)}, {stream}', name.replace('_', '-'), *shares))
    return lines


def _models(evaluations: Sequence[dict[str, Any]]) -> list[str]:
    what = 'run', 'scale', 'parameters', 'best step of', 'batch', 'seed'
    lines = _head(*what, 'NLL, nats per window', 'KL, bits', 'active units')
    for e in evaluations:
        step = f'{e["step"]:,} of {e["planned_steps"]:,}'
        made = e['scale'], f'{e["parameters"]:,}', step, e['training_batch_size']
        costs = f'{e["reconstruction"]:.1f}', f'{e["kl_bits"]:.0f}'
        units = f'{e["active_units"]} of {e["latent_size"]}'
        lines.append(_line(_name(e), *made, e['training_seed'], *costs, units))
    return lines


def _music(evaluations: Sequence[dict[str, Any]]) -> list[str]:
    measured = [e for e in evaluations if 'music' in e]
    if not measured:
        return []
    what = 'bars back after 4', 'after 8', 'pieces with 4 bars of the training', 'likeness, worst'
    lines = ['', *_head('run, stream', 'music', *what)]
    for e in measured:
        for name, about in e['music']['of'].items():
            for stream in about['form']:
                cells = music_cells(about, stream)
                lines.append(_line(f'{_name(e)}, {stream}', name, *cells))
    return lines


def music_cells(about: dict[str, Any], stream: str) -> list[str]:
    """Of one set of pieces: bars that come back after 4 and 8, novelty, likeness of all streams."""
    form, alike = about['form'][stream], about['likeness']
    back = [form.get(distance, {'same': {'mean': None}})['same']['mean'] for distance in '48']
    shares = [*back, about['novelty'][stream]['share']['mean']]
    worst = alike['worst']
    return [
        *('-' if share is None else _short(share) for share in shares),
        f'{_short(alike["mean"])}, {_short(alike["features"][worst])} ({worst})',
    ]
