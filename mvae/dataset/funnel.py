"""The funnel: what became of every file, track and window.

It is kept as numbers in store.json, and shown as a table in the terminal.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mvae.dataset.scan import by_count, words
from mvae.dataset.store import SPLITS


def make_funnel(
    info: Sequence[Mapping[str, Any]],
    used: np.ndarray,
    counts: Mapping[tuple[str, int], Mapping[str, Any]],
    ignored: Mapping[str, int],
) -> dict[str, Any]:
    """The funnel of a build.

    Args:
        info: per file reason, detail and rejections; see parts.FileResult.
        used: bool [files], whether any of the file's windows is in the store.
        counts: per (form, bars) `files` with windows kept, windows `found`, windows `kept` and
            `songs` per split.
        ignored: how many files of other suffixes the folder holds.

    Returns:
        files: found, used, and rejected {reason: files} for the files rejected whole.
        ignored: as above.
        sections: {reason: sections} lost from files of which something else was read.
        chosen: per form and stream {by what: tracks}, such as {'programs 0-31': 3}.
        forms: per '<form>-<bars>' files, rejected {reason: sections, tracks, windows or notes},
        found, duplicate, and windows and songs per split.
    """
    whole = Counter(file['reason'] for file in info if file['reason'])
    inside: dict[str, Counter[str]] = {}
    chosen: dict[str, Counter[str]] = {}
    for file in info:
        for form, stream, by, count in file.get('chosen', ()):
            chosen.setdefault(form if form == stream else f'{form} {stream}', Counter())[by] += (
                count
            )
        for form, reason, count in file['rejections']:
            inside.setdefault(form, Counter())[reason] += count
    forms = {}
    for (form, bars), count in counts.items():
        forms[f'{form}-{bars}'] = {
            'files': count['files'],
            'rejected': by_count(inside.get(form, Counter())),
            'found': count['found'],
            'duplicate': count['found'] - sum(count['kept']),
            'windows': dict(zip(SPLITS, count['kept'], strict=True)),
            'songs': dict(zip(SPLITS, count['songs'], strict=True)),
        }
    return {
        'files': {'found': len(info), 'used': int(used.sum()), 'rejected': by_count(whole)},
        'ignored': dict(ignored),
        'sections': by_count(inside.get('file', Counter())),
        'chosen': {name: by_count(counter) for name, counter in chosen.items()},
        'forms': forms,
    }


def main_reasons(funnel: Mapping[str, Any], most: int = 4) -> str:
    """The commonest reasons why files and their tracks gave nothing, in words.

    Such as 'wrong_meter 12, no_drums 3'.
    """
    reasons = Counter(funnel['files']['rejected'])
    once = {name.rsplit('-', 1)[0]: name for name in funnel['forms']}  # not for each length
    for form in once.values():
        reasons.update(funnel['forms'][form]['rejected'])
    return _words(by_count(reasons), most)


def format_funnel(funnel: Mapping[str, Any]) -> str:
    """The funnel as a table of at most 120 columns."""
    files = funnel['files']
    rejected = _after('; rejected: ', _words(files['rejected'], 8))
    lines = [f'{files["found"]:,} MIDI files, {files["used"]:,} used{rejected}']
    if funnel['ignored']:
        lines.append(f'ignored: {words(funnel["ignored"])}')
    splits = ''.join(f'{split:>12}' for split in SPLITS)
    wide = max([9, *(len(name) for name in funnel['forms'])]) + 2
    lines.append(f'{"":<{wide}}{"files":>9}{"found":>12}{"duplicate":>12}{splits}{"songs":>9}')
    for name, form in funnel['forms'].items():
        row = f'{name:<{wide}}{form["files"]:>9,}{form["found"]:>12,}{form["duplicate"]:>12,}'
        row += ''.join(f'{form["windows"][split]:>12,}' for split in SPLITS)
        lines.append(row + f'{sum(form["songs"].values()):>9,}')
    lines.append(
        'lost on the way (sections, tracks, windows, notes; duplicates are those within one file):'
    )
    if funnel['sections']:
        lines.append(f'  {"any":<{wide - 2}}' + _words(funnel['sections'], 7))
    seen = set()
    for name, form in funnel['forms'].items():
        label = name.rsplit('-', 1)[0]
        if label not in seen:
            lines.append(f'  {label:<{wide - 2}}' + (_words(form['rejected'], 7) or 'nothing'))
        seen.add(label)
    lines.append('tracks chosen by:')
    wide = max([11, *(len(name) for name in funnel['chosen'])]) + 2
    lines += [f'  {name:<{wide}}' + _words(by, 5) for name, by in funnel['chosen'].items()]
    return '\n'.join(lines)


def _words(counts: Mapping[str, int], most: int) -> str:
    listed = list(counts.items())
    more = f', {len(listed) - most} more' if len(listed) > most else ''
    return ', '.join(f'{reason} {count:,}' for reason, count in listed[:most]) + more


def _after(prefix: str, text: str) -> str:
    return prefix + text if text else ''
