"""The funnel: what became of every file, track and window.

It is kept as numbers in store.json, and shown as a table in the terminal.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mvae.dataset.store import SPLITS


def make_funnel(
    info: Sequence[Mapping[str, Any]],
    used: np.ndarray,
    counts: Mapping[tuple[str, int], Mapping[str, Any]],
) -> dict[str, Any]:
    """The funnel of a build.

    Args:
        info: per file reason, detail and rejections; see parts.FileResult.
        used: bool [files], whether any of the file's windows is in the store.
        counts: per (form, bars) `files` with windows kept, windows `found`, windows `kept` and
            `songs` per split.

    Returns:
        files: found, used, and rejected {reason: files} for the files rejected whole.
        sections: {reason: sections} lost from files of which something else was read.
        forms: per '<form>-<bars>' files, rejected {reason: sections, tracks or windows}, found,
        duplicate, and windows and songs per split.
    """
    whole = Counter(file['reason'] for file in info if file['reason'])
    inside: dict[str, Counter[str]] = {}
    for file in info:
        for form, reason, count in file['rejections']:
            inside.setdefault(form, Counter())[reason] += count
    forms = {}
    for (form, bars), count in counts.items():
        forms[f'{form}-{bars}'] = {
            'files': count['files'],
            'rejected': _sorted(inside.get(form, Counter())),
            'found': count['found'],
            'duplicate': count['found'] - sum(count['kept']),
            'windows': dict(zip(SPLITS, count['kept'], strict=True)),
            'songs': dict(zip(SPLITS, count['songs'], strict=True)),
        }
    files = {'found': len(info), 'used': int(used.sum()), 'rejected': _sorted(whole)}
    return {'files': files, 'sections': _sorted(inside.get('file', Counter())), 'forms': forms}


def main_reasons(funnel: Mapping[str, Any], most: int = 4) -> str:
    """The commonest reasons why files and their tracks gave nothing, in words.

    Such as 'wrong_meter 12, no_drums 3'.
    """
    reasons = Counter(funnel['files']['rejected'])
    once = {name.rsplit('-', 1)[0]: name for name in funnel['forms']}  # not for each length
    for form in once.values():
        reasons.update(funnel['forms'][form]['rejected'])
    return _words(_sorted(reasons), most)


def format_funnel(funnel: Mapping[str, Any]) -> str:
    """The funnel as a table of at most 120 columns."""
    files = funnel['files']
    rejected = _after('; rejected: ', _words(files['rejected'], 8))
    lines = [f'{files["found"]:,} MIDI files, {files["used"]:,} used{rejected}']
    splits = ''.join(f'{split:>12}' for split in SPLITS)
    lines.append(f'{"":<11}{"files":>9}{"found":>12}{"duplicate":>12}{splits}{"songs":>9}')
    for name, form in funnel['forms'].items():
        row = f'{name:<11}{form["files"]:>9,}{form["found"]:>12,}{form["duplicate"]:>12,}'
        row += ''.join(f'{form["windows"][split]:>12,}' for split in SPLITS)
        lines.append(row + f'{sum(form["songs"].values()):>9,}')
    lines.append(
        'lost on the way (sections, tracks, windows; duplicates here are those within one file):'
    )
    if funnel['sections']:
        lines.append(f'  {"any":<9}' + _words(funnel['sections'], 7))
    seen = set()
    for name, form in funnel['forms'].items():
        label = name.rsplit('-', 1)[0]
        if label not in seen:
            lines.append(f'  {label:<9}' + (_words(form['rejected'], 7) or 'nothing'))
        seen.add(label)
    return '\n'.join(lines)


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _words(counts: Mapping[str, int], most: int) -> str:
    listed = list(counts.items())
    more = f', {len(listed) - most} more' if len(listed) > most else ''
    return ', '.join(f'{reason} {count:,}' for reason, count in listed[:most]) + more


def _after(prefix: str, text: str) -> str:
    return prefix + text if text else ''
