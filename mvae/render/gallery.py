"""A page for a run folder: everything in it that can be seen and heard.

Browsers open it from the file system, without a network.
"""

import html
import os
from pathlib import Path
from urllib.parse import quote

from mvae.files import write_atomically
from mvae.music.midi import read_midi
from mvae.render.audio import write_wav

PAGE = 'index.html'
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #8884; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto;
       padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; }}
h2 {{ font-size: 1.1rem; margin-top: 2.5rem; border-top: 1px solid var(--line);
     padding-top: 1rem; }}
img {{ max-width: 100%; background: white; border-radius: 4px; display: block; margin: .5rem 0; }}
ul {{ list-style: none; padding: 0; display: grid; gap: .5rem 1.5rem;
     grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); }}
li {{ display: flex; align-items: center; gap: .6rem; min-width: 0; }}
li span {{ flex: 1; min-width: 0; overflow-wrap: anywhere; }}
audio {{ height: 2.2rem; width: 11rem; flex: none; }}
</style></head><body><h1>{title}</h1>
"""
_ONE_AT_A_TIME = """<script>
const players = [...document.querySelectorAll('audio')];
players.forEach(p => p.addEventListener('play', () => players.forEach(q => q === p || q.pause())));
</script></body></html>
"""


def write_gallery(folder: str | Path) -> Path:
    """Writes index.html for the MIDI, WAV and PNG files anywhere below a folder.

    Of the evaluations in training the last comes first. Returns the page's path. Raises InputError
    where it cannot be written.
    """
    folder = Path(folder)
    sections = {place: _section(folder, place) for place in _places(folder)}
    title = html.escape(folder.resolve().name)
    page = _HEAD.format(title=title) + ''.join(sections.values()) + _ONE_AT_A_TIME
    write_atomically(folder / PAGE, page.encode())
    return folder / PAGE


def render_missing(folder: str | Path) -> int:
    """Writes a WAV beside every MIDI file directly in a folder; returns how many.

    Files that have one as new are passed over. Raises InputError as `write_wav` does.
    """
    count = 0
    for midi in sorted(Path(folder).glob('*.mid')):
        wav = midi.with_suffix('.wav')
        if not wav.exists() or wav.stat().st_mtime < midi.stat().st_mtime:
            write_wav(wav, read_midi(midi.read_bytes()).notes)
            count += 1
    return count


def _places(folder: Path) -> list[Path]:
    """Folders that hold something to show.

    The run's own comes first, then the others by name, then the evaluations in training from the
    last to the first.
    """
    found = {path.parent for pattern in ('*.mid', '*.png') for path in folder.rglob(pattern)}
    found = {place for place in found if not place.name.startswith('.')}  # half written
    steps = sorted((p for p in found if p.name.startswith('step_')), reverse=True)
    return sorted(found - set(steps)) + steps


def _section(folder: Path, place: Path) -> str:
    parts = []
    if place != folder:
        parts.append(f'<h2>{html.escape(place.relative_to(folder).as_posix())}</h2>\n')
    pieces = sorted(place.glob('*.mid'), key=_in_order)
    if pieces:
        parts.append('<ul>\n' + ''.join(_piece(folder, midi) for midi in pieces) + '</ul>\n')
    own = {midi.with_suffix('.png') for midi in pieces}
    shared = set(place.glob('*.png')) - own
    images = [*sorted(shared), *sorted(own, key=_in_order)]
    parts += [_image(folder, path) for path in images if path.exists()]
    return ''.join(parts)


def _in_order(path: Path) -> tuple[str, int]:
    """sample_2 before sample_10."""
    name = path.stem.rstrip('0123456789')
    return name, int(path.stem[len(name) :] or 0)


def _link(folder: Path, path: Path) -> str:
    return quote(Path(os.path.relpath(path, folder)).as_posix())


def _piece(folder: Path, midi: Path) -> str:
    name, wav = html.escape(midi.stem.replace('_', ' ')), midi.with_suffix('.wav')
    player = _player(_link(folder, wav), name) if wav.exists() else ''
    download = f'<a href="{_link(folder, midi)}" download>MIDI</a>'
    return f'<li><span>{name}</span>{player}{download}</li>\n'


def _player(link: str, name: str) -> str:
    return f'<audio controls preload="none" src="{link}" aria-label="play {name}"></audio>'


def _image(folder: Path, path: Path) -> str:
    name = html.escape(path.stem.replace('_', ' '))
    return f'<img loading="lazy" src="{_link(folder, path)}" alt="{name}">\n'
